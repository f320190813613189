//! Manages the kinds of `DynamoDB`: its tables.

pub mod table;
