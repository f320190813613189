//! Tests of every scheme: against codes that the senders' own libraries made, and of everything that must not pass.

mod schemes;
mod table;
mod vectors;
