//! `provision`: carrier maintenance mails into NetBox. One declaration, one command, infrastructure and handler together.
//!
//! Data flows one way: what was typed ([`cli`]) → [`declaration`] → what a command does → [`render`].

pub mod cli;
mod commands;
mod ops;
mod render;

pub use commands::run;
