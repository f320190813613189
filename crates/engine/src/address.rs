//! Where a resource is.

use serde::Serialize;

/// Where a resource is, in AWS's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Address {
    /// What it is part of, where it is nothing of its own: a permission's function, a rule's rule set, a subscription's topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Its name there.
    pub name: String,
}

impl Address {
    /// Something of its own.
    pub fn of(name: impl Into<String>) -> Self {
        Self { container: None, name: name.into() }
    }

    /// A part of something.
    pub fn within(container: impl Into<String>, name: impl Into<String>) -> Self {
        Self { container: Some(container.into()), name: name.into() }
    }

    /// What it is part of; empty for what is of its own.
    pub fn container(&self) -> &str {
        self.container.as_deref().unwrap_or_default()
    }
}
