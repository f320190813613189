//! Notices that a carrier could have written, with some of their lines or elements many thousand times: what the carriers' own readers
//! take long for.

use fastrand::Rng;
use mail::Mail;

use super::{HEADERS, MEGABYTE, fill, html, plain};
use crate::support;

/// Returns each of our mails, or some of them, with a part repeated up to a megabyte: name, sender and mail.
pub(super) fn mails(rng: &mut Rng, all: bool) -> Vec<(String, String, Vec<u8>)> {
    let mut mails = support::own_mails();
    if !all {
        // One of each carrier.
        rng.shuffle(&mut mails);
        mails.sort_by_key(|mail| mail.name.split('/').next().unwrap_or_default().to_owned());
        mails.dedup_by_key(|mail| mail.name.split('/').next().unwrap_or_default().to_owned());
    }
    mails.iter().filter_map(|named| amplified(rng, named)).collect()
}

fn amplified(rng: &mut Rng, named: &support::Named) -> Option<(String, String, Vec<u8>)> {
    let decoded = Mail::decode(&named.bytes);
    let outer = decoded.outer();
    let from = outer.sender.as_ref()?.address.clone();
    let entity = if let Some(calendar) = decoded.calendars.first() {
        let lines = calendar.replace('\n', "\r\n");
        format!("Content-Type: text/calendar; charset=utf-8\r\n\r\n{}", repeated(rng, &lines, "\r\n"))
    } else if let Some(page) = decoded.pages.first() {
        let separator = ["</tr>", "</p>", "<br>", "</td>", "\n", "</div>", ">"][rng.usize(..7)];
        let page = page.replace("</TR>", "</tr>").replace("</P>", "</p>").replace("<BR>", "<br>");
        html(&repeated(rng, &page, separator))
    } else {
        plain(&repeated(rng, decoded.texts.first()?, "\n"))
    };
    let subject: String = outer.subject.chars().filter(char::is_ascii).take(500).collect();
    let head = format!(
        "From: {from}\r\nTo: noc@example.net\r\nSubject: {subject}\r\nDate: Tue, 5 Jan 2027 10:15:28 +0000\r\n\
         Message-ID: <1@carrier.example>\r\nMIME-Version: 1.0\r\n"
    );
    Some((format!("longer {}", named.name), from, format!("{head}{entity}").into_bytes()))
}

/// Returns a text with a run of its pieces, which the separator ends, repeated up to a megabyte.
fn repeated(rng: &mut Rng, text: &str, separator: &str) -> String {
    let pieces: Vec<&str> = text.split_inclusive(separator).collect();
    if pieces.is_empty() {
        return String::new();
    }
    let start = rng.usize(..pieces.len());
    let end = (start + 1 + rng.usize(..pieces.len())).min(pieces.len());
    let (before, run, after) = (pieces[..start].concat(), pieces[start..end].concat(), pieces[end..].concat());
    let most = usize::try_from(MEGABYTE).unwrap() - HEADERS;
    let room = most.saturating_sub(before.len() + after.len()).max(run.len());
    [before, fill(&run, room), after].concat()
}
