//! Measures the time from the start of the function's process to its first answer, and its memory.
//!
//! `cargo bench -p maintenance --profile lambda --bench cold_start` prints the medians, and the memory after every mail of
//! `tests/mails` and of the corpus, if it is there. The budget is 10 ms, and 32 MB for every mail of the corpus.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may fail, and prints what it measures")]

#[path = "../tests/all/cloud.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod cloud;
#[path = "../tests/all/tls.rs"]
mod tls;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cloud::{Cloud, Running};
use tls::Tls;

const PROGRAM: &str = env!("CARGO_BIN_EXE_maintenance");
const RUNS: usize = 20;

fn main() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mail = fs::read(repository.join("tests/mails/aws/planned.eml")).unwrap();
    let corpus =
        std::env::var_os("MAINTENANCE_CORPUS").map_or_else(|| repository.join("../shared/corpus"), PathBuf::from);
    println!("program: {:.1} MB", megabytes(fs::metadata(PROGRAM).unwrap().len()));

    let plain = (0..RUNS).map(|_| first_answer(&mail, None)).collect();
    println!("first answer, a mail delivered, S3 without TLS: {}", medians(plain));
    match Tls::start() {
        Some(tls) => {
            tls.object("mail/inbound/m", &mail);
            let runs = (0..RUNS).map(|_| first_answer(&mail, Some(&tls))).collect();
            println!("first answer, a mail delivered, S3 with TLS: {}", medians(runs));
        }
        None => println!("not run: S3 with TLS, for want of openssl"),
    }
    for folder in [repository.join("tests/mails"), corpus] {
        println!("{}", all_of(&folder));
    }
}

/// Returns the time to the first answer, which includes reading and delivering a mail, and the memory at that moment.
fn first_answer(mail: &[u8], tls: Option<&Tls>) -> (Duration, u64) {
    let cloud = Cloud::start();
    cloud.answer("mail/inbound/m", 200, mail);
    let mut command = cloud.function(PROGRAM);
    if let Some(tls) = tls {
        command.envs([("AWS_ENDPOINT_URL_S3", tls.endpoint()), ("SSL_CERT_FILE", tls.bundle())]);
    }
    cloud.prepare("request", &event("m"));
    let started = Instant::now();
    let function = Running::start(command);
    let said = cloud.wait_for("request");
    let elapsed = started.elapsed();
    assert!(said.path.ends_with("/response"), "{said:?}");
    (elapsed, function.peak_memory())
}

/// Sends every mail below a folder through one process; returns its peak memory.
fn all_of(folder: &Path) -> String {
    let mut mails = Vec::new();
    find(folder, &mut mails);
    if mails.is_empty() {
        return format!("not run: no mails in {}", folder.display());
    }
    let cloud = Cloud::start();
    let function = Running::start(cloud.function(PROGRAM));
    let started = Instant::now();
    for (number, path) in mails.iter().enumerate() {
        let id = format!("m{number}x");
        cloud.answer(&format!("mail/inbound/{id}"), 200, &fs::read(path).unwrap());
        cloud.invoke(&id, &event(&id));
    }
    let each = started.elapsed() / u32::try_from(mails.len()).unwrap();
    let peak = megabytes(function.peak_memory());
    format!("{} mails of {}: {peak:.1} MB at most, {each:.1?} each", mails.len(), folder.display())
}

fn find(folder: &Path, mails: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, mails);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            mails.push(path);
        }
    }
}

fn event(id: &str) -> String {
    let passed = r#"{"status":"PASS"}"#;
    format!(
        r#"{{"Records":[{{"eventSource":"aws:ses","ses":{{"mail":{{"messageId":"{id}"}},"receipt":{{"spamVerdict":{passed},
        "virusVerdict":{passed},"spfVerdict":{passed},"dkimVerdict":{passed},"dmarcVerdict":{passed}}}}}}}]}}"#
    )
}

fn medians(runs: Vec<(Duration, u64)>) -> String {
    let (mut times, mut memory): (Vec<_>, Vec<_>) = runs.into_iter().unzip();
    times.sort_unstable();
    memory.sort_unstable();
    let (least, most) = (times.first().unwrap(), times.last().unwrap());
    let (time, memory) = (times.get(RUNS / 2).unwrap(), megabytes(*memory.get(RUNS / 2).unwrap()));
    format!("{time:.1?} ({least:.1?} to {most:.1?}), {memory:.1} MB")
}

#[expect(clippy::cast_precision_loss, reason = "to one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
