//! The reasons why a stack cannot be started on this machine.

use std::{io, path::PathBuf};

use crate::stores::NotServed;

/// The reasons why the stack could not be started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// A folder could not be created.
    #[error("Failed to make the folder `{}`", folder.display())]
    Folder {
        /// Path of the folder.
        folder: PathBuf,
        /// Error of the file system.
        #[source]
        error: io::Error,
    },
    /// The state folder is another run's.
    #[error("Failed to take the folder `{}`: {holder}", folder.display())]
    Held {
        /// Path of the folder.
        folder: PathBuf,
        /// Who has it, in words.
        holder: String,
    },
    /// The certificate of the SMTP server could not be made.
    #[error("Failed to make a certificate for SMTP")]
    Certificate(#[source] io::Error),
    /// A port could not be opened.
    #[error("Failed to listen on 127.0.0.1:{port} for {what}")]
    Port {
        /// Purpose of the port, in words.
        what: &'static str,
        /// Number of the port.
        port: u16,
        /// Error of the system.
        #[source]
        error: io::Error,
    },
    /// The S3 endpoint refused its folder.
    #[error("Failed to open the folder `{}` as S3: {reason}", folder.display())]
    Storage {
        /// Path of the folder.
        folder: PathBuf,
        /// Reason of the refusal.
        reason: String,
    },
    /// The system has no random bytes for keys.
    #[error("Failed to make keys for the functions")]
    Keys(#[from] getrandom::Error),
    /// Kafka could not be started.
    #[error("Failed to start Kafka: {0}")]
    Kafka(String),
    /// Two clusters have a topic of the same name, which would be one topic here.
    #[error("Failed to start Kafka: two clusters have a topic `{name}`, and all clusters are one on this machine")]
    TopicTwice {
        /// Name of the topic that both clusters have.
        name: String,
    },
    /// A database or a cache could not be started.
    #[error("Failed to start the {what} on this machine")]
    Store {
        /// Kind and entry name of the store.
        what: String,
        /// Reason why it was not started.
        #[source]
        reason: NotServed,
    },
    /// The context of a function could not be serialised.
    #[error("Failed to write the functions' environment")]
    Environment(#[from] serde_json::Error),
}
