//! Delivery to NetBox with the plugin `netbox-circuitmaintenance`: every maintenance there, once, and right.
//!
//! Pure functions decide what to write: [`comparison`] pairs a notice with what is [`stored`], and [`plan`] decides, by the rules
//! of [`schedule`].
//! [`converge`] reads, plans and writes until the plan is empty: whatever failed halfway, or was changed by somebody else in between, is
//! thereby finished. The version that orders notices stands in a [`note`] within each event's comments, which is written with the
//! event's `ETag`, so that of two writers one wins and the other reads again.

pub mod case;
pub mod circuits;
pub mod claim;
pub mod client;
pub mod comparison;
pub mod converge;
pub mod delivery;
mod edits;
mod event;
pub mod fields;
pub mod ids;
pub mod link;
pub mod mark;
pub mod memory;
mod merge;
pub mod note;
mod notification;
pub mod plan;
pub mod records;
mod resolve;
pub mod settings;
pub mod settled;
mod spelling;
pub mod stored;

#[cfg(test)]
pub(crate) mod simulated;
