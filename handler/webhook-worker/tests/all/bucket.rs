//! A bucket as S3 keeps it: conditions, checksums, uploads in parts. Parts lie in a file, so that large objects need no memory.

use std::{
    collections::BTreeMap,
    fs::File,
    os::unix::fs::FileExt,
    sync::{Arc, Mutex, MutexGuard},
};

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::server::{Request, answer, serve, stay_silent};

/// Least size of each part but the last, in bytes.
const LEAST_PART: u64 = 5 * 1024 * 1024;
/// Size that the function's parts have, in bytes.
const PART: u64 = 8 * 1024 * 1024;

/// An object, with its content in a file or in memory.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) size: u64,
    /// SHA-256 of the content, in hexadecimal digits; `None` of an object in parts, whose file is hashed by whoever asks.
    digest: Option<String>,
    file: Option<Arc<File>>,
    /// Content of a small object.
    pub(crate) bytes: Vec<u8>,
}

struct Upload {
    key: String,
    headers: BTreeMap<String, String>,
    file: Arc<File>,
    /// Size and checksum by number.
    parts: BTreeMap<u64, (u64, String)>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    /// Number of uploads that were begun, and of all calls by `METHOD kind`.
    begun: usize,
    calls: BTreeMap<String, usize>,
    /// Number of looks that found no object, by key.
    misses: BTreeMap<String, usize>,
    /// Faults to come: operation, status (0 for silence), and how often.
    faults: Vec<(String, u16, usize)>,
    /// Answers that are lost although the call was done.
    lost: Vec<(String, usize)>,
}

/// A local bucket that takes uploads in parts.
#[derive(Clone)]
pub(crate) struct Bucket {
    state: Arc<Mutex<State>>,
    folder: Arc<TempDir>,
    pub(crate) endpoint: String,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let (state, folder) = (Arc::<Mutex<State>>::default(), Arc::new(tempfile::tempdir().unwrap()));
        let mut bucket = Self { state, folder, endpoint: String::new() };
        let served = bucket.clone();
        let address = serve(Arc::new(move |request, stream| {
            let operation = operation(&request);
            let (fault, is_lost) = served.lock().begin(&operation);
            match fault {
                Some(0) => return stay_silent(stream),
                Some(status) => return answer(stream, status, "", &error("Odd")),
                None => {}
            }
            let (status, headers, body) = served.handle(&operation, &request);
            if is_lost {
                return None;
            }
            if request.method == "HEAD" {
                answer_head(stream, status, &headers)
            } else {
                answer(stream, status, &headers, &body)
            }
        }));
        bucket.endpoint = format!("http://{address}");
        bucket
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Answers an operation with a status, that many times; 0 is silence.
    pub(crate) fn fail(&self, operation: &str, status: u16, times: usize) {
        self.lock().faults.push((operation.to_owned(), status, times));
    }

