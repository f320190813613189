//! Desired and live resources of any kind: compared into a [`Plan`], put into an order, applied.
//!
//! The engine knows no kind, no SDK, no YAML, and prints nothing. A kind is whatever implements [`Kind`]; a failed call is a
//! [`Failure`], whose class was decided where the call was made.

mod address;
mod apply;
mod children;
mod consent;
pub mod difference;
mod failure;
mod field;
mod kind;
mod order;
mod ownership;
mod plan;
#[cfg(test)]
mod planned;
mod protection;
mod resource;
mod survey;
mod widening;

pub use address::Address;
pub use apply::{Event, Observer, Outcome, Patience, Results, Verb, apply};
pub use children::{Accepted, Child, Children};
pub use consent::{Consent, Holds, Loses, Loss};
pub use difference::{Difference, Reasons, differences};
pub use failure::{Class, Failure};
pub use field::{
    Field, Harm, Life, Makers, OfChildren, Treatment, coupled, depends, immutable, plain, severe, shortest_above, stays,
};
pub use kind::Kind;
pub use order::{Disorder, Phase, Step};
pub use ownership::{ENTRY_TAG, Live, Owned, Owner, PROTECT_TAG, STACK_TAG, Stack, Tags, UNFINISHED_TAG};
pub use plan::{Action, Counts, Item, Plan, Unlisted};
pub use protection::{Protection, keep_undeclared};
pub use resource::{Id, Read, Resource, UnknownKind};
pub use survey::{OwnedByKind, Survey, survey};
pub use widening::{Slow, Widening};
