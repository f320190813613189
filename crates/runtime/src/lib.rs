//! Shares what every function needs of Lambda and AWS: a start that says why it failed, the environment, HTTP, S3, secrets, the log
//! with its metrics, partial answers to batches. It knows no domain: neither mails nor any system that a function delivers to.
//!
//! A function of any event is a `main` of a few lines:
//!
//! ```no_run
//! use contract::{address::Query, queue_event::QueueEvent};
//! use runtime::{Invocation, answer, each_message, environment::Reader, start};
//!
//! fn main() -> std::process::ExitCode {
//!     let read = |variable: &dyn Fn(&str) -> Option<String>| {
//!         let mut reader = Reader::new(variable);
//!         let url = reader.url("TARGET_URL", "https://target.example.com", Query::Refused);
//!         reader.finish(url)
//!     };
//!     start(read, async |url| {
//!         answer("NotSent", async |invocation: Invocation<QueueEvent>| {
//!             let send = async |message: &contract::queue_event::QueueRecord| {
//!                 println!("{} would go to {url}", message.body);
//!                 Ok::<_, String>(())
//!             };
//!             Ok::<_, String>(each_message(&invocation.event, invocation.deadline, send).await)
//!         })
//!         .await
//!     })
//! }
//! ```

mod batch;
mod credentials;
mod deadline;
pub mod environment;
pub mod http;
mod known;
pub mod log;
mod meaning;
pub mod outside;
mod postpone;
mod probe;
pub mod queue;
mod reach;
mod receiver;
mod s3;
mod secrets;
mod signed;
mod start;
pub mod store;
pub mod table;
pub mod text;
pub mod upload;
mod xml;

pub use batch::each_message;
pub use credentials::Credentials;
pub use deadline::Deadline;
pub use known::{redact, remember};
pub use postpone::Postponing;
pub use reach::Reach;
pub use receiver::{MOST_MESSAGES, Receiver};
pub use s3::S3;
pub use secrets::SecretSource;
pub use signed::presigned;
pub use start::{Invocation, answer, answer_with_checks, start};
pub use tls::OwnCa;
