//! Kinds of SNS's resources.

mod children;
pub mod subscription;
pub mod topic;
