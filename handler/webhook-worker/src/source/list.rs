//! The list of a platform's jobs.

use contract::{
    backfill::{LARGEST_LIST, List, ListedJob},
    job::JobId,
};
use jiff::Timestamp;
use serde::Deserialize;

use super::job::Job;

/// Size limit of a list, in bytes: some 50,000 jobs, which are read within the memory of the function.
pub(super) const LARGEST: usize = 32 * 1024 * 1024;
/// Part of a list by which it is known, in bytes.
pub(super) const BEGINNING: usize = 1024;

/// The answer of the platform.
#[derive(Debug, Deserialize)]
struct Answer {
    jobs: Vec<Job>,
}

/// Returns whether an answer begins as a list of jobs does: with a JSON object that has the key `jobs`.
pub(super) fn is_list(beginning: &[u8]) -> bool {
    let text: String = String::from_utf8_lossy(beginning).chars().filter(|letter| !letter.is_whitespace()).collect();
    text.starts_with('{') && text.contains("\"jobs\":[")
}

/// Reads a list of jobs. Errors are predicates.
pub(super) fn read(answer: &[u8]) -> Result<Vec<Job>, String> {
    let Answer { jobs } =
        serde_json::from_slice(answer).map_err(|error| format!("the answer is not a list of jobs: {error}"))?;
    if jobs.iter().any(|job| job.state.is_empty()) {
        return Err("the list does not state the state of each job".to_owned());
    }
    Ok(jobs)
}

/// Selects the jobs that have an output, from that moment on and after that job, in the order of their ids.
pub(super) fn select(jobs: Vec<Job>, since: Option<Timestamp>, after: Option<&JobId>) -> List {
    let known = jobs.len();
    let mut strange = 0;
    let mut selected: Vec<ListedJob> = Vec::new();
    for job in jobs.into_iter().filter(|job| job.absent().is_none() && job.is_from(since)) {
        match JobId::read(job.id.as_deref().unwrap_or_default()) {
            Ok(id) => selected.push(ListedJob {
                id,
                file: job.output_filename,
                uploaded: job.upload_date,
                expires: job.expiration_date,
            }),
            Err(_) => strange += 1,
        }
    }
    selected.retain(|job| after.is_none_or(|after| job.id > *after));
    selected.sort_by(|one, other| one.id.cmp(&other.id));
    selected.dedup_by(|one, other| one.id == other.id);
    let more = selected.len() > LARGEST_LIST;
    selected.truncate(LARGEST_LIST);
    List { jobs: selected, known, strange, more }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ids(list: &List) -> Vec<&str> {
        list.jobs.iter().map(|job| job.id.as_str()).collect()
    }

    fn jobs(jobs: &serde_json::Value) -> Vec<Job> {
        read(json!({ "jobs": jobs }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn complete_jobs_with_an_output_are_listed_from_a_moment_on() {
        let told = json!([
            {"id": "c", "state": "COMPLETE", "upload_date": "2027-01-03T00:00:00Z", "output_filename": "a.csv"},
            {"id": "a", "state": "COMPLETE", "upload_date": "2027-01-01T00:00:00.000Z", "name": "unknown keys pass"},
            {"id": "b", "state": "COMPLETE"},
            {"id": "b", "state": "COMPLETE"},
            {"id": "x1", "state": "FAILED"},
            {"id": "x2", "state": "RUNNING"},
            {"id": "x3", "state": "COMPLETE", "expired": true},
            {"id": "x4", "state": "COMPLETE", "archived": true},
            {"id": "../x5", "state": "COMPLETE"},
            {"state": "COMPLETE"},
        ]);
        let list = select(jobs(&told), None, None);
        assert_eq!((ids(&list), list.known, list.strange, list.more), (vec!["a", "b", "c"], 10, 2, false));
        assert_eq!((list.jobs[0].file.as_deref(), list.jobs[2].file.as_deref()), (None, Some("a.csv")));
        let since = Some("2027-01-02T00:00:00Z".parse().unwrap());
        assert_eq!(ids(&select(jobs(&told), since, None)), ["b", "c"]);
        let after = JobId::read("a").unwrap();
        assert_eq!(ids(&select(jobs(&told), None, Some(&after))), ["b", "c"]);
    }

    #[test]
    fn a_long_list_comes_in_parts() {
        let all: Vec<_> =
            (0..=LARGEST_LIST).map(|number| json!({"id": format!("{number:06}"), "state": "COMPLETE"})).collect();
        let first = select(jobs(&json!(all)), None, None);
        assert!(first.more && first.jobs.len() == LARGEST_LIST);
        let rest = select(jobs(&json!(all)), None, first.jobs.last().map(|job| &job.id));
        assert_eq!((ids(&rest), rest.more), (vec![format!("{LARGEST_LIST:06}").as_str()], false));
    }

    #[test]
    fn what_is_no_list_is_not_taken_for_an_empty_one() {
        for other in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"jobs": 3}"#,
            r#"{"jobs": [{"id": "a"}]}"#,
            r#"{"error": {"message": "no"}}"#,
        ] {
            assert!(read(other.as_bytes()).is_err(), "{other}");
        }
        assert!(is_list(b"{\"jobs\":[]}") && is_list(b" {\n  \"count\": 2, \"jobs\" : [{"));
        for other in ["", "{", "<html>", "[]", "{}", r#"{"error": {}}"#, r#"{"job": {}}"#] {
            assert!(!is_list(other.as_bytes()), "{other}");
        }
    }
}
