//! Sends mails through SES so that each one's events find it again.
//!
//! SES gives a mail its id in the answer to the call that sends it, has no idempotency token, and its answer can be lost. So a record is
//! made before, under an id of our own that goes with the mail as a tag; after SES has answered, one transaction puts SES's id into the
//! record. At no moment, with no single fault, does a record say that a mail was sent which was not; and a request that may have been sent
//! is never sent again unless a person says so. Records are items of a table, rows of the database of delivery tracking, or both.
//!
//! | moment of the fault | record | second run of the same request |
//! |---|---|---|
//! | before the record | nothing | sends it |
//! | SES refuses the mail | nothing (pending, if that cannot be written) | sends it (says that it may have been sent) |
//! | SES's answer is lost | pending | says that it may have been sent |
//! | after SES's answer | pending | says that it may have been sent; [`settle`] records SES's id |
//! | none | sent | says under which id it was sent |

mod account;
mod mailbox;
mod message;
mod record;
mod recorded;
mod records;
mod request;
mod send;
mod table;

#[cfg(test)]
mod faults;

pub use account::{Account, Bodies};
pub use mailbox::{Mailbox, NotMailbox};
pub use record::{Earlier, Record, Sent};
pub use recorded::{Recorded, Sought, recorded};
pub use records::{Both, Records, Table, Tracking};
pub use request::{Attachment, MOST_RECIPIENTS, Request, Unsendable};
pub use send::{Begun, NotSent, Patience, Sending, Services, send, settle};
