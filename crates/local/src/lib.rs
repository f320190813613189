//! The local stack of `provision dev`: mails and requests in, queues, storage, Lambda's Runtime API.
//!
//! It does on this machine what AWS does between a mail, a request or a message and a function: SES's receipt rules
//! ([`receipt`]), its event and its headers, API Gateway's routes, SQS's queues and Lambda's polling of them, S3 over a
//! folder, and Lambda with its Runtime API, limits, retries and failure queue. Everything listens on 127.0.0.1 only, and
//! everything that is started ends with the [`Stack`].
//!
//! Three triggers invoke functions, each with its own rules for failures: a [`receiver`] for mails, an [`api`] for
//! requests, a [`mapping`] for messages. All use the same [`function`]s.

pub mod api;
pub mod arrival;
mod asynchronous;
mod brokers;
pub mod delivery;
mod endpoint;
mod environment;
pub mod event;
mod failure;
mod function;
mod guard;
mod ids;
mod instance;
pub mod mail_files;
mod mapping;
mod names;
mod notify;
mod observer;
mod options;
mod post;
mod private;
mod queue;
pub mod receipt;
mod receiver;
mod refusal;
mod rights;
mod runtime_api;
mod scratch;
mod service_refusal;
mod services;
mod sessions;
mod signature;
mod smtp;
mod sqs;
mod stack;
mod storage;
mod stores;
mod tables;
mod tally;
pub mod verdicts;
mod work;

pub use asynchronous::Ending;
pub use brokers::Kafka;
pub use delivery::deliver;
pub use endpoint::Endpoint;
pub use names::{ACCOUNT, FunctionNames, Names, QueueNames, Secret};
pub use notify::{Topic, notify};
pub use observer::{Activity, Next, Observer, Trigger, Usage, Wait};
pub use options::Options;
pub use post::post;
pub use refusal::NotStarted;
pub use scratch::Scratch;
pub use stack::{HTTP, SMTP, Stack};
pub use stores::{NotServed, Store};
pub use tally::{Arrival, Item, Outcome, Summary, Tally};
pub use verdicts::Setting;
