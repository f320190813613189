//! Writes each event of a mail that SES publishes to a topic of Kafka: one message for each affected recipient, joined with what the
//! sender's table knows of the mail. An invocation succeeds only when every message of it is durably in Kafka.

pub mod configuration;
pub mod function;
pub mod join;
pub mod kafka;
pub mod report;
