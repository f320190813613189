//! The local stack of `provision dev`: mail in, storage, Lambda's Runtime API.
//!
//! It does on this machine what AWS does between a mail and a function: SES's receipt rules ([`receipt`]), its event
//! and its headers, S3 over a folder, and Lambda with its Runtime API, limits, retries and failure queue. Everything
//! listens on 127.0.0.1 only, and everything that is started ends with the [`Stack`].

pub mod arrival;
pub mod delivery;
pub mod event;
mod failure;
mod function;
mod guard;
mod instance;
pub mod mail_files;
mod names;
mod observer;
mod private;
pub mod receipt;
mod receiver;
mod rights;
mod runtime_api;
mod scratch;
mod services;
mod signature;
mod smtp;
mod stack;
mod storage;
mod tally;
pub mod verdicts;
mod work;

pub use delivery::deliver;
pub use function::Ending;
pub use names::{ACCOUNT, FunctionNames, Names, Secret};
pub use observer::{Activity, Next, Observer, Usage};
pub use scratch::Scratch;
pub use stack::{NotStarted, Options, Stack};
pub use tally::{Mail, Outcome, Summary, Tally};
pub use verdicts::Setting;
