//! Kinds of cloudwatch.

pub mod alarm;
