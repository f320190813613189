//! Kinds of s3.

pub mod artifacts;
pub mod bucket;
pub mod bucket_statement;
