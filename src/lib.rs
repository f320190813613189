//! `provision`: carrier maintenance mails into NetBox. One declaration, one command, infrastructure and handler together.
//!
//! Data flows one way: what was typed ([`cli`]) → [`declaration`] → what a command does → [`render`].

mod aws;
pub mod cli;
mod commands;
mod context;
pub mod declaration;
mod desired;
mod kinds;
mod local;
mod mails;
mod netbox;
mod operate;
mod package;
mod plan;
mod policy;
mod preconditions;
mod problem;
mod render;

pub use commands::run;

/// What SES does with a mail, for whoever stands in for it: `provision dev`, and the tests that deliver mails to an account.
pub mod receiving {
    pub use crate::local::{
        arrival::{Arrival, Envelope},
        event::Event,
        event::build as event,
        receipt::{Disposition, Flow, Match, matches},
        verdicts::{Verdict, Verdicts},
    };
}
