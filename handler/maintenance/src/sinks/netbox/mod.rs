//! Delivery to NetBox with the plugin `netbox-circuitmaintenance`: every maintenance there, once, and right.
//!
//! What to write is decided by pure functions: a notice becomes [`wanted`] events, and [`plan`] compares these with what is
//! [`stored`]. [`converge`] reads, lets decide, writes, and does so again until nothing is left to do: whatever failed halfway, or was
//! changed by somebody else in between, is thereby finished. What orders notices stands in a [`note`] within each event's comments,
//! which is written with the event's `ETag`, so that of two writers one wins and the other reads again.

pub mod case;
pub mod claim;
pub mod client;
pub mod converge;
pub mod delivery;
mod event;
pub mod fields;
pub mod ids;
mod known;
mod letter;
pub mod link;
mod merge;
pub mod note;
pub mod plan;
pub mod records;
pub mod stored;
pub mod version;
pub mod wanted;

#[cfg(test)]
mod simulated;
