//! Kinds of SNS's resources.

pub mod subscription;
pub mod topic;
