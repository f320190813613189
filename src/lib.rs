//! `provision`: carrier maintenance mails into NetBox. One declaration, one command, infrastructure and handler together.
//!
//! Data flows one way: what was typed ([`cli`]) → [`declaration`] → what a command does → [`render`].

pub mod cli;
mod commands;
mod ops;
mod render;

pub use commands::run;

/// What SES does with a mail, for whoever stands in for it: `provision dev`, and the tests that deliver mails to an account.
pub mod receiving {
    pub use local::{
        arrival::{Arrival, Envelope},
        event::{Event, build as event},
        receipt::{Disposition, Flow, Match, matches},
        verdicts::{Verdict, Verdicts},
    };
}
