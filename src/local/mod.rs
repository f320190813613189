//! `provision dev`: mail in, storage, Runtime API.
//!
//! What AWS does between a mail and a function, on this machine: SES's receipt rules ([`receipt`]), its event and its
//! headers, S3 over a folder, and Lambda with its Runtime API, limits, retries and failure queue. Everything listens on
//! 127.0.0.1 alone, and whatever is started ends with the [`Stack`].

pub(crate) mod arrival;
pub(crate) mod delivery;
pub(crate) mod event;
mod failure;
mod function;
mod instance;
mod observer;
pub(crate) mod process;
pub(crate) mod receipt;
mod receiver;
mod rights;
mod runtime_api;
mod services;
mod smtp;
mod stack;
mod storage;
mod tally;
pub(crate) mod verdicts;

pub(crate) use delivery::deliver;
pub(crate) use function::Ending;
pub(crate) use observer::{Happening, Next, Observer, Usage};
pub(crate) use stack::{NotStarted, Options, Stack};
pub(crate) use tally::{Summary, Tally};
pub(crate) use verdicts::Setting;
