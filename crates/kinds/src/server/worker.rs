//! The worker that a server runs, in its user data: one line of JSON, which a unit of the server reads at each start.
//!
//! The user data has the hash of the worker's zip, so that whoever can write to the bucket of artefacts alone chooses nothing of what
//! runs. EC2 takes other user data of a stopped instance alone.

use std::{collections::BTreeMap, sync::Arc};

use data_encoding::BASE64;

use super::{Settings, wire};
use crate::{Code, Kind, Session, ec2::write, places, s3::artifacts};
use aws::query::Call;
use engine::{Class, Failure};

/// Settings of a worker, as its server is told them: `function`, `code_sha256`, `bucket`, `key`, `owner`, `region`, `queue`, `log_group`, `context`, and
/// `environment.NAME` for each variable. Empty if there is none.
pub type Worker = BTreeMap<String, String>;

/// Beginning of the line of user data that tells the worker; JSON follows, an object of texts.
pub const WORKER: &str = "# provision worker ";
/// Largest user data that EC2 takes, in bytes before Base64 (its guide, "Run commands when you launch an EC2 instance with user data
/// input").
pub const MOST_USER_DATA: usize = 16 * 1024;

const CONTEXT: &str = "context";

/// Returns a script with a worker, behind its first line, which says what the script is.
pub fn user_data(script: &str, worker: &Worker) -> String {
    if worker.is_empty() {
        return script.to_owned();
    }
    let (first, rest) = script.split_once('\n').unwrap_or((script, ""));
    // `Serialize` fails only for maps whose keys are not strings.
    let told = serde_json::to_string(worker).unwrap_or_default();
    format!("{first}\n{WORKER}{told}\n{rest}")
}

/// Returns the worker that user data tells; empty if it tells none.
pub(super) fn told(user_data: Option<&str>) -> Worker {
    let line = user_data.and_then(|text| text.lines().find_map(|line| line.strip_prefix(WORKER)));
    let unreadable = |line: &str| Worker::from([("unreadable".to_owned(), line.to_owned())]);
    line.map(|line| serde_json::from_str(line).unwrap_or_else(|_| unreadable(line))).unwrap_or_default()
}

/// Returns a worker that was read, with what stands for them in place of what AWS chose.
pub(super) async fn without_places(session: &Session, mut worker: Worker) -> Result<Worker, Failure> {
    if let Some(context) = worker.get_mut(CONTEXT) {
        *context = places::without(session, context).await?;
    }
    Ok(worker)
}

/// Uploads the zip of the worker, and returns the user data with everything in it that AWS chose. Nothing is uploaded without a worker.
pub(super) async fn ready(session: &Session, desired: &Settings) -> Result<String, Failure> {
    let script = &desired.first_start.0;
    let mut worker = desired.worker.clone();
    if let Some(context) = worker.get_mut(CONTEXT) {
        *context = places::with(session, context).await?;
    }
    let user_data = user_data(script, &worker);
    if user_data.len() > MOST_USER_DATA {
        let words = format!(
            "its user data has {} bytes, and EC2 takes {MOST_USER_DATA}; shorten the function's `environment`",
            user_data.len()
        );
        return Err(Failure::found("ec2.ModifyInstanceAttribute", Class::Invalid, words));
    }
    if !worker.is_empty() {
        let told = |name: &str| worker.get(name).map(String::as_str).unwrap_or_default();
        let zip = zip(session, told("code_sha256"))?;
        artifacts::upload(session, told("bucket"), told("key"), zip).await?;
    }
    Ok(user_data)
}

fn zip<'session>(session: &'session Session, code_sha256: &str) -> Result<&'session Arc<[u8]>, Failure> {
    match session.code.get(code_sha256) {
        Some(Code::Zip(zip) | Code::Object { zip, .. }) => Ok(zip),
        None => {
            let words = format!("there is no zip with the SHA-256 `{code_sha256}`; build it first");
            Err(Failure::found("s3.PutObject", Class::Invalid, words))
        }
    }
}

/// Changes the worker of a server that is stopped. What fails for good leaves the server running as it was.
pub(super) async fn change(session: &Session, id: &str, desired: &Settings) -> Result<(), Failure> {
    let changed = async {
        let user_data = ready(session, desired).await?;
        let call = Call::new("ModifyInstanceAttribute").with("InstanceId", id);
        let call = call.with("UserData.Value", BASE64.encode(user_data.as_bytes()));
        write(session, Kind::Server, call).await
    };
    let Err(failure) = changed.await else { return Ok(()) };
    if wire::may_pass(&failure) {
        return Err(failure);
    }
    write(session, Kind::Server, Call::new("StartInstances").with("InstanceId.1", id)).await?;
    let message = format!("{}; the server runs with the worker of before again", failure.message);
    Err(Failure { class: Class::Other, message, ..failure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker() -> Worker {
        let values = [("function", "tracking"), ("environment.LINES", "a\nb \"c\" # d: '{e}'"), ("queue", "https://q")];
        values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn a_worker_is_read_as_it_was_written_and_leaves_the_script_as_it_is() {
        let script = "#cloud-config\n# provision prepares by: cloud-init\nruncmd: []\n";
        let text = user_data(script, &worker());
        assert!(text.starts_with("#cloud-config\n# provision worker {"), "{text}");
        assert_eq!(text.lines().count(), script.lines().count() + 1);
        assert_eq!(told(Some(&text)), worker());
        assert_eq!(wire::prepared(&text), wire::prepared(script));
        assert_eq!(user_data(script, &Worker::new()), script);
    }

    #[test]
    fn whatever_else_is_told_is_no_worker_or_another_one() {
        for none in
            [None, Some(""), Some("#!/bin/sh\n"), Some("x # provision worker {}\n"), Some("# provision worker {}")]
        {
            assert!(told(none).is_empty(), "{none:?}");
        }
        for other in
            ["# provision worker", "# provision worker {\"a\": 1}", "# provision worker [", "# provision worker \n"]
        {
            let is_prefix = other.starts_with(WORKER);
            assert_eq!(!told(Some(other)).is_empty(), is_prefix, "{other}");
        }
        let mut other = worker();
        other.insert("queue".to_owned(), "https://r".to_owned());
        assert_ne!(told(Some(&user_data("#cloud-config\n", &other))), worker());
    }
}