    /// Does an operation and loses the answer, that many times.
    pub(crate) fn lose(&self, operation: &str, times: usize) {
        self.lock().lost.push((operation.to_owned(), times));
    }

    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.lock().calls.get(operation).copied().unwrap_or_default()
    }

    pub(crate) fn object(&self, key: &str) -> Option<Object> {
        self.lock().objects.get(key).cloned()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.lock().objects.keys().cloned().collect()
    }

    /// Returns how often somebody looked for an object while there was none.
    pub(crate) fn misses(&self, key: &str) -> usize {
        self.lock().misses.get(key).copied().unwrap_or_default()
    }

    /// Puts an object of somebody else.
    pub(crate) fn put(&self, key: &str, headers: &[(&str, &str)], bytes: &[u8]) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let object =
            Object { headers, size: bytes.len() as u64, digest: Some(hex(bytes)), file: None, bytes: bytes.to_vec() };
        self.lock().objects.insert(key.to_owned(), object);
    }

    /// Returns the number of uploads that are neither completed nor aborted, and of all that were begun.
    pub(crate) fn uploads(&self) -> (usize, usize) {
        let state = self.lock();
        (state.uploads.len(), state.begun)
    }

    fn handle(&self, operation: &str, request: &Request) -> (u16, String, Vec<u8>) {
        let key = request.path.trim_start_matches("/outputs/").to_owned();
        assert!(request.path.starts_with("/outputs/"), "{}", request.path);
        let is_signed =
            request.header("authorization").is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential="));
        assert!(is_signed, "an unsigned request");
        let digest = hex(&request.body);
        if request.header("x-amz-content-sha256") != Some(digest.as_str()) {
            return told(400, "XAmzContentSHA256Mismatch");
        }
        let is_checked = matches!(operation, "PutObject" | "UploadPart");
        if is_checked && request.header("x-amz-checksum-sha256") != Some(base64(&request.body).as_str()) {
            return told(400, "BadDigest");
        }
        match operation {
            "HeadObject" => self.head(&key),
            "PutObject" => self.put_object(key, request, digest),
            "CreateMultipartUpload" => self.create(key, request),
            "UploadPart" => self.part(request),
            "CompleteMultipartUpload" => self.complete(&key, request),
            "AbortMultipartUpload" => {
                let id = request.parameter("uploadId").unwrap();
                if self.lock().uploads.remove(id).is_some() {
                    (204, String::new(), Vec::new())
                } else {
                    told(404, "NoSuchUpload")
                }
            }
            other => panic!("{other} is not an operation of the function"),
        }
    }

    fn head(&self, key: &str) -> (u16, String, Vec<u8>) {
        let mut state = self.lock();
        let Some(object) = state.objects.get(key).cloned() else {
            *state.misses.entry(key.to_owned()).or_default() += 1;
            return (404, "Content-Length: 0\r\n".to_owned(), Vec::new());
        };
        drop(state);
        // What is written anew has another tag.
        let tag = object.digest.as_deref().unwrap_or("tag");
        let mut headers = format!("Content-Length: {}\r\nETag: \"{tag}\"\r\n", object.size);
        for (name, value) in object.headers.iter().filter(|(name, _)| name.starts_with("x-amz-meta-")) {
            headers += &[name.as_str(), ": ", value, "\r\n"].concat();
        }
        (200, headers, Vec::new())
    }

    fn put_object(&self, key: String, request: &Request, digest: String) -> (u16, String, Vec<u8>) {
        let mut state = self.lock();
        if request.header("if-none-match") == Some("*") && state.objects.contains_key(&key) {
            return told(412, "PreconditionFailed");
        }
        let (headers, bytes) = (request.headers.clone(), request.body.clone());
        let object = Object { headers, size: bytes.len() as u64, digest: Some(digest), file: None, bytes };
        state.objects.insert(key, object);
        (200, "ETag: \"tag\"\r\n".to_owned(), Vec::new())
    }

    fn create(&self, key: String, request: &Request) -> (u16, String, Vec<u8>) {
        assert_eq!(request.header("x-amz-checksum-algorithm"), Some("SHA256"));
        let mut state = self.lock();
        state.begun += 1;
        let id = format!("upload-{}", state.begun);
        let file =
            File::options().read(true).write(true).create(true).truncate(true).open(self.folder.path().join(&id));
        let upload =
            Upload { key, headers: request.headers.clone(), file: Arc::new(file.unwrap()), parts: BTreeMap::new() };
        state.uploads.insert(id.clone(), upload);
        let body = format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
        (200, String::new(), body.into_bytes())
    }

    fn part(&self, request: &Request) -> (u16, String, Vec<u8>) {
        let number: u64 = request.parameter("partNumber").unwrap().parse().unwrap();
        let id = request.parameter("uploadId").unwrap().to_owned();
        let Some(file) = self.lock().uploads.get(&id).map(|upload| Arc::clone(&upload.file)) else {
            return told(404, "NoSuchUpload");
        };
        file.write_all_at(&request.body, (number - 1) * PART).unwrap();
        let part = (request.body.len() as u64, base64(&request.body));
        if let Some(upload) = self.lock().uploads.get_mut(&id) {
            upload.parts.insert(number, part);
        }
        (200, format!("ETag: \"part-{number}\"\r\n"), Vec::new())
    }

    fn complete(&self, key: &str, request: &Request) -> (u16, String, Vec<u8>) {
        let id = request.parameter("uploadId").unwrap().to_owned();
        let mut state = self.lock();
        let is_there = state.objects.contains_key(key);
        let Some(upload) = state.uploads.get(&id) else { return told(404, "NoSuchUpload") };
        assert_eq!(upload.key, key);
        if request.header("if-none-match") == Some("*") && is_there {
            return told(412, "PreconditionFailed");
        }
        let part = |(number, (_, checksum)): (&u64, &(u64, String))| {
            format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;part-{number}&quot;</ETag>\
                 <ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
            )
        };
        let listed = upload.parts.iter().map(part).collect::<Vec<_>>().concat();
        let document = String::from_utf8(request.body.clone()).unwrap();
        let last = upload.parts.keys().last().copied().unwrap_or_default();
        let is_small = upload.parts.iter().any(|(number, (size, _))| *number != last && *size < LEAST_PART);
        let size: u64 = upload.parts.values().map(|(size, _)| size).sum();
        if !document.contains(&listed) || last != upload.parts.len() as u64 {
            return told(400, "InvalidPart");
        }
        if is_small || request.header("x-amz-mp-object-size") != Some(size.to_string().as_str()) {
            // S3 may answer 200 while it joins, and end with an error.
            return (200, String::new(), error("EntityTooSmall"));
        }
        let upload = state.uploads.remove(&id).unwrap();
        let object = Object { headers: upload.headers, size, digest: None, file: Some(upload.file), bytes: Vec::new() };
        state.objects.insert(upload.key, object);
        (200, String::new(), b"<CompleteMultipartUploadResult/>".to_vec())
    }
}

