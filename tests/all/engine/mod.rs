//! Tests the engine on an account that somebody else changes too.

mod adopt;
mod children;
mod consent;
mod events_lost;
mod existing;
mod fields;
mod filters;
mod large;
mod limits;
mod missing;
mod moved;
mod noise;
mod others;
mod owners;
pub(crate) mod paths;
mod propagation;
mod protected;
mod references;
pub(crate) mod tags;
