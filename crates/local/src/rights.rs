//! The S3 permissions of each function, and no more, as its role in AWS has them: a permission that the declaration lacks is lacking
//! here too.

use std::{collections::BTreeSet, path::PathBuf};

use contract::{context::Place, secret::Secret};
use s3s::{
    S3Request, S3Result,
    access::{S3Access, S3AccessContext},
    dto::{CopyObjectInput, CopySource},
    path::S3Path,
    s3_error,
};

/// The credentials and the permissions of a function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grant {
    /// Access key of the function.
    pub access_key: String,
    /// Secret key of the function.
    pub secret_key: Secret,
    /// The secrets that it may read, by name in Secrets Manager.
    pub secrets: BTreeSet<String>,
    /// The objects that it may get.
    pub reads: Vec<Place>,
    /// Places into which it may put objects.
    pub writes: Vec<Place>,
    /// Places in which it may delete objects.
    pub deletes: Vec<Place>,
    /// Queues that it may send to, by entry name.
    pub sends: BTreeSet<String>,
    /// Queue that it consumes, by entry name.
    pub consumes: Option<String>,
    /// Tables that it may query, by their names in AWS.
    pub queries: BTreeSet<String>,
}

/// The S3 actions that IAM grants for places of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    /// Read objects: `s3:GetObject`.
    Read,
    /// Write objects: `s3:PutObject`.
    Write,
    /// Delete objects: `s3:DeleteObject`.
    Delete,
}

/// The permissions of every function, over the folder that holds the buckets.
#[derive(Debug)]
pub(super) struct Grants {
    pub(super) grants: Vec<Grant>,
    pub(super) folder: PathBuf,
}

impl Right {
    /// Returns IAM's word for it.
    fn action(self) -> &'static str {
        match self {
            Self::Read => "s3:GetObject",
            Self::Write => "s3:PutObject",
            Self::Delete => "s3:DeleteObject",
        }
    }

    /// Returns the permission that an operation on one object needs; `None` for any other operation.
    fn of(operation: &str) -> Option<Self> {
        match operation {
            "GetObject" | "HeadObject" => Some(Self::Read),
            "PutObject"
            | "CopyObject"
            | "CreateMultipartUpload"
            | "UploadPart"
            | "CompleteMultipartUpload"
            | "AbortMultipartUpload" => Some(Self::Write),
            "DeleteObject" => Some(Self::Delete),
            _ => None,
        }
    }

    fn declared(self) -> &'static str {
        match self {
            Self::Read => "reads",
            Self::Write => "writes",
            Self::Delete => "deletes",
        }
    }
}

impl Grant {
    fn covers(&self, right: Right, bucket: &str, key: &str) -> bool {
        let places = match right {
            Right::Read => &self.reads,
            Right::Write => &self.writes,
            Right::Delete => &self.deletes,
        };
        places.iter().any(|place| place.bucket == bucket && key.starts_with(&place.prefix))
    }
}

/// Returns whether a key names exactly one file below the bucket's folder.
pub(super) fn is_file(key: &str) -> bool {
    !key.split('/').any(|part| matches!(part, "" | "." | ".."))
}

