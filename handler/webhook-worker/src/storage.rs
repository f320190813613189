//! Stores outputs: `PREFIX ID.EXTENSION`, whole or not at all, and never over another object.

use std::time::Duration;

use contract::{
    backfill::Found,
    context::Place,
    job::{Job, JobId},
};
use jiff::Timestamp;
use runtime::{
    Deadline, S3,
    outside::Streamed,
    store::StoreError,
    upload::{NewObject, NotWritten, PART, Upload},
};
use serde_json::json;

use crate::{
    name::Form,
    source::Failure,
    transform::{LARGEST, Transform},
};

/// Metadata: id of the job.
const JOB: &str = "x-amz-meta-job-id";
/// Metadata: length of the object in bytes, as it was known before it was stored.
const LENGTH: &str = "x-amz-meta-length";
/// Length limit of a value of the metadata, in characters.
const LONGEST_VALUE: usize = 200;

/// An output in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Key of the object.
    pub key: String,
    /// Size of the object, in bytes.
    pub bytes: u64,
    /// `true` if it was stored before.
    pub is_old: bool,
}

/// A stream that is read in parts of one size.
struct Parts {
    stream: Streamed,
    /// Bytes that were read and belong to the next part.
    rest: Vec<u8>,
    bytes: u64,
}

impl Parts {
    fn of(stream: Streamed) -> Self {
        Self { stream, rest: Vec::new(), bytes: 0 }
    }

    /// Returns the next part: [`PART`] bytes, or fewer at the end of the stream.
    async fn next(&mut self) -> Result<Vec<u8>, Failure> {
        let announced = self.stream.length().map_or(PART, |length| usize::try_from(length).unwrap_or(PART));
        let mut part = Vec::with_capacity(announced.min(PART));
        part.append(&mut self.rest);
        while part.len() < PART {
            let Some(chunk) = self.stream.chunk().await? else { break };
            let (taken, rest) = chunk.split_at(chunk.len().min(PART - part.len()));
            part.extend_from_slice(taken);
            self.rest.extend_from_slice(rest);
        }
        self.bytes += part.len() as u64;
        Ok(part)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Trouble { reason: error.to_string(), wait: None }
    }
}

impl From<NotWritten> for Failure {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Unavailable(reason) => Self::Trouble { reason, wait: None },
            NotWritten::Refused(reason) => Self::Later(reason),
        }
    }
}

/// Returns the key of a job's output.
pub fn key(place: &Place, id: &JobId, form: &Form) -> String {
    format!("{}{id}.{}", place.prefix, form.extension)
}

/// Returns the key of the record that there is no output of a job.
fn record_key(place: &Place, id: &JobId) -> String {
    format!("{}failed/{id}.json", place.prefix)
}

/// Returns the output of a job if it is stored already. An object under its key that is not its output is left alone, and an error.
pub async fn find(store: &S3, place: &Place, id: &JobId, form: &Form) -> Result<Option<Stored>, Failure> {
    let key = key(place, id, form);
    let Some(found) = store.describe(&place.bucket, &key).await? else { return Ok(None) };
    let is_of_job = found.metadata.get("job-id").is_some_and(|of| of == id.as_str());
    let is_whole = found.metadata.get("length").is_none_or(|length| *length == found.size.to_string());
    if is_of_job && is_whole {
        return Ok(Some(Stored { key, bytes: found.size, is_old: true }));
    }
    Err(Failure::Later(format!("s3://{}/{key} is another object, which is not written over", place.bucket)))
}

/// Looks for the output of a job, and for the record that there is none.
pub async fn look(store: &S3, place: &Place, id: &JobId, form: &Form) -> Result<Found, Failure> {
    match find(store, place, id, form).await {
        Ok(Some(stored)) => Ok(Found::Stored { key: stored.key }),
        Ok(None) => {
            let record = store.describe(&place.bucket, &record_key(place, id)).await?;
            Ok(Found::Missing { record: record.map(|record| record.etag.unwrap_or_default()) })
        }
        Err(Failure::Later(reason)) => Ok(Found::Blocked { reason }),
        Err(failure) => Err(failure),
    }
}

/// Stores the output of a job; an output that another worker has stored meanwhile is the same one.
pub async fn store(
    store: &S3,
    place: &Place,
    job: &Job,
    form: &Form,
    stream: Streamed,
    transform: Option<&dyn Transform>,
    deadline: Deadline,
) -> Result<Stored, Failure> {
    if !stream.tells_its_end() {
        return Err(Failure::Later(format!(
            "{stream}: the server states neither a length nor pieces, so that an output that is cut short would look whole"
        )));
    }
    let mut object = new_object(place, job, form, &stream);
    let (is_new, bytes) = match transform {
        None => {
            let length = stream.length().map(|length| (LENGTH, length.to_string()));
            object.headers.extend(length);
            copy(store, &object, stream, deadline).await?
        }
        Some(transform) => {
            let output = transformed(stream, transform).await?;
            object.headers.push((LENGTH, output.len().to_string()));
            let bytes = output.len() as u64;
            (store.put_new(&object, output.into()).await?, bytes)
        }
    };
    if is_new {
        return Ok(Stored { key: object.key, bytes, is_old: false });
    }
    // Another worker was quicker, or the answer to an earlier attempt of the same call was lost.
    let found = find(store, place, &job.id, form).await?;
    found.ok_or_else(|| Failure::Later(format!("s3://{}/{} exists and cannot be read", place.bucket, object.key)))
}

