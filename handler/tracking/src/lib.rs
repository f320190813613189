//! Keeps what became of each mail: events of SES from a queue, into a database. A message leaves the queue only when the rows of it are
//! committed. The same program is a Lambda function, and a worker on a server that takes from the queue by itself.

pub mod configuration;
pub mod envelope;
pub mod report;
pub mod tracker;
pub mod worker;
