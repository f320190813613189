//! Kinds of `DynamoDB`.

pub mod table;
