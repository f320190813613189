//! Types that the command line and the functions agree on: what a function learns of its stack, the events of SES that it
//! receives, and the lines that it writes to its log. Serialisation only: no I/O, and no reading of mails.

pub mod address;
pub mod api_event;
pub mod backfill;
pub mod context;
pub mod count;
pub mod identifier;
pub mod job;
pub mod maintenance;
pub mod notification_event;
pub mod partition;
pub mod probe;
pub mod queue_event;
pub mod receipt_event;
pub mod report;
pub mod secret;
pub mod sending;
pub mod text;
pub mod tracking;
pub mod webhook;
