//! Outputs become objects: whole, once, with what is known of them.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use crate::{
    bucket::hex,
    platform::{Job, Odd, Output},
    runtime_api::{Ended, Instance},
    trial::{ID, TIME, Trial, environment, event, failed, job},
};

const KEY: &str = "labels/016f6063-51a1-4948-a827-ce4c31ec53ed.json";

#[test]
fn an_output_is_stored_as_it_is_with_what_is_known_of_it() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"{\"a\": 1}\n"));
    assert!(trial.take());
    let object = trial.bucket.object(KEY).unwrap();
    assert_eq!(object.bytes, b"{\"a\": 1}\n");
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-amz-meta-job-id", ID),
        ("x-amz-meta-event", "job_complete"),
        ("x-amz-meta-length", "9"),
        ("x-amz-meta-source-etag", "\"source-1\""),
    ] {
        assert_eq!(object.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(object.headers["x-amz-meta-downloaded"].starts_with("20"));
    let seen = trial.platform.seen();
    let asked: Vec<_> = seen.iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(asked, [format!("GET /v1/jobs/{ID}"), format!("GET /v1/jobs/{ID}/output")], "the state comes first");
    let lines = trial.stop();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(
        (&line["report"], &line["item"], &line["class"], &line["outcome"]),
        (&json!("item"), &json!(ID), &json!("done"), &json!("stored"))
    );
    assert_eq!(
        (&line["Stored"], &line["Retry"], &line["ForPerson"], &line["Bytes"]),
        (&json!(1), &json!(0), &json!(0), &json!(9))
    );
    let details = &line["details"];
    assert_eq!(
        (&details["job"], &details["event"], &details["message"]),
        (&json!(ID), &json!("job_complete"), &json!("Job complete"))
    );
    assert_eq!(line["facts"][0], json!(["object", format!("s3://outputs/{KEY}")]));
    assert!(line["duration_ms"].as_f64().unwrap() > 0.0 && line["_aws"].to_string().contains("\"Unit\":\"Bytes\""));
}

#[test]
fn a_job_that_comes_again_is_not_fetched_again() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"{}"));
    assert!(trial.hand_over(&[job(ID), job(ID)], TIME).is_empty() && trial.take());
    let output = format!("/v1/jobs/{ID}/output");
    assert_eq!((trial.platform.count("GET", &output), trial.bucket.keys().len()), (1, 1));
    // An output that is stored stays stored when the platform's has expired or is gone.
    trial.platform.add(ID, Job::complete(b"").with("expired", true));
    assert!(trial.take());
    let stopped = trial.bucket.keys();
    assert_eq!(stopped, [KEY]);
    let classes: Vec<_> = trial.stop().iter().map(|line| line["class"].as_str().unwrap().to_owned()).collect();
    assert_eq!(classes, ["done", "ignored", "ignored", "ignored"]);
}

#[test]
fn name_and_type_follow_from_the_file_of_the_job() {
    let mut trial = Trial::start(&[]);
    let cases = [
        (Some("clip.MP4"), "mp4", "video/mp4"),
        (Some("table.csv"), "csv", "text/csv"),
        (Some("../../../etc/passwd"), "bin", "application/octet-stream"),
        (Some("a.js/../on"), "bin", "application/octet-stream"),
        (Some("a.%2e%2e"), "bin", "application/octet-stream"),
        (None, "json", "application/json"),
    ];
    for (index, (file, extension, media_type)) in cases.into_iter().enumerate() {
        let id = format!("00000000-0000-0000-0000-00000000000{index}");
        trial.platform.add(&id, Job::complete(b"x").with("output_filename", file));
        assert!(trial.hand_over(&[job(&id)], TIME).is_empty());
        let object = trial.bucket.object(&format!("labels/{id}.{extension}")).unwrap();
        assert_eq!(object.headers["content-type"], media_type, "{file:?}");
    }
}

#[test]
fn an_output_of_any_size_is_whole() {
    const PART: usize = 8 * 1024 * 1024;
    let mut trial = Trial::start(&[]);
    for (index, size) in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12345].into_iter().enumerate() {
        for in_pieces in [false, true] {
            let id = format!("size-{index}-{in_pieces}");
            let bytes: Vec<u8> = (0..size).map(|at| u8::try_from((at * 7 + at / 251) % 256).unwrap()).collect();
            let digest = hex(&bytes);
            let odd = if in_pieces { vec![Odd::InPieces] } else { Vec::new() };
            trial.platform.add(&id, Job::complete(&bytes).odd(&odd));
            assert!(trial.hand_over(&[job(&id)], TIME).is_empty(), "{id}");
            let object = trial.bucket.object(&format!("labels/{id}.json")).unwrap();
            assert_eq!((object.size, object.digest()), (size as u64, digest), "{id}");
            assert_eq!(object.headers.contains_key("x-amz-meta-length"), !in_pieces);
        }
    }
    assert_eq!(trial.bucket.uploads(), (0, 8));
}

