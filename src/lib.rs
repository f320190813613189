//! `provision`: carrier maintenance mails into NetBox. One declaration, one command, infrastructure and functions
//! together.
//!
//! Data flows one way: arguments ([`cli`]) → [`declaration`] → operations ([`ops`]) → [`render`].

pub mod cli;
mod commands;
pub mod ops;
mod render;

pub use commands::run;
