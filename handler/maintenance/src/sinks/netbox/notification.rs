//! Converts a mail into a notification.

use std::fmt::Write as _;

use contract::text::is_unseen;
use jiff::Timestamp;
use mail::Mail;
use notice::page::structure;

use super::{claim::trimmed, client::NewNotification, fields, ids::EventId};
use crate::pipeline::{arrived_mail::ArrivedMail, sink::Handover};

/// Sender of a mail that names none that NetBox takes: the domain can never exist.
const NOBODY: &str = "unknown@sender.invalid";
/// Prefix of our text above a mail that is for a person.
const MARK: &str = "provision: ";
/// Length limit of a reason, in characters.
const LONGEST_REASON: usize = 4000;
/// Maximum number of suggestions in the text.
const MOST_SUGGESTIONS: usize = 20;

/// Returns the mail as a notification of an event, or of none.
pub(super) fn from_mail(arrived: &ArrivedMail, event: Option<EventId>) -> NewNotification {
    let place = format!("s3://{}/{}", arrived.bucket, arrived.key);
    let body = match text(arrived) {
        Some(text) => trimmed(&fields::body(text.trim(), &format!("\n\n[cut: the whole mail is {place}]"))).to_owned(),
        None if arrived.mail.is_some() => format!("(The mail has no text. It is {place})"),
        None => format!("(The mail was not opened. It is {place})"),
    };
    let subject = fields::cut(&fields::line(arrived.subject.as_deref().unwrap_or_default()), fields::LONGEST_SUBJECT);
    let sent = arrived.mail.as_ref().and_then(|mail| mail.outer().date);
    NewNotification {
        event,
        body,
        subject: if subject.is_empty() { "(no subject)".to_owned() } else { subject },
        sender: sender(arrived).unwrap_or(NOBODY).to_owned(),
        received_at: arrived.received_at.or(sent).unwrap_or_else(Timestamp::now),
    }
}

/// Returns the mail as a notification for a person, with the reason above its text.
pub(super) fn for_person(arrived: &ArrivedMail, handover: &Handover<'_>) -> NewNotification {
    let mail = from_mail(arrived, None);
    let mut lines = vec![fields::cut(&fields::line(handover.reason), LONGEST_REASON)];
    if sender(arrived).is_none() {
        let named = arrived.sender.as_deref().map(fields::line).filter(|name| !name.is_empty());
        lines.push(format!("Sender: {}", named.unwrap_or_else(|| "none".to_owned())));
    }
    lines.push(format!("The mail: s3://{}/{}", arrived.bucket, arrived.key));
    for read in handover.suggestion.iter().take(MOST_SUGGESTIONS) {
        let window = read.window().map(|window| format!(" {} to {}", window.start(), window.end())).unwrap_or_default();
        let mut line = format!("Read, not verified: {} {}{window}", fields::line(read.id()), read.status());
        for circuit in read.circuits().iter().take(MOST_SUGGESTIONS) {
            let _ = write!(line, ", {} {}", fields::line(circuit.id()), circuit.impact());
        }
        lines.push(line);
    }
    let is_page = arrived.mail.as_ref().is_some_and(|mail| page(mail).is_some());
    let mut before = String::new();
    for (index, line) in lines.iter().enumerate() {
        let mark = if index == 0 { MARK } else { "" };
        let _ = if is_page {
            write!(before, "<p>{mark}{}</p>", escaped(line))
        } else {
            writeln!(before, "{mark}{}", line.replace('<', "&lt;"))
        };
    }
    NewNotification { body: format!("{before}\n{}", mail.body), ..mail }
}

/// Returns whether a stored body is that of this mail, with whatever text above it.
pub(super) fn is_of(stored: &str, body: &str) -> bool {
    let stored = trimmed(stored);
    let marked = stored.starts_with(MARK) || stored.starts_with(&format!("<p>{MARK}"));
    marked && stored.ends_with(trimmed(body))
}

/// Returns whether a stored body is exactly this one.
pub(super) fn is_same(stored: &str, body: &str) -> bool {
    trimmed(stored) == trimmed(body)
}

fn sender(arrived: &ArrivedMail) -> Option<&str> {
    let named = arrived.sender.as_deref()?.trim();
    // For an unopened mail, this is the sender as SES has read it, with the display name.
    let bare = named.rsplit_once('<').map_or(named, |(_, address)| address.trim_end_matches('>'));
    fields::address(bare)
}

