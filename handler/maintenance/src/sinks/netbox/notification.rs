//! Converts a mail into a notification.

use std::fmt::Write as _;

use contract::text::is_unseen;
use jiff::Timestamp;
use mail::{Defect, Mail};
use notice::page::structure;

use super::{
    client::{NewNotification, changelog_message},
    fields,
    mark::{Mark, Role, trimmed},
};
use crate::pipeline::{
    arrived_mail::ArrivedMail,
    held::{Held, Retention, Source},
    sink::Handover,
};

/// Sender of a mail that names none that NetBox takes: the domain can never exist.
const NOBODY: &str = "unknown@sender.invalid";
/// Prefix of our text above a mail that is for a person.
const PREFIX: &str = "provision: ";
/// Length limit of a reason, in characters.
const LONGEST_REASON: usize = 4000;
/// Length limit of another line above a mail, in characters.
const LONGEST_LINE: usize = 2000;
/// Maximum number of suggestions in the text.
const MOST_SUGGESTIONS: usize = 20;
/// The largest mail that a notification holds as it came, in bytes.
const LARGEST_COPY: usize = 256 * 1024;
/// Line above the mail as it came.
const COPY: &str = "The mail as it came:";

/// Returns the mail as a notification of an event.
pub(super) fn of_event(arrived: &ArrivedMail) -> NewNotification {
    notification(arrived, Role::OfEvent, arrived.retention, &[])
}

/// Returns the mail as a notification for a person, with the reason above its text. `retention` tells whether the mail's object stays.
pub(super) fn for_person(arrived: &ArrivedMail, handover: &Handover<'_>, retention: Retention) -> NewNotification {
    // Blanks stay as they are: the reason may spell the id of a circuit.
    let reason = handover.reason.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let reason: String = reason.filter(|letter| !is_unseen(*letter)).collect();
    let mut lines = vec![format!("{PREFIX}{}", fields::cut(reason.trim(), LONGEST_REASON))];
    if sender(arrived).is_none() {
        let named = arrived.sender.as_deref().map(fields::line).filter(|name| !name.is_empty());
        lines.push(format!("Sender: {}", named.unwrap_or_else(|| "none".to_owned())));
    }
    if retention == Retention::Stays {
        lines.push(at(arrived));
    } else if !has_room_for(arrived.source.as_ref()) {
        lines
            .push("All of the mail is in another sink, or in its bucket: the function's report says which.".to_owned());
    }
    lines.extend(arrived.mail.as_ref().and_then(too_large));
    lines.extend(not_shown(arrived));
    for read in handover.suggestion.iter().take(MOST_SUGGESTIONS) {
        let window = read.window().map(|window| format!(" {} to {}", window.start(), window.end())).unwrap_or_default();
        let mut line = format!("Read, not verified: {} {}{window}", fields::line(read.id()), read.status());
        for circuit in read.circuits().iter().take(MOST_SUGGESTIONS) {
            let _ = write!(line, ", {} {}", fields::line(circuit.id()), circuit.impact());
        }
        lines.push(line);
    }
    notification(arrived, Role::ForPerson, retention, &lines)
}

/// Returns provider and mail, for NetBox's changelog; without a provider, the sender stands in its place.
pub(super) fn source(arrived: &ArrivedMail, provider: Option<&str>) -> String {
    let mail = arrived.message_id.as_deref().unwrap_or(&arrived.ses_message_id);
    format!("{}, mail {mail}", provider.or(arrived.sender.as_deref()).unwrap_or("unknown sender"))
}

fn notification(arrived: &ArrivedMail, role: Role, retention: Retention, above: &[String]) -> NewNotification {
    let subject = fields::cut(&fields::line(arrived.subject.as_deref().unwrap_or_default()), fields::LONGEST_SUBJECT);
    let sent = arrived.mail.as_ref().and_then(|mail| mail.outer().date);
    let mark = Mark { role, mail: arrived.fingerprint() };
    NewNotification {
        event: None,
        body: body(arrived, retention, above, &mark),
        mark,
        subject: if subject.is_empty() { "(no subject)".to_owned() } else { subject },
        sender: sender(arrived).unwrap_or(NOBODY).to_owned(),
        received_at: arrived.received_at.or(sent).unwrap_or_else(Timestamp::now),
        message: changelog_message(role.reason(), &source(arrived, None)),
    }
}

