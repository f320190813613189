//! Runs a function's program as Lambda does: a Lambda Runtime API as small as it can be, servers for what else the function calls, and the
//! function's process between them. For tests only, which may panic. Nothing sleeps: every wait ends with what it waits for, or with
//! a deadline.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test may fail")]

mod http;
mod lambda;
mod process;

pub use http::{Answer, Request, Server};
pub use lambda::{Lambda, Report};
pub use process::Running;
