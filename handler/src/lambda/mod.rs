//! What the functions share of Lambda and AWS: clients that are quick to start, and a start that says why it failed.

pub mod http;
mod s3;
mod secrets;
mod sinks;
mod start;

pub use s3::S3;
pub use secrets::{SecretSource, secrets_manager};
pub use sinks::{OneSink, sinks};
pub use start::{answer, http_client, start};
