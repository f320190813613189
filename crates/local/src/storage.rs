//! S3 over a folder: `FOLDER/BUCKET/KEY`.
//!
//! Functions reach it over HTTP with signed requests, each with its own credentials and its own [`rights`].

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::sync::Mutex;

use super::{
    private,
    rights::{self, Grant, Grants},
};

/// Parts of the names of the files that the library keeps beside the buckets for uploads in parts.
const UPLOADS: [&str; 2] = [".upload_id-", ".upload-"];

/// Writes objects into the folder, as SES does.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    folder: PathBuf,
}

impl Storage {
    /// Opens a folder and creates the buckets in it. Uploads in parts that an earlier run has left are removed: their keys are gone.
    pub(crate) fn open(folder: &Path, buckets: impl Iterator<Item = String>) -> io::Result<Self> {
        for bucket in buckets {
            private::make(&folder.join(bucket))?;
        }
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_upload = UPLOADS.iter().any(|part| name.to_string_lossy().contains(part));
            if is_upload && entry.file_type()?.is_file() {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes an object: when this returns, it is there as a whole.
    pub(crate) async fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> io::Result<()> {
        let path = self.folder.join(bucket).join(key);
        let unsound = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{key}` cannot be the name of a file"));
        let folder = path.parent().ok_or_else(unsound)?.to_owned();
        if !rights::is_file(key) {
            return Err(unsound());
        }
        let root = self.folder.clone();
        let write = move || {
            std::fs::create_dir_all(&folder)?;
            private::write_from(&root, &path, &bytes)
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }

    /// Returns the S3 endpoint.
    pub(crate) fn router(&self, grants: Vec<Grant>) -> Result<Router, s3s_fs::Error> {
        let mut keys = SimpleAuth::new();
        for grant in &grants {
            keys.register(grant.access_key.clone(), grant.secret_key.expose().into());
        }
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&self.folder)?);
        builder.set_auth(keys);
        builder.set_access(Grants { grants, folder: self.folder.clone() });
        let served = Arc::new((builder.build(), Mutex::new(())));
        Ok(Router::new().fallback(move |request: Request| {
            let served = Arc::clone(&served);
            async move {
                let (service, writing) = &*served;
                // The library reads the object and then writes: `If-Match` needs both to be atomic.
                let _one_at_a_time = if is_apart(&request) { None } else { Some(writing.lock().await) };
                answer(service, request).await
            }
        }))
    }
}

/// Returns whether a request changes nothing that another one looks at: a part is no object yet.
fn is_apart(request: &Request) -> bool {
    let is_part = request.uri().query().is_some_and(|query| query.contains("partNumber="));
    is_part || matches!(*request.method(), Method::GET | Method::HEAD)
}

async fn answer(service: &S3Service, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
    }
}