#[test]
fn two_workers_at_once_make_one_object() {
    let mut trial = Trial::start(&[]);
    let bytes = vec![7; 9 * 1024 * 1024];
    trial.platform.add(ID, Job::complete(&bytes));
    // Another worker stores the object while this one fetches it: just before the answer goes out.
    let bucket = trial.bucket.clone();
    trial.platform.watch(move |_| bucket.put(KEY, &[("x-amz-meta-job-id", ID)], b"of the other worker"));
    assert!(trial.take());
    assert_eq!(trial.bucket.object(KEY).unwrap().bytes, b"of the other worker");
    assert_eq!(trial.bucket.uploads().0, 0, "what was sent is freed");
    // The same with a small output.
    let id = "small";
    trial.platform.add(id, Job::complete(b"{}"));
    let bucket = trial.bucket.clone();
    trial.platform.watch(move |_| bucket.put("labels/small.json", &[("x-amz-meta-job-id", "small")], b"first"));
    assert!(trial.hand_over(&[job(id)], TIME).is_empty());
    assert_eq!(trial.bucket.object("labels/small.json").unwrap().bytes, b"first");
    let classes: Vec<_> = trial.stop().iter().map(|line| line["class"].as_str().unwrap().to_owned()).collect();
    assert_eq!(classes, ["ignored", "ignored"]);
}

#[test]
fn an_object_of_somebody_else_is_not_written_over() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"{}"));
    for headers in
        [&[][..], &[("x-amz-meta-job-id", "another")], &[("x-amz-meta-job-id", ID), ("x-amz-meta-length", "1000")]]
    {
        trial.bucket.put(KEY, headers, b"theirs");
        assert!(!trial.take(), "{headers:?}");
        assert_eq!(trial.bucket.object(KEY).unwrap().bytes, b"theirs");
    }
    let output = format!("/v1/jobs/{ID}/output");
    assert_eq!(trial.platform.count("GET", &output), 0);
}

#[test]
fn faults_of_the_bucket_are_tried_again_and_leave_nothing_half_done() {
    let (small, large) = (b"{}".to_vec(), vec![3; 17 * 1024 * 1024]);
    for (operation, output) in [
        ("HeadObject", &small),
        ("PutObject", &small),
        ("CreateMultipartUpload", &large),
        ("UploadPart", &large),
        ("CompleteMultipartUpload", &large),
    ] {
        // Three faults in sequence end the call; the second attempt of the invocation has none.
        for (status, times) in [(500, 1), (503, 3), (400, 1)] {
            let mut trial = Trial::start(&[]);
            trial.platform.add(ID, Job::complete(output));
            trial.bucket.fail(operation, status, times);
            assert!(trial.take(), "{operation} {status}");
            assert_eq!(trial.bucket.object(KEY).unwrap().digest(), hex(output), "{operation} {status}");
            assert_eq!(trial.bucket.uploads().0, 0, "{operation} {status}: an upload is left");
        }
        // The call is done, and its answer is lost.
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(output));
        trial.bucket.lose(operation, 1);
        assert!(trial.take(), "{operation}: lost");
        assert_eq!(trial.bucket.object(KEY).unwrap().digest(), hex(output));
        let left = usize::from(operation == "CreateMultipartUpload");
        assert_eq!(
            trial.bucket.uploads().0,
            left,
            "{operation}: only one that nobody knows is left to the lifecycle rule"
        );
    }
}

#[test]
fn an_output_is_not_fetched_again_and_again_for_a_bucket_that_refuses() {
    for (operation, size) in
        [("PutObject", 2), ("CreateMultipartUpload", 9), ("UploadPart", 9), ("CompleteMultipartUpload", 9)]
    {
        let mut trial = Trial::start(&[]);
        trial.platform.add(ID, Job::complete(&vec![3; size * 1024 * 1024]));
        trial.bucket.fail(operation, 403, 100);
        assert!(!trial.take(), "{operation}");
        let fetched = trial.platform.count("GET", &format!("/v1/jobs/{ID}/output"));
        assert_eq!((fetched, trial.bucket.uploads().0, trial.bucket.keys().len()), (1, 0, 0), "{operation}");
    }
}