impl Grants {
    fn may(&self, access_key: Option<&str>, right: Right, bucket: &str, key: &str) -> S3Result<()> {
        if !is_file(key) {
            return Err(s3_error!(InvalidArgument, "`{key}` cannot be the name of a file"));
        }
        let grant = self.grants.iter().find(|grant| access_key == Some(grant.access_key.as_str()));
        if !grant.is_some_and(|grant| grant.covers(right, bucket, key)) {
            let (declared, action) = (right.declared(), right.action());
            return Err(s3_error!(
                AccessDenied,
                "The function is not authorized to perform: {action} on resource: \"{bucket}/{key}\": its `{declared}` does not name it"
            ));
        }
        // S3 does not tell a caller without the right to list that an object does not exist.
        if right == Right::Read && !self.folder.join(bucket).join(key).is_file() {
            return Err(s3_error!(
                AccessDenied,
                "The function is not authorized to perform: s3:ListBucket on resource: \"{bucket}\": there is no object `{key}`, or it may not be seen"
            ));
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl S3Access for Grants {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name();
        let (S3Path::Object { bucket, key }, Some(right)) = (context.s3_path(), Right::of(operation)) else {
            return Err(s3_error!(AccessDenied, "No function has the right to {operation}"));
        };
        let access_key = context.credentials().map(|credentials| credentials.access_key.as_str());
        self.may(access_key, right, bucket, key)?;
        // The object is compared with what the function expects: S3 takes that for reading.
        if right == Right::Write && context.headers().contains_key("if-match") {
            self.may(access_key, Right::Read, bucket, key)?;
        }
        Ok(())
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source else {
            return Err(s3_error!(AccessDenied, "There are no access points here"));
        };
        let access_key = request.credentials.as_ref().map(|credentials| credentials.access_key.as_str());
        self.may(access_key, Right::Read, bucket, key)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::{
        Client, Config,
        config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
        error::{ProvideErrorMetadata, SdkError},
        primitives::ByteStream,
        types::{CompletedMultipartUpload, CompletedPart},
    };

    use super::*;
    use crate::storage::Storage;

    const BUCKET: &str = "mail";

    fn client(address: std::net::SocketAddr, access_key: &str, secret_key: &str) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(format!("http://{address}"))
            .force_path_style(true);
        Client::from_conf(config.build())
    }

    /// Returns the client of a function that reads `inbound/`, writes `unmatched/` and `state/`, reads `state/`, and deletes
    /// `inbound/old/`, before a bucket with an object in each folder, and the bucket's folder.
    async fn function() -> (tempfile::TempDir, Client) {
        let folder = tempfile::tempdir().unwrap();
        let storage = Storage::open(folder.path(), [BUCKET.to_owned(), "other".to_owned()].into_iter()).unwrap();
        for key in ["inbound/a", "inbound/old/a", "unmatched/a", "state/a", "else/a"] {
            storage.put(BUCKET, key, b"before".to_vec()).await.unwrap();
        }
        storage.put("other", "inbound/a", b"before".to_vec()).await.unwrap();
        let places = |prefixes: &[&str]| -> Vec<Place> {
            prefixes.iter().map(|prefix| Place { bucket: BUCKET.to_owned(), prefix: (*prefix).to_owned() }).collect()
        };
        let grant = Grant {
            access_key: "LOCAL1".to_owned(),
            secret_key: "hidden".into(),
            secrets: BTreeSet::new(),
            reads: places(&["inbound/", "state/"]),
            writes: places(&["unmatched/", "state/"]),
            deletes: places(&["inbound/old/"]),
            sends: BTreeSet::new(),
            consumes: None,
            queries: BTreeSet::new(),
        };
        let router = storage.router(vec![grant]).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (folder, client(address, "LOCAL1", "hidden"))
    }

    /// Returns `allowed`, or the code with which S3 refuses.
    fn said<Output, Fault>(result: Result<Output, SdkError<Fault>>) -> String
    where
        SdkError<Fault>: ProvideErrorMetadata,
    {
        result.map_or_else(|error| error.code().unwrap_or("no code").to_owned(), |_| "allowed".to_owned())
    }

    const DENIED: &str = "AccessDenied";
    const ALLOWED: &str = "allowed";

    #[tokio::test]
    async fn declared_permissions_are_granted_and_no_others() {
        let (_folder, s3) = function().await;
        let get = async |bucket: &str, key: &str| said(s3.get_object().bucket(bucket).key(key).send().await);
        let put = async |bucket: &str, key: &str| {
            said(s3.put_object().bucket(bucket).key(key).body(ByteStream::from_static(b"x")).send().await)
        };
        let copy = async |from: &str, to: &str| {
            said(s3.copy_object().copy_source(format!("{BUCKET}/{from}")).bucket(BUCKET).key(to).send().await)
        };
        let delete = async |key: &str| said(s3.delete_object().bucket(BUCKET).key(key).send().await);
        for (said, expected) in [
            (get(BUCKET, "inbound/a").await, ALLOWED),
            (get(BUCKET, "else/a").await, DENIED),
            (get(BUCKET, "unmatched/a").await, DENIED),
            (get("other", "inbound/a").await, DENIED),
            (get(BUCKET, "inbound/absent").await, DENIED),
            (put(BUCKET, "unmatched/b").await, ALLOWED),
            (put(BUCKET, "inbound/b").await, DENIED),
            (put(BUCKET, "unmatched").await, DENIED),
            (put(BUCKET, "unmatched/../inbound/b").await, "InvalidArgument"),
            (put("other", "unmatched/b").await, DENIED),
            (copy("inbound/a", "unmatched/c").await, ALLOWED),
            (copy("else/a", "unmatched/c").await, DENIED),
            (copy("inbound/a", "else/c").await, DENIED),
            (delete("inbound/a").await, DENIED),
            (delete("inbound/old/a").await, ALLOWED),
            (delete("unmatched/a").await, DENIED),
            (said(s3.list_objects_v2().bucket(BUCKET).send().await), DENIED),
            (said(s3.list_buckets().send().await), DENIED),
            (said(s3.delete_bucket().bucket(BUCKET).send().await), DENIED),
        ] {
            assert_eq!(said, expected);
        }
    }

    #[tokio::test]
    async fn of_many_writers_that_expect_the_same_object_one_may_write() {
        let (_folder, s3) = function().await;
        let found = s3.get_object().bucket(BUCKET).key("state/a").send().await.unwrap();
        let tag = found.e_tag().unwrap();
        let writes = (0..8).map(|_| {
            s3.put_object().bucket(BUCKET).key("state/a").if_match(tag).body(ByteStream::from_static(b"x")).send()
        });
        let mut said: Vec<_> = futures::future::join_all(writes).await.into_iter().map(said).collect();
        said.sort_unstable();
        assert_eq!(said[7], ALLOWED);
        assert!(said[..7].iter().all(|said| said == "PreconditionFailed"), "{said:?}");
    }

    #[tokio::test]
    async fn comparing_an_object_needs_the_permission_to_read_it() {
        let (_folder, s3) = function().await;
        let put = |key: &str| s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
        assert_eq!(said(put("unmatched/a").if_match("\"0\"").send().await), DENIED);
        assert_eq!(said(put("unmatched/new").if_none_match("*").send().await), ALLOWED);
        assert_eq!(said(put("unmatched/new").if_none_match("*").send().await), "PreconditionFailed");
    }

    #[tokio::test]
    async fn an_upload_in_parts_becomes_an_object_once_with_its_metadata_or_nothing() {
        let (folder, s3) = function().await;
        let begin = async |key: &str| {
            let begun =
                s3.create_multipart_upload().bucket(BUCKET).key(key).content_type("text/x").metadata("job-id", "j");
            begun.send().await.map(|begun| begun.upload_id().unwrap().to_owned())
        };
        let part = async |key: &str, id: &str, number: i32, bytes: Vec<u8>| {
            let sent = s3.upload_part().bucket(BUCKET).key(key).upload_id(id).part_number(number);
            let sent = sent.body(ByteStream::from(bytes)).send().await.unwrap();
            CompletedPart::builder().part_number(number).e_tag(sent.e_tag().unwrap()).build()
        };
        let complete = async |key: &str, id: &str, parts: Vec<CompletedPart>| {
            let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
            let call = s3.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(id).if_none_match("*");
            said(call.multipart_upload(parts).send().await)
        };
        assert_eq!(begin("inbound/x").await.map_err(|error| error.code().unwrap().to_owned()), Err(DENIED.to_owned()));
        let (key, mut ids) = ("state/large", Vec::new());
        for _ in 0..2 {
            ids.push(begin(key).await.unwrap());
        }
        let mut both = Vec::new();
        for id in &ids {
            both.push(vec![part(key, id, 1, vec![b'a'; 5 * 1024 * 1024]).await, part(key, id, 2, vec![b'b'; 3]).await]);
            assert_eq!(said(s3.get_object().bucket(BUCKET).key(key).send().await), DENIED, "nothing is there before");
        }
        let mut told = Vec::new();
        for (id, parts) in ids.iter().zip(both) {
            told.push(complete(key, id, parts).await);
        }
        assert_eq!(told, [ALLOWED, "PreconditionFailed"]);
        let found = s3.head_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(found.content_length(), Some(5 * 1024 * 1024 + 3));
        assert_eq!((found.content_type(), found.metadata().unwrap()["job-id"].as_str()), (Some("text/x"), "j"));
        let abort = s3.abort_multipart_upload().bucket(BUCKET).key(key).upload_id(&ids[1]).send().await;
        assert_eq!(said(abort), ALLOWED);
        let left = || {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            files.filter(|name| name.to_string_lossy().contains(".upload")).count()
        };
        assert_eq!(left(), 0);
        let id = begin("state/other").await.unwrap();
        part("state/other", &id, 1, vec![b'a']).await;
        assert!(left() > 0);
        Storage::open(folder.path(), std::iter::empty()).unwrap();
        assert_eq!(left(), 0, "the next run removes what was left");
    }
}
