//! `provision`: carrier maintenance mails into NetBox. One declaration, one command, infrastructure and handler together.
//!
//! Data flows one way: what was typed ([`cli`]) → [`declaration`] → what a command does → [`render`].

pub mod cli;
mod commands;
mod context;
pub mod declaration;
mod local;
mod mails;
mod netbox;
mod package;
mod problem;
mod render;

pub use commands::run;