/// Returns the body: our lines, the text, the mail as it came where its object may go, and the mark.
fn body(arrived: &ArrivedMail, retention: Retention, above: &[String], mark: &Mark) -> String {
    let is_page = arrived.mail.as_ref().is_some_and(|mail| page(mail).is_some());
    let paragraph = |line: &str| {
        let line = fields::cut(line, LONGEST_REASON.max(LONGEST_LINE));
        if is_page {
            format!("<p>{}</p>", escaped(&line).replace("  ", " &nbsp;"))
        } else {
            format!("{}\n", line.replace('<', "&lt;"))
        }
    };
    let mut before: String = above.iter().map(|line| paragraph(line)).collect();
    if !before.is_empty() {
        before.push('\n');
    }
    // A person finds it above the text of a mail that is for a person.
    let is_told_below = mark.role == Role::OfEvent && retention == Retention::Stays && !arrived.bucket.is_empty();
    let pointer = if is_told_below { format!("\n\n{}", paragraph(&at(arrived)).trim_end()) } else { String::new() };
    let copy = arrived.source.as_ref().filter(|_| retention == Retention::MayGo).and_then(copy_of);
    let copy =
        copy.map(
            |copy| if is_page { format!("\n<p>{COPY}</p><pre>\n{copy}</pre>") } else { format!("\n\n{COPY}\n{copy}") },
        );
    let mark = if is_page { format!("\n<p>{}</p>", mark.line()) } else { format!("\n\n{}", mark.line()) };
    let after = copy.unwrap_or_default() + &pointer + &mark;
    let place = if retention == Retention::Stays { format!(" It is {}", arrived.address()) } else { String::new() };
    let text = match text(arrived) {
        Some(text) => {
            let cut = if retention == Retention::Stays {
                format!("\n\n[cut: the whole mail is {}]", arrived.address())
            } else {
                "\n\n[cut]".to_owned()
            };
            let room = fields::LARGEST_NOTIFICATION
                .saturating_sub(fields::escaped_length(&before) + fields::escaped_length(&after));
            trimmed(&fields::body(text.trim(), &cut, room)).to_owned()
        }
        None => format!("({}{place})", missing_text(arrived)),
    };
    format!("{before}{text}{after}")
}

/// Says where the mail is.
fn at(arrived: &ArrivedMail) -> String {
    format!("The mail: {}", arrived.address())
}

/// Says why a mail has no text to show.
fn missing_text(arrived: &ArrivedMail) -> String {
    let Some(mail) = &arrived.mail else { return "The mail was not opened.".to_owned() };
    match too_large(mail) {
        Some(said) => said,
        None if !blank(&mail.pages) => {
            "The page of the mail is out of all proportion, and is not shown here.".to_owned()
        }
        None => "The mail has no text.".to_owned(),
    }
}

/// Returns the remark on the largest text that was not read; `None` if all were.
fn too_large(mail: &Mail) -> Option<String> {
    let sizes = mail.defects.iter().filter_map(|defect| match defect {
        Defect::TooLarge(size) => Some(size),
        _ => None,
    });
    sizes.max().map(|size| format!("The mail has text of {size} bytes, more than is shown here."))
}

/// Names the parts of a mail that a notification does not show; `None` if there are none.
fn not_shown(arrived: &ArrivedMail) -> Option<String> {
    let mail = arrived.mail.as_ref()?;
    let named = mail.attachments.iter().map(|part| {
        let name = part.name.as_deref().map_or_else(|| "a part without a name".to_owned(), fields::line);
        format!("{name} ({}, {} bytes)", fields::line(&part.content_type), part.bytes.len())
    });
    let calendars = (!mail.calendars.is_empty()).then(|| contract::count::counted(mail.calendars.len(), "calendar"));
    let parts: Vec<_> = named.chain(calendars).collect();
    (!parts.is_empty()).then(|| fields::cut(&format!("Attached: {}", parts.join(", ")), LONGEST_LINE))
}

/// Returns whether a notification has room for a mail as it came.
pub(super) fn has_room_for(source: Option<&Source>) -> bool {
    source.is_some_and(|source| copy_of(source).is_some())
}

/// Returns the mail as it came, escaped as a text within a page; `None` if NetBox cannot hold it unchanged.
fn copy_of(source: &Source) -> Option<String> {
    let bytes = source.bytes().filter(|bytes| bytes.len() <= LARGEST_COPY)?;
    str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).map(escaped)
}

