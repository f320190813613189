//! The questions of `provision backfill`: which jobs are complete, and which have no output yet. Nothing is stored for that.

use serde_json::{Value, json};

use crate::{
    platform::{Job, KEY, Odd, Platform},
    runtime_api::Ended,
    trial::{TIME, Trial, job},
};

fn ask(trial: &mut Trial, question: &Value) -> Value {
    match trial.instance.invoke(TIME, &json!({ "provision": question })) {
        Ended::Answer(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn refused(trial: &mut Trial, question: &Value) -> String {
    match trial.instance.invoke(TIME, &json!({ "provision": question })) {
        Ended::Error(error) => error,
        other => panic!("{other:?}"),
    }
}

fn fill(platform: &Platform) {
    let of = |file: &str, date: &str| Job::complete(b"{}").with("output_filename", file).with("upload_date", date);
    platform.add("a", of("a.csv", "2027-01-01T00:00:00Z"));
    platform.add("b", of("b.json", "2027-01-02T00:00:00Z"));
    platform.add("c", of("c.json", "2027-01-03T00:00:00Z").with("state", "FAILED"));
    platform.add("d", of("d.json", "2027-01-04T00:00:00Z").with("expired", true));
}

#[test]
fn complete_jobs_are_listed_and_those_without_an_output_are_found() {
    let mut trial = Trial::start(&[]);
    fill(&trial.platform);
    let list = ask(&mut trial, &json!({"backfill": "list"}));
    let jobs = list["jobs"].as_array().unwrap().clone();
    assert_eq!((jobs.len(), &list["known"], &list["more"]), (2, &json!(4), &json!(false)), "{list}");
    assert_eq!((&jobs[0]["id"], &jobs[0]["file"]), (&json!("a"), &json!("a.csv")), "{list}");
    let later = ask(&mut trial, &json!({"backfill": "list", "since": "2027-01-02T00:00:00Z"}));
    assert_eq!(later["jobs"].as_array().unwrap().len(), 1, "{later}");
    let rest = ask(&mut trial, &json!({"backfill": "list", "after": "a"}));
    assert_eq!(rest["jobs"][0]["id"], "b", "{rest}");

    let look = json!({"backfill": "look", "jobs": jobs});
    let found = ask(&mut trial, &look);
    assert_eq!(found, json!({"found": {"a": {"state": "missing"}, "b": {"state": "missing"}}}));
    let outputs = trial.platform.seen().iter().filter(|seen| seen.path.ends_with("/output")).count();
    assert_eq!((trial.bucket.keys().len(), outputs), (0, 0));

    assert!(trial.hand_over(&[job("a")], TIME).is_empty());
    trial.platform.add("b", Job::complete(b"").with("state", "FAILED"));
    assert!(trial.hand_over(&[job("b")], TIME).is_empty());
    let found = ask(&mut trial, &look)["found"].clone();
    assert_eq!(found["a"], json!({"state": "stored", "key": "labels/a.csv"}), "{found}");
    let record = found["b"]["record"].as_str().unwrap().to_owned();
    assert!(!record.is_empty(), "{found}");
    // A record that is made again has another mark, by which a backfill knows that the job was taken.
    assert!(trial.hand_over(&[job("b")], TIME).is_empty());
    assert_ne!(ask(&mut trial, &look)["found"]["b"]["record"], record);
    // A list that does not tell the files costs a question for each job.
    let jobs = json!([{"id": "a"}]);
    let found = ask(&mut trial, &json!({"backfill": "look", "jobs": jobs}));
    assert_eq!(found["found"]["a"]["key"], "labels/a.csv", "{found}");
    trial.stop();
}

#[test]
fn an_answer_that_is_no_list_is_an_error_and_so_is_a_source_without_one() {
    let mut trial = Trial::start(&[]);
    for (odd, says) in [
        (Odd::Status(404, String::new()), "404"),
        (Odd::Status(500, String::new()), "500"),
        (Odd::Text("<html>sign in</html>".to_owned()), "not a list of jobs"),
        (Odd::Text(r#"{"jobs": [{"id": "a"}]}"#.to_owned()), "state of each job"),
    ] {
        trial.platform.list_oddly(odd);
        let error = refused(&mut trial, &json!({"backfill": "list"}));
        assert!(error.contains(says) && !error.contains(KEY), "{error}");
    }
    for other in [json!({"backfill": "delete"}), json!({"backfill": "look", "jobs": [{"id": "../a"}]}), json!("probed")]
    {
        refused(&mut trial, &other);
    }
    let many: Vec<_> = (0..201).map(|number| json!({"id": format!("j{number}")})).collect();
    let error = refused(&mut trial, &json!({"backfill": "look", "jobs": many}));
    assert!(error.contains("200 jobs at most"), "{error}");
    assert!(trial.bucket.keys().is_empty());
    trial.stop();
    let mut trial = Trial::with_addresses(&[]);
    let error = refused(&mut trial, &json!({"backfill": "list"}));
    assert!(error.contains("nothing lists its jobs"), "{error}");
}
