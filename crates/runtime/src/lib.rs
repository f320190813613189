//! What every function shares of Lambda and AWS: a start that says why it failed, the environment, HTTP, S3, secrets, the log
//! with its metrics. It knows no domain: neither mails nor any system that a function delivers to.

pub mod environment;
pub mod http;
pub mod log;
mod s3;
mod secrets;
mod start;
pub mod store;
pub mod text;

pub use s3::S3;
pub use secrets::{SecretSource, secrets_manager};
pub use start::{answer, http_client, start};
