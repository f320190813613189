//! Changed mails of every provider: no panic, whatever the change, and nothing that breaks the rules of the model. Tags,
//! words and lines are taken away, repeated and exchanged, and the halves of two mails are joined, so that changes reach what
//! the parsers look at and do not stop at the headers.
//!
//! `PROPTEST_CASES=1000000 cargo test --release -p carriers --test all fuzz` looks for longer;
//! `LARGE=1` tries a mail of 1 MB of each format and holds it to a second.

use std::{
    fs,
    sync::LazyLock,
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    rewrite::{self, Encoding},
    support,
};

/// A mail of each kind, its texts as they are read, so that a change is one of what is read.
static PLAIN_MAILS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mails = support::own_mails().into_iter().map(|mail| rewrite::encoded(&mail.bytes, Encoding::EightBit));
    mails.map(|mail| String::from_utf8_lossy(&mail).into_owned()).collect()
});

/// Returns a mail in tags, words and what stands between them.
fn tokens(mail: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = mail;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '<' => rest.find('>').map_or(rest.len(), |end| end + 1),
            _ if first.is_alphanumeric() => rest.find(|next: char| !next.is_alphanumeric()).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, below) = rest.split_at(end);
        tokens.push(token);
        rest = below;
    }
    tokens
}

/// Words and tags that mean something in some format.
const PIECES: [&str; 24] = [
    "<table>",
    "</table>",
    "<tr>",
    "</td>",
    "<td colspan=9>",
    "<s>",
    "</html>",
    "<!--",
    "<br>",
    "31",
    "00",
    "24:00",
    "2031-13-45",
    "UTC",
    "cancelled",
    "rescheduled",
    "Start:",
    "Maintenance",
    ":",
    "|",
    "\u{a0}",
    "\n",
    "9999999999999999999999",
    "\u{202e}é",
];

#[derive(Debug, Clone)]
enum Change {
    Remove(Index, usize),
    Repeat(Index, usize),
    Exchange(Index, Index),
    Insert(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 1..30_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), 1..30_usize).prop_map(|(at, count)| Change::Repeat(at, count)),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Change::Exchange(one, other)),
        (any::<Index>(), 0..PIECES.len()).prop_map(|(at, piece)| Change::Insert(at, piece)),
    ]
}

fn apply(tokens: &mut Vec<&str>, change: &Change) {
    let length = tokens.len();
    match change {
        Change::Remove(at, count) => {
            let at = at.index(length + 1);
            tokens.drain(at..(at + count).min(length));
        }
        Change::Repeat(at, count) => {
            let at = at.index(length + 1);
            let again = tokens[at..(at + count).min(length)].to_vec();
            tokens.splice(at..at, again);
        }
        Change::Exchange(one, other) if length > 0 => tokens.swap(one.index(length), other.index(length)),
        Change::Exchange(..) => {}
        Change::Insert(at, piece) => tokens.insert(at.index(length + 1), PIECES[*piece]),
    }
}

/// Reads a mail and checks what holds for every reading.
fn read(mail: &str) {
    let reading = support::parse(mail.as_bytes());
    let maintenances = reading["maintenances"].as_array().unwrap();
    assert_eq!(reading["outcome"] == "maintenance", !maintenances.is_empty(), "{reading}");
    for maintenance in maintenances.iter().chain(reading["suggestion"].as_array().unwrap()) {
        assert!(!maintenance["maintenance_id"].as_str().unwrap().is_empty(), "{reading}");
        let is_final = matches!(maintenance["status"].as_str(), Some("CANCELLED" | "COMPLETED"));
        let (start, end) = (maintenance["start"].as_i64(), maintenance["end"].as_i64());
        assert!(start.is_some() == end.is_some() && start.is_none_or(|start| Some(start) < end), "{reading}");
        assert!(is_final || start.is_some() && !maintenance["circuits"].as_array().unwrap().is_empty(), "{reading}");
    }
}

proptest! {
    #[test]
    fn a_changed_mail_is_read_or_refused(mail in any::<Index>(), changes in vec(change(), 1..10)) {
        let mails = &*PLAIN_MAILS;
        let mut tokens = tokens(&mails[mail.index(mails.len())]);
        for change in &changes {
            apply(&mut tokens, change);
        }
        read(&tokens.concat());
    }

    #[test]
    fn halves_of_two_mails_are_read_or_refused(one in any::<Index>(), other in any::<Index>(), end in any::<Index>(), start in any::<Index>()) {
        let mails = &*PLAIN_MAILS;
        let (one, other) = (tokens(&mails[one.index(mails.len())]), tokens(&mails[other.index(mails.len())]));
        read(&[&one[..end.index(one.len() + 1)], &other[start.index(other.len() + 1)..]].concat().concat());
    }
}

#[test]
fn a_large_mail_takes_no_longer_than_a_second() {
    if std::env::var_os("LARGE").is_none() {
        println!("not run: LARGE is not set");
        return;
    }
    let mut took = Vec::new();
    for (index, mail) in PLAIN_MAILS.iter().enumerate() {
        let body = mail.find("\r\n\r\n").map_or(mail.len(), |end| end + 4);
        let (head, body) = mail.split_at(body);
        if body.is_empty() {
            continue;
        }
        // The whole again and again, and all of its parts each often.
        let chunk = 64;
        let lines: Vec<_> = body.split_inclusive('\n').collect();
        let parts: String = lines
            .chunks(lines.len().div_ceil(chunk))
            .map(|lines| lines.concat().repeat(1 + 1_000_000 / body.len()))
            .collect();
        for large in [format!("{head}{}", body.repeat(1 + 1_000_000 / body.len())), format!("{head}{parts}")] {
            let began = time();
            read(&large);
            took.push((time().saturating_sub(began), index));
        }
    }
    let names: Vec<_> = support::own_mails().into_iter().map(|mail| mail.name).collect();
    let (longest, index) = took.iter().max().unwrap();
    println!("{} mails of 1 MB, the slowest {}: {longest:?}", took.len(), names[*index]);
    let slow = took.iter().filter(|(took, _)| *took > Duration::from_secs(1));
    let slow: Vec<_> = slow.map(|(took, index)| format!("{}: {took:?}", names[*index])).collect();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// Returns the CPU time of this thread: on a busy machine wall time passes without work. The wall time, if the system does
/// not tell.
fn time() -> Duration {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let spent = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = spent.and_then(|line| line.split(' ').next()?.parse().ok());
    spent.map_or_else(|| BEGAN.elapsed(), Duration::from_nanos)
}
