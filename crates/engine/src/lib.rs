//! Desired and live resources of any kind: compared into a [`Plan`], put into an order, applied.
//!
//! The engine knows no kind, no SDK, no YAML, and prints nothing. A kind is whatever implements [`Kind`]; a failed call is a
//! [`Failure`], whose class was decided where the call was made.

mod address;
mod apply;
mod consent;
pub mod difference;
mod failure;
mod field;
mod kind;
mod order;
mod ownership;
mod plan;
mod protection;
mod resource;
mod survey;
mod widening;

pub use address::Address;
pub use apply::{Event, Observer, Outcome, Patience, Results, Verb, apply};
pub use consent::{Consent, Holds, Loses, Loss};
pub use difference::{Difference, Reasons, differences};
pub use failure::{Class, Failure};
pub use field::{Field, Life, Makers, Treatment, coupled, immutable, plain, shortest_above};
pub use kind::Kind;
pub use order::{Disorder, Phase, Step};
pub use ownership::{ENTRY_TAG, Live, Owned, Owner, PROTECT_TAG, STACK_TAG, Stack, Tags, UNFINISHED_TAG};
pub use plan::{Action, Counts, Item, OwnedByKind, Plan, Unlisted};
pub use protection::{Protection, keep_protections};
pub use resource::{Id, Read, Resource, UnknownKind};
pub use survey::{Survey, survey};
pub use widening::{Slow, Widening};