impl State {
    /// Counts a call; returns the fault that is its turn, and whether its answer is lost.
    fn begin(&mut self, operation: &str) -> (Option<u16>, bool) {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let fault = self.faults.iter_mut().find(|(of, _, times)| of == operation && *times > 0).map(|fault| {
            fault.2 -= 1;
            fault.1
        });
        let lost = self.lost.iter_mut().find(|(of, times)| of == operation && *times > 0);
        let is_lost = lost.is_some_and(|lost| {
            lost.1 -= 1;
            true
        });
        (fault, is_lost)
    }
}

impl Object {
    /// Returns the SHA-256 of the content, in hexadecimal digits.
    pub(crate) fn digest(&self) -> String {
        let Some(file) = &self.file else { return self.digest.clone().unwrap() };
        let (mut hasher, mut buffer, mut offset) = (Sha256::new(), vec![0; 1024 * 1024], 0);
        while offset < self.size {
            let read = file.read_at(&mut buffer, offset).unwrap();
            assert!(read > 0, "the file ends early");
            hasher.update(&buffer[..read]);
            offset += read as u64;
        }
        HEXLOWER.encode(&hasher.finalize())
    }
}

fn operation(request: &Request) -> String {
    let is = |name: &str| request.query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let operation = match request.method.as_str() {
        "HEAD" => "HeadObject",
        "POST" if is("uploads") => "CreateMultipartUpload",
        "POST" if is("uploadId") => "CompleteMultipartUpload",
        "PUT" if is("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "DELETE" if is("uploadId") => "AbortMultipartUpload",
        other => other,
    };
    operation.to_owned()
}

fn answer_head(stream: &std::net::TcpStream, status: u16, headers: &str) -> Option<()> {
    crate::server::write(stream, format!("HTTP/1.1 {status} Told\r\n{headers}\r\n").as_bytes())
}

fn error(code: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>As it is told</Message></Error>").into_bytes()
}

fn told(status: u16, code: &str) -> (u16, String, Vec<u8>) {
    (status, String::new(), error(code))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn base64(bytes: &[u8]) -> String {
    BASE64.encode(&Sha256::digest(bytes))
}
