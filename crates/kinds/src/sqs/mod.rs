//! Kinds of sqs.

pub mod queue;