async fn transformed(stream: Streamed, transform: &dyn Transform) -> Result<Vec<u8>, Failure> {
    let coded = stream.header("content-encoding").is_some_and(|coding| coding != "identity");
    if coded {
        return Err(Failure::Never("the output is compressed, which the transform does not take".to_owned()));
    }
    if let Some(length) = stream.length().filter(|length| *length > LARGEST as u64) {
        return Err(Failure::Never(format!("the output has {length} bytes, the transform takes {LARGEST} at most")));
    }
    let output = stream.whole(LARGEST).await.map_err(|error| match error {
        runtime::outside::NoAnswer::TooLarge(_) => {
            Failure::Never(format!("the output has more than the {LARGEST} bytes that the transform takes"))
        }
        error => error.into(),
    })?;
    transform.apply(&output).map_err(Failure::Never)
}

fn new_object(place: &Place, job: &Job, form: &Form, stream: &Streamed) -> NewObject {
    let mut headers = vec![
        ("content-type", form.media_type_or(stream.header("content-type"))),
        (JOB, job.id.to_string()),
        ("x-amz-meta-event", printable(&job.event)),
        ("x-amz-meta-downloaded", Timestamp::now().to_string()),
    ];
    let coding = stream.header("content-encoding").filter(|coding| *coding != "identity");
    headers.extend(coding.map(|coding| ("content-encoding", printable(coding))));
    headers.extend(stream.header("etag").map(|tag| ("x-amz-meta-source-etag", printable(tag))));
    NewObject { bucket: place.bucket.clone(), key: key(place, &job.id, form), headers }
}

/// Returns a text as metadata takes it: printable ASCII without blanks at its ends, of limited length.
fn printable(text: &str) -> String {
    let letters =
        text.trim().chars().map(|letter| if letter == ' ' || letter.is_ascii_graphic() { letter } else { '?' });
    letters.take(LONGEST_VALUE).collect::<String>().trim().to_owned()
}

/// Copies a stream to an object; returns whether the object is new, and its size. One part is sent while the next one is read.
async fn copy(store: &S3, object: &NewObject, stream: Streamed, deadline: Deadline) -> Result<(bool, u64), Failure> {
    let mut parts = Parts::of(stream);
    let first = parts.next().await?;
    if first.len() < PART {
        return Ok((store.put_new(object, first.into()).await?, parts.bytes));
    }
    let mut upload = store.begin_upload(object).await?;
    let ended = match tokio::time::timeout(deadline.left(), send_all(&mut upload, &mut parts, first)).await {
        Ok(ended) => ended,
        Err(_) => Err(Failure::Trouble { reason: "the invocation's time is up".to_owned(), wait: None }),
    };
    if !matches!(ended, Ok(true))
        && let Err(error) = upload.abort().await
    {
        // The bucket's lifecycle rule frees what is left.
        tracing::warn!(key = object.key, reason = %error, "an upload that failed could not be aborted");
    }
    Ok((ended?, parts.bytes))
}

async fn send_all(upload: &mut Upload<'_>, parts: &mut Parts, first: Vec<u8>) -> Result<bool, Failure> {
    let mut part = first;
    while !part.is_empty() {
        let is_last = part.len() < PART;
        let (sent, next) =
            tokio::join!(upload.send(part.into()), async { if is_last { Ok(Vec::new()) } else { parts.next().await } });
        sent?;
        part = next?;
    }
    Ok(upload.complete().await?)
}

/// Records for a person that there will be no output of a job: `PREFIX failed/ID.json`. The last record stays.
pub async fn record(store: &S3, place: &Place, job: &Job, reason: &str) -> Result<String, Failure> {
    let record = json!({
        "job": job, "reason": reason, "recorded": Timestamp::now().to_string(),
    });
    let object = NewObject {
        bucket: place.bucket.clone(),
        key: record_key(place, &job.id),
        headers: vec![("content-type", "application/json".to_owned()), (JOB, job.id.to_string())],
    };
    store.put_over(&object, record.to_string().into()).await?;
    Ok(object.key)
}

/// Returns how long to wait before the next attempt, of which this many were made: longer each time, and at random.
pub fn pause(attempts: u32) -> Duration {
    Duration::from_millis(200 << attempts.min(6)).mul_f64(0.5 + fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_printable() {
        assert_eq!(printable(" \"a\" \r\nX: y\u{e9} "), "\"a\" ??X: y?");
        assert_eq!(printable(&"a".repeat(300)).len(), LONGEST_VALUE);
        assert!((0..40).all(|attempts| pause(attempts) < Duration::from_secs(20)));
    }
}