/// Returns what whoever has a notification with this body holds of the mail.
pub(super) fn held(arrived: &ArrivedMail, body: &str) -> Held {
    let end = body.rfind("\n<p>[provision: ").or_else(|| body.rfind("\n\n[provision: ")).unwrap_or(body.len());
    let above = body.get(..end).unwrap_or_default();
    let above = above.strip_suffix("</pre>").unwrap_or(above);
    let source = arrived.source.as_ref();
    let before = source.and_then(copy_of).and_then(|copy| above.strip_suffix(copy.as_str()));
    let is_copy = before.is_some_and(|before| {
        [format!("{COPY}\n"), format!("{COPY}</p><pre>\n")].iter().any(|line| before.ends_with(line))
    });
    let copy = source.and_then(Source::bytes).filter(|_| is_copy);
    let held = copy.map_or(Held::NOTHING, |copy| Held::of_copy(source, copy));
    if body.contains(&arrived.address()) { held.and(Held::POINTER) } else { held }
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(content_type: &str, body: &str) -> String {
        let arrived = arrived(&format!("Content-Type: {content_type}\r\n\r\n{body}\r\n"));
        let whole = of_event(&arrived).body;
        let handover = Handover { reason: "said <b>by</b> a mail", suggestion: &[] };
        assert!(for_person(&arrived, &handover, Retention::Stays).body.contains("&lt;b"), "{whole}");
        let mark = of_event(&arrived).mark;
        assert_eq!(Mark::read(&whole), Some(mark));
        let end = whole.rfind("[provision: ").unwrap();
        let above = whole[..end].trim_end_matches("<p>").trim_end();
        let pointer = ["The mail: s3://bucket/key", "<p>The mail: s3://bucket/key</p>"];
        let shown = pointer.iter().rev().find_map(|pointer| above.strip_suffix(pointer));
        shown.unwrap_or_else(|| panic!("{whole}")).trim_end().to_owned()
    }

    fn arrived(rest: &str) -> ArrivedMail {
        let mail = format!("From: a@b.example\r\nSubject: x\r\n{rest}");
        let received = contract::receipt_event::Received::default();
        let mut arrived = ArrivedMail::unopened("id", "bucket".to_owned(), "key".to_owned(), &received);
        arrived.open(Mail::decode(mail.as_bytes()));
        arrived.source = Some(Source::of(mail.into_bytes()));
        arrived
    }

    #[test]
    fn mails_with_the_same_words_have_marks_of_their_own() {
        let with = |part: &str| {
            let mixed =
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee below.\r\n--b";
            for_person(
                &arrived(&format!("{mixed}\r\n{part}\r\n--b--\r\n")),
                &Handover { reason: "odd", suggestion: &[] },
                Retention::Stays,
            )
        };
        let parts = [
            "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUFB",
            "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQkJC",
            "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nUID:1\r\nEND:VCALENDAR",
            "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nUID:2\r\nEND:VCALENDAR",
        ];
        let marks: std::collections::BTreeSet<String> = parts.iter().map(|part| with(part).mark.mail).collect();
        assert_eq!(marks.len(), parts.len());
        let again = with(parts[0]);
        assert_eq!(again.mark, with(parts[0]).mark, "the same mail is the same again");
        assert!(again.body.contains("Attached: a part without a name (application/pdf, 3 bytes)"), "{}", again.body);
    }

    #[test]
    fn a_mail_whose_object_may_go_is_whole_in_the_notification_and_nothing_points_at_the_object() {
        let handover = Handover { reason: "odd", suggestion: &[] };
        for rest in [
            "X-Note: a & b\r\n\r\nTonight <1h>.\r\n\r\n The mail as it came:\r\n",
            "Content-Type: text/html\r\n\r\n<html><body><p>Tonight &lt;</p><pre>The mail as it came:</pre></body></html>\r\n\t ",
            "Content-Type: application/pdf\r\n\r\n%PDF",
        ] {
            let mut arrived = arrived(rest);
            for retention in [Retention::Stays, Retention::MayGo] {
                arrived.retention = retention;
                for notification in [of_event(&arrived), for_person(&arrived, &handover, retention)] {
                    let held = held(&arrived, &notification.body);
                    assert_eq!(held.frees_object(), retention == Retention::MayGo, "{}", notification.body);
                    assert!(
                        retention == Retention::Stays || !notification.body.contains("s3://"),
                        "{}",
                        notification.body
                    );
                }
            }
        }
        assert!(!has_room_for(Some(&Source::of(vec![b'x'; LARGEST_COPY + 1]))));
        assert!(!has_room_for(Some(&Source::of(b"\0".to_vec()))) && !has_room_for(Some(&Source::of(b"\xff".to_vec()))));
    }

    #[test]
    fn a_text_that_is_too_large_to_be_read_is_not_called_missing() {
        let large = arrived(&format!("\r\n{}", "x".repeat(mail::LARGEST_TEXT + 1)));
        let body = of_event(&large).body;
        let said = format!(
            "(The mail has text of {} bytes, more than is shown here. It is s3://bucket/key)",
            mail::LARGEST_TEXT + 1
        );
        assert!(body.starts_with(&said), "{body}");
        let cut = arrived(&format!("\r\n{}", "\"".repeat(1_900_000)));
        let for_person = for_person(&cut, &Handover { reason: &"r".repeat(9000), suggestion: &[] }, Retention::Stays);
        assert!(for_person.body.contains("[cut: the whole mail is s3://bucket/key]"));
        assert!(fields::escaped_length(&for_person.body) <= fields::LARGEST_NOTIFICATION + 100);
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
        assert_eq!(
            shown("text/html", &deep),
            "(The page of the mail is out of all proportion, and is not shown here. It is s3://bucket/key)"
        );
    }
}
