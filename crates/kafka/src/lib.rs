//! Reads the messages of mails from a topic of Kafka: from now on or from a time on, to the end or for as long as somebody watches.
//!
//! A reader belongs to no group and commits nothing, so that it changes nothing for those who consume the topic. An example consumer, which
//! does both, is in `examples/consumer`.

#[cfg(feature = "broker")]
mod broker;
mod connection;
mod entry;
mod reader;
mod selection;

#[cfg(feature = "broker")]
pub use broker::Broker;
pub use connection::{Keys, NotConnected, Security, connect, is_local};
pub use entry::{Entry, Unreadable};
pub use reader::{NotRead, Reader, Start};
pub use selection::Selection;
