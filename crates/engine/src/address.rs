//! Addresses of resources: the container and the name by which AWS knows a resource.

use serde::Serialize;

/// The address of a resource, in AWS's own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Address {
    /// The resource that contains it: a permission's function, a rule's rule set, a subscription's topic. `None` if it
    /// stands alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Name of the resource.
    pub name: String,
}

impl Address {
    /// Returns the address of a resource that stands alone.
    pub fn of(name: impl Into<String>) -> Self {
        Self { container: None, name: name.into() }
    }

    /// Returns the address of a resource that is part of another one.
    pub fn within(container: impl Into<String>, name: impl Into<String>) -> Self {
        Self { container: Some(container.into()), name: name.into() }
    }

    /// Returns the container; empty if the resource stands alone.
    pub fn container(&self) -> &str {
        self.container.as_deref().unwrap_or_default()
    }
}
