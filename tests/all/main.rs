//! Tests the command line as people and programs use it: every test runs the binary in a folder of its own and looks
//! at its exit code, standard output and standard error.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod build;
mod changes;
mod dev;
mod documents;
mod effort;
mod emulator;
mod engine;
mod harness;
mod library;
mod netbox;
mod network;
mod operate;
mod output;
mod own;
mod parse;
mod platform;
#[expect(clippy::print_stdout, reason = "a test that is not run says so")]
#[path = "../../crates/delivery/tests/all/servers.rs"]
mod servers;
mod shipped;
mod stack;
mod structure;
mod validate;
mod words;
