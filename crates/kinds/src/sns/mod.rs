//! Kinds of sns.

pub mod subscription;
pub mod topic;
