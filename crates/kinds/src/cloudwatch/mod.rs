//! Kinds of CloudWatch's resources.

pub mod alarm;