/// Returns the text of the mail, as NetBox may show it: some versions show a body as the HTML that it is.
fn text(arrived: &ArrivedMail) -> Option<String> {
    let mail = arrived.mail.as_ref()?;
    if let Some(page) = page(mail) {
        return Some(page);
    }
    let bodies = [&mail.texts, &mail.calendars].into_iter().find(|bodies| !blank(bodies))?;
    Some(bodies.join("\n").chars().filter(|letter| is_shown(*letter)).collect::<String>().replace('<', "&lt;"))
}

/// Returns the structure of the mail's pages: no links, styles, scripts, pictures, forms or comments. `None` if it has no page, or one that
/// is too expensive to read.
fn page(mail: &Mail) -> Option<String> {
    if blank(&mail.pages) {
        return None;
    }
    let structure = structure(&mail.pages.join("\n")).ok()?;
    // After the entities were resolved: they can stand for what is not seen, too.
    let page: String = structure.chars().filter(|letter| is_shown(*letter)).collect();
    Some(page).filter(|page| !blank(std::slice::from_ref(page)))
}

/// Returns `true` for what people see, and for white space that orders a text.
fn is_shown(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\t') || !is_unseen(letter)
}

fn blank(bodies: &[String]) -> bool {
    bodies.iter().all(|body| body.chars().all(|letter| letter.is_whitespace() || letter.is_control()))
}

fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content_type: &str, body: &str) -> String {
        let mail = format!("From: a@b.example\r\nSubject: x\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n");
        let received = contract::receipt_event::Received::default();
        let mut arrived = ArrivedMail::unopened("id", "bucket".to_owned(), "key".to_owned(), &received);
        arrived.open(Mail::decode(mail.as_bytes()));
        let whole = from_mail(&arrived, None).body;
        let handover = Handover { reason: "said <b>by</b> a mail", suggestion: &[] };
        assert!(for_person(&arrived, &handover).body.contains("&lt;b"), "{whole}");
        whole
    }

    #[test]
    fn a_page_keeps_its_structure_and_nothing_that_acts() {
        let page = "<html><head><title>t</title><style>p{}</style></head><body onload=\"x()\"><p style=\"color:red\">One \
                    <a href=\"https://evil.example\">two</a></p><table border=1><tr><td colspan=2 class=c>3</td></tr></table>\
                    <img src=\"https://evil.example/p.png\" onerror=\"x()\"><script>x()</script><svg><script>y()</script></svg>\
                    <iframe src=x></iframe><form action=x><input name=a></form><!-- c --><s>old</s> \u{202e}&#x202e;&#8203;new</body></html>";
        let expected = "<p>One two</p><table><tbody><tr><td colspan=\"2\">3</td></tr></tbody></table><s>old</s> new";
        let compact = shown("text/html; charset=utf-8", page).replace('\n', "");
        assert_eq!(compact.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }

    #[test]
    fn no_page_brings_anything_that_loads_or_acts() {
        for attack in [
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "<math><mtext></p><img src=x onerror=alert(1)></mtext></math>",
            "<a href=javascript:alert(1)>x</a>",
            "<div style=\"position:fixed;background:url(https://evil.example)\">x</div>",
            "<link rel=stylesheet href=https://evil.example>",
            "<base href=https://evil.example><meta http-equiv=refresh content=0>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
            "<table background=https://evil.example><td background=x>",
            "<object data=x></object><embed src=x><video src=x><audio src=x>",
            "<button formaction=javascript:alert(1)>x</button>",
        ] {
            let page = shown("text/html", &format!("<html><body><p>text</p>{attack}</body></html>"));
            let acts =
                ["<img", "<svg", "<a ", "style", "href", "onerror", "src", "<meta", "background=", "<button", "<form"];
            let found = acts
                .iter()
                .find(|act| page.contains(*act) && !page.contains(&format!("&lt;{}", act.trim_start_matches('<'))));
            assert_eq!(found, None, "{attack}: {page}");
        }
    }

    #[test]
    fn a_text_is_no_page() {
        assert_eq!(shown("text/plain", "a <script>x()</script> & b"), "a &lt;script>x()&lt;/script> & b");
    }

    /// A page that is too expensive to read is not read again for people.
    #[test]
    fn a_page_out_of_all_proportion_is_not_shown() {
        let deep = format!("<html><body>{}</body></html>", "<div>".repeat(2000));
        assert_eq!(shown("text/html", &deep), "(The mail has no text. It is s3://bucket/key)");
    }
}
