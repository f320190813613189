//! Errors of reading a declaration, and what to do about them.

use std::{io, path::PathBuf};

use crate::diagnostic::Diagnostics;

/// Errors of reading a declaration.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    /// The file cannot be read.
    #[error("Failed to read the declaration `{}`", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is larger than any declaration.
    #[error("Failed to read the declaration `{}`: it is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    /// The declaration has stages, and none was chosen.
    #[error("Failed to choose a stage of `{}`: it has {}", path.display(), quoted(stages))]
    NoStage {
        /// Path of the file.
        path: PathBuf,
        /// Names of the stages that it defines.
        stages: Vec<String>,
    },
    /// The declaration does not have the chosen stage.
    #[error("Failed to find stage `{stage}` in `{}`: it has {}", path.display(), quoted(stages))]
    UnknownStage {
        /// Path of the file.
        path: PathBuf,
        /// The stage that was chosen.
        stage: String,
        /// Names of the stages that it defines.
        stages: Vec<String>,
    },
    /// The declaration has mistakes.
    #[error(transparent)]
    Invalid(Diagnostics),
}

fn quoted(stages: &[String]) -> String {
    let quoted: Vec<_> = stages.iter().map(|stage| format!("`{stage}`")).collect();
    if quoted.is_empty() { "no stages".to_owned() } else { quoted.join(", ") }
}

impl DeclarationError {
    /// Returns what to do about the error. Diagnostics have hints of their own.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("pass the declaration with `-f FILE`, or create one with `provision init`".to_owned())
            }
            Self::NoStage { stages, .. } => stages.first().map(|stage| format!("name one, such as `--stage {stage}`")),
            Self::UnknownStage { stages, .. } if stages.is_empty() => Some("leave `--stage` out".to_owned()),
            _ => None,
        }
    }
}
