//! S3 over a folder: `FOLDER/BUCKET/KEY`.
//!
//! Functions reach it over HTTP with signed requests, each with credentials of its own that open the buckets which its
//! entry `reads`, and for reading alone: a right that is missing in the declaration is missing here too.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::SimpleAuth,
    path::S3Path,
    s3_error,
    service::S3ServiceBuilder,
};

/// What a function may do.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The function's access key.
    pub(crate) access_key: String,
    /// Its secret key.
    pub(crate) secret_key: String,
    /// The names of the buckets that it may read.
    pub(crate) buckets: BTreeSet<String>,
}

/// The operations that reading takes.
const READING: [&str; 5] = ["GetObject", "HeadObject", "ListObjects", "ListObjectsV2", "HeadBucket"];

#[derive(Debug)]
struct Grants(Vec<Grant>);

#[async_trait::async_trait]
impl S3Access for Grants {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let bucket = match context.s3_path() {
            S3Path::Bucket { bucket } | S3Path::Object { bucket, .. } => bucket,
            S3Path::Root => return Err(s3_error!(AccessDenied, "A function may not list buckets")),
        };
        let key = context.credentials().map(|credentials| credentials.access_key.as_str());
        let grant = self.0.iter().find(|grant| key == Some(grant.access_key.as_str()));
        let operation = context.s3_op().name();
        if !grant.is_some_and(|grant| grant.buckets.contains(&**bucket)) {
            return Err(s3_error!(AccessDenied, "The function does not declare that it reads this bucket"));
        }
        if !READING.contains(&operation) {
            return Err(s3_error!(AccessDenied, "A function may only read the bucket"));
        }
        Ok(())
    }
}

/// Puts objects into the folder, as SES does.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    folder: PathBuf,
}

impl Storage {
    /// Opens a folder and makes the buckets in it.
    pub(crate) fn open(folder: &Path, buckets: impl Iterator<Item = String>) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        for bucket in buckets {
            std::fs::create_dir_all(folder.join(bucket))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes an object: when this returns it is there as a whole.
    pub(crate) async fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) -> io::Result<()> {
        let path = self.folder.join(bucket).join(key);
        let unsound = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{key}` is no key of a file"));
        let folder = path.parent().ok_or_else(unsound)?.to_owned();
        if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(unsound());
        }
        let root = self.folder.clone();
        let write = move || {
            std::fs::create_dir_all(&folder)?;
            let mut file = tempfile::NamedTempFile::new_in(root)?;
            io::Write::write_all(&mut file, &bytes)?;
            file.persist(path).map_err(io::Error::from)?;
            Ok(())
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }

    /// The S3 endpoint.
    pub(crate) fn router(&self, grants: Vec<Grant>) -> Result<Router, s3s_fs::Error> {
        let mut keys = SimpleAuth::new();
        for grant in &grants {
            keys.register(grant.access_key.clone(), grant.secret_key.as_str().into());
        }
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(&self.folder)?);
        builder.set_auth(keys);
        builder.set_access(Grants(grants));
        let service = builder.build();
        Ok(Router::new().fallback(move |request: Request| {
            let service = service.clone();
            async move { answer(&service, request).await }
        }))
    }
}

async fn answer(service: &s3s::service::S3Service, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:?}")).into_response(),
    }
}
