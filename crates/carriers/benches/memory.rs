//! Peak resident memory of reading one mail, each in a process of its own: the corpus, a hostile 1 MB and 40 MB.
//!
//! `cargo bench -p carriers --bench memory`. Budgets: 32 MB for every mail of the corpus, 100 MB for
//! any mail of 1 MB, three times the size for 40 MB. Linux only: it reads `VmHWM` of `/proc/self/status`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark may fail, and prints its figures")]

mod mails;

use std::{
    env, fs,
    io::{Read, Write},
    process::{Command, Stdio},
    time::Instant,
};

use mail::Mail;

fn main() {
    if env::args().any(|argument| argument == "--one") {
        return read_one();
    }
    if env::args().any(|argument| argument == "--list") {
        return;
    }
    let corpus = mails::providers().iter().flat_map(|provider| mails::of(provider)).collect::<Vec<_>>();
    let worst = corpus.iter().map(|bytes| measure(bytes)).max_by_key(|measured| measured.peak).unwrap();
    println!(
        "{:<44} {:>7.1} MB {:>8.1} ms",
        format!("worst of {} real mails", corpus.len()),
        worst.peak_megabytes(),
        worst.milliseconds
    );
    for (name, bytes) in hostile() {
        let measured = measure(&bytes);
        println!("{name:<44} {:>7.1} MB {:>8.1} ms", measured.peak_megabytes(), measured.milliseconds);
    }
}

struct Measured {
    peak: u64,
    milliseconds: f64,
}

impl Measured {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    fn peak_megabytes(&self) -> f64 {
        self.peak as f64 / 1024.0
    }
}

/// Reads a mail from standard input and prints peak memory (KiB) and time (ms).
fn read_one() {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap();
    let start = Instant::now();
    let outcome = carriers::parse(&Mail::decode(&bytes));
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    drop(outcome);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{} {milliseconds}", peak.trim().trim_end_matches(" kB"));
}

fn measure(bytes: &[u8]) -> Measured {
    let mut child = Command::new(env::current_exe().unwrap())
        .arg("--one")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "reading a mail ended with {}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let (peak, milliseconds) = text.trim().split_once(' ').unwrap();
    Measured { peak: peak.parse().unwrap(), milliseconds: milliseconds.parse().unwrap() }
}

/// Mails that try to exhaust a parser. They come from a known sender, so that they are read to the end.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    const MEGABYTE: usize = 1024 * 1024;
    let from = "From: mr@zayo.com\r\nSubject: Planned maintenance\r\nDate: Tue, 5 Jan 2027 10:15:28 +0000\r\nMIME-Version: 1.0\r\n";
    let html = |body: String| format!("{from}Content-Type: text/html; charset=utf-8\r\n\r\n{body}").into_bytes();
    let times = |text: &str, size: usize| text.repeat(size / text.len());
    let numbered = |count: usize, text: fn(usize) -> String| (0..count).map(text).collect::<Vec<_>>().concat();
    let formatting = numbered(40_000, |number| format!("<b a{number}>")) + &times("<p>", MEGABYTE / 2);
    let nested =
        numbered(12_000, |depth| format!("Content-Type: multipart/mixed; boundary=\"b{depth}\"\r\n\r\n--b{depth}\r\n"));
    let attachment = |size: usize| {
        let lines = times("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5\r\n", size);
        let head = "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"a.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n";
        format!("{from}{head}{lines}--b--\r\n").into_bytes()
    };
    vec![
        ("1 MB of nested tables", html(times("<table><tr><td>", MEGABYTE))),
        ("1 MB of open inline elements", html(times("<b><i><u>", MEGABYTE))),
        ("1 MB of formatting that is opened again", html(formatting)),
        ("1 MB of text without white space", html("x".repeat(MEGABYTE))),
        ("1 MB of table cells", html(format!("<table>{}", times("<tr><td>a", MEGABYTE)))),
        ("1 MB of nested multiparts", format!("{from}{nested}").into_bytes()),
        ("1 MB of headers", format!("{}\r\nbody", times("X-Header: value\r\n", MEGABYTE)).into_bytes()),
        ("1 MB attachment", attachment(MEGABYTE)),
        ("40 MB attachment", attachment(40 * MEGABYTE)),
        ("40 MB of HTML", html(times("<p>Maintenance</p>\r\n", 40 * MEGABYTE))),
        (
            "40 MB of small parts",
            format!(
                "{from}Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n{}--b--\r\n",
                times("--b\r\n\r\na\r\n", 40 * MEGABYTE)
            )
            .into_bytes(),
        ),
    ]
}
