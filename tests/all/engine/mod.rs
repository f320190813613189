//! What the engine makes of an account that somebody else has a hand in: every managed thing, changed behind our back.

mod existing;
mod fields;
mod large;
mod limits;
mod missing;
mod noise;
mod others;
mod owners;
mod protected;
