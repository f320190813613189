//! Kinds of S3's resources.

pub mod artifacts;
pub mod bucket;
pub mod bucket_statement;
