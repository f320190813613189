//! A refused call, as every service but S3 answers it.

use axum::http::StatusCode;

/// A refusal: status, type, message.
pub(crate) type Refusal = (StatusCode, &'static str, String);
