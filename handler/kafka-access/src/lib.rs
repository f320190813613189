//! Reaches Kafka inside a VPC for whoever may invoke it: it makes the topics that AWS does not make, and reads topics for `provision tail`
//! and `provision timeline`. It does what its declaration names alone, deletes nothing, and writes no message.

pub mod configuration;
pub mod function;