#[test]
fn an_upload_that_cannot_end_is_aborted_before_the_time_is_up() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job { output: Output::Bytes(Arc::new(vec![1; 20 * 1024 * 1024])), ..Job::complete(b"") });
    trial.bucket.fail("UploadPart", 0, 100);
    let failed = trial.hand_over(&[job(ID), job("another")], Duration::from_secs(4));
    assert_eq!(failed, ["m-0", "m-1"], "the second is not begun");
    assert_eq!((trial.bucket.uploads(), trial.bucket.calls("AbortMultipartUpload")), ((0, 1), 1));
    assert_eq!(trial.bucket.keys(), Vec::<String>::new());
}

#[test]
fn a_transform_is_applied_where_it_is_chosen() {
    let labels = br#"{"attrs": {"attrs": []}, "frames": {"1": {"frame_number": 1}}}"#;
    let mut trial = Trial::start(&[("TRANSFORM", "video-quality")]);
    trial.platform.add(ID, Job::complete(labels));
    trial.platform.add("wrong", Job::complete(b"not json"));
    trial.platform.add("large", Job { output: Output::Zeros(17 * 1024 * 1024), ..Job::complete(b"") });
    trial.platform.add("pieces", Job::complete(&vec![b' '; 17 * 1024 * 1024]).odd(&[Odd::InPieces]));
    assert!(trial.hand_over(&[job(ID), job("wrong"), job("large"), job("pieces")], TIME).is_empty());
    let object = trial.bucket.object(KEY).unwrap();
    let quality = json!({"type": "eta.core.data.CategoricalAttribute", "name": "Video-Quality", "value": "Amazing"});
    let made: serde_json::Value = serde_json::from_slice(&object.bytes).unwrap();
    assert_eq!(made, json!({"attrs": {"attrs": [quality]}, "frames": {}}));
    assert_eq!(object.headers["x-amz-meta-length"], object.size.to_string());
    assert_eq!(
        trial.bucket.keys(),
        [KEY, "labels/failed/large.json", "labels/failed/pieces.json", "labels/failed/wrong.json"]
    );
    let outcomes: Vec<_> = trial.stop().iter().map(|line| line["class"].as_str().unwrap().to_owned()).collect();
    assert_eq!(outcomes, ["done", "for_person", "for_person", "for_person"]);
}

#[test]
fn a_start_without_what_it_needs_says_so() {
    let trial = Trial::start(&[]);
    for (changes, words) in [
        (&[("PLATFORM_TOKEN", "")][..], "`PLATFORM_TOKEN` is missing"),
        (&[("SOURCE", "url")], "`URL_TEMPLATE` is missing"),
        (&[("HOSTS", "169.254.169.254")], "`HOSTS`"),
        (&[("PROVISION_CONTEXT", r#"{"stack":"s","function":"f"}"#)], "names no place to write to"),
        // Nothing that a declaration can set opens this machine to the function.
        (
            &[
                ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/28/[$LATEST]0"),
                ("SOURCE", "url"),
                ("URL_TEMPLATE", "http://127.0.0.1:9/{id}"),
            ],
            "`URL_TEMPLATE`",
        ),
    ] {
        let mut instance = Instance::start(&environment(&trial.platform, &trial.bucket, changes));
        let error = instance.start_error();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_message_that_is_no_job_goes_to_the_dead_letters() {
    let mut trial = Trial::start(&[]);
    trial.platform.add(ID, Job::complete(b"{}"));
    let bodies = [
        "not json".to_owned(),
        "[]".to_owned(),
        json!({"id": 7, "event": "job_complete"}).to_string(),
        json!({"id": "../../v1/data/list?x=", "event": "job_complete"}).to_string(),
        json!({"id": "%2e%2e", "event": "job_complete"}).to_string(),
        json!({"id": "", "event": "job_complete"}).to_string(),
        json!({"event": "job_complete"}).to_string(),
        job(ID),
    ];
    let ended = trial.instance.invoke(TIME, &event(&bodies));
    assert_eq!(failed(&ended), ["m-0", "m-1", "m-2", "m-3", "m-4", "m-5", "m-6"]);
    assert!(
        trial.platform.seen().iter().all(|seen| seen.path.starts_with(&format!("/v1/jobs/{ID}"))),
        "nothing else was asked for"
    );
    let Ended::Error(_) = trial.instance.invoke(TIME, &json!({"odd": 1})) else { panic!("another event is an error") };
    let lines = trial.stop();
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "not a job" && line["Retry"] == 1).count(), 7);
}
