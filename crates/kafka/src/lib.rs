//! Reads the messages of mails from a topic of Kafka: from now on or from a time on, to the end or for as long as somebody watches.
//!
//! Brokers of MSK are reached inside their VPC alone. From elsewhere a function of the stack reads for whoever may invoke it, and makes
//! topics where AWS does not: [`asked`] has what it is asked and what it answers.
//!
//! A reader belongs to no group and commits nothing, so that it changes nothing for those who consume the topic. An example consumer, which
//! does both, is in `examples/consumer`.

pub mod asked;
#[cfg(feature = "broker")]
mod broker;
mod connection;
mod entry;
mod page;
mod patience;
mod reader;
mod selection;
mod topic;

#[cfg(feature = "broker")]
pub use broker::Broker;
pub use connection::{Keys, NotConnected, Security, connect, is_local};
pub use entry::{Entry, Unreadable};
pub use page::{Limits, Page};
pub use patience::Patience;
pub use reader::{NotRead, Positions, Reader, Start};
pub use selection::Selection;
pub use topic::{Change, Ensured, NotEnsured, Wanted, ensure};
