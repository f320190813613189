//! The HTTP APIs of a running stack, with their addresses.

use std::sync::Arc;

use crate::api::Api;

/// An HTTP API and its address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Name of the API's entry.
    pub entry: String,
    /// URL of the API, with the stage if the path begins with it, and without a slash at its end.
    pub url: String,
    /// API that answers at this URL.
    pub api: Arc<Api>,
}
