//! Kinds of SQS's resources.

pub mod queue;
