//! Finds messages forwarded inline: their headers are in the body, above their text.
//!
//! Mail programs write them in a few ways: below a line "---------- Forwarded message ---------" (Gmail, Thunderbird),
//! below "Begin forwarded message:" (Apple), or as a bare block of From, Sent, To and Subject (Outlook). Answers quote
//! with the same bare block, so that one counts only where the subject says that the mail was passed on, or where it is
//! the first thing in the body. Whoever writes the body can fake all of this: such a layer is evidence, not proof.

use std::sync::LazyLock;

use super::{
    Layer, flat,
    hints::Hints,
    quoted::{Block, continues, labelled},
    subject,
};

/// Maximum number of nested forwards that are followed.
const MOST_FORWARDS: usize = 8;
/// Maximum number of lines of a text that are read.
pub(super) const MOST_LINES: usize = 20_000;
/// Maximum number of lines that quoted headers may take, recipients over many lines included.
const LONGEST_BLOCK: usize = 60;

/// Lines that stand alone above quoted headers, in lower case.
const MARKERS: [&str; 19] = [
    "forwarded message",
    "begin forwarded message",
    "forwarded mail",
    "start of forwarded message",
    "weitergeleitete nachricht",
    "anfang der weitergeleiteten nachricht",
    "message transféré",
    "début du message réexpédié",
    "début du message transféré",
    "mensaje reenviado",
    "inicio del mensaje reenviado",
    "messaggio inoltrato",
    "inizio messaggio inoltrato",
    "mensagem encaminhada",
    "início da mensagem encaminhada",
    "doorgestuurd bericht",
    "begin doorgestuurd bericht",
    "転送されたメッセージ",
    "转发的邮件",
];

/// Substrings of quoted headers: a page without any of them quotes none.
const HINTS: [&str; 13] = [
    "Subject",
    "orwarded",
    "Betreff",
    "Objet",
    "Asunto",
    "Oggetto",
    "Assunto",
    "Onderwerp",
    "Ämne",
    "Emne",
    "主题",
    "主旨",
    "件名",
];

static HINTED: LazyLock<Hints> = LazyLock::new(|| Hints::new(&HINTS));

/// Returns the messages forwarded inline, the outermost first: from the text body, or from the page if the text quotes
/// none.
pub(super) fn find(subject: &str, text: Option<&String>, page: Option<&String>) -> Vec<Layer> {
    if subject::is_forward(subject) == Some(false) {
        return Vec::new();
    }
    let mut layers = text.map_or_else(Vec::new, |text| {
        let lines: Vec<_> = text.lines().take(MOST_LINES).collect();
        Body { lines: &lines, wraps: true }.forwards(subject)
    });
    if layers.is_empty()
        && let Some(page) = page
        && HINTED.are_in(page)
    {
        let lines = flat::lines(page);
        let lines: Vec<_> = lines.iter().take(MOST_LINES).map(String::as_str).collect();
        layers = Body { lines: &lines, wraps: false }.forwards(subject);
    }
    layers
}

/// A body in lines.
pub(super) struct Body<'text> {
    pub(super) lines: &'text [&'text str],
    /// `true` if lines were broken to fit a width, so that a header may continue on the next line.
    pub(super) wraps: bool,
}

impl Body<'_> {
    fn forwards(&self, subject: &str) -> Vec<Layer> {
        self.unwrapped(subject).0
    }

    /// Returns the messages forwarded inline, the line below the headers of the last one, and the depth of its
    /// quotation.
    pub(super) fn unwrapped(&self, subject: &str) -> (Vec<Layer>, usize, usize) {
        let mut below = 0;
        let mut layers: Vec<Layer> = Vec::new();
        let mut at = 0;
        let mut only_blank = true;
        // An Apple forward is quoted as a whole; a deeper quotation in it is an answer's.
        let mut quoted = 0;
        let mut passed_on = subject::is_forward(subject);
        while let Some(line) = self.lines.get(at).filter(|_| layers.len() < MOST_FORWARDS) {
            if passed_on == Some(false) {
                break;
            }
            let (depth, words) = unquoted(line);
            let found = if depth > quoted {
                None
            } else if is_marker(words) {
                self.block(at + 1).filter(|block| block.has("Subject") || block.has("Date"))
            } else if only_blank || passed_on == Some(true) {
                self.block(at).filter(|block| block.start == at && block.is_bare_forward())
            } else {
                None
            };
            if let Some(block) = found {
                (at, quoted, only_blank) = (block.end, block.depth, true);
                below = at;
                let layer = block.layer();
                passed_on = subject::is_forward(&layer.subject);
                layers.push(layer);
            } else {
                only_blank &= is_mark(words);
                at += 1;
            }
        }
        (layers, below, quoted)
    }

    /// Returns the quoted headers that begin at a line, or after blank ones below it; `None` if there are none.
    pub(super) fn block(&self, from: usize) -> Option<Block> {
        let words = |at: usize| self.lines.get(at).map(|line| unquoted(line));
        let start = (from..from + 4).find(|at| words(*at).is_some_and(|(_, words)| !words.is_empty()))?;
        let mut block = Block { start, end: start, depth: words(start)?.0, headers: Vec::new() };
        for at in start..start + LONGEST_BLOCK {
            let Some((_, line)) = words(at) else { break };
            if let Some((name, value)) = labelled(line) {
                // A repeated label belongs to something else: another message, or the text.
                if block.value(name).is_some() {
                    break;
                }
                block.headers.push((name, value.to_owned()));
            } else if line.is_empty() {
                // A blank line ends the headers, unless a missing one follows.
                let next = words(at + 1).and_then(|(_, next)| labelled(next));
                if next.is_none_or(|(name, _)| block.value(name).is_some()) {
                    break;
                }
            } else if let Some((name, value)) = block.headers.last_mut().filter(|_| self.wraps)
                && continues(name)
            {
                value.push(' ');
                value.push_str(line);
            } else {
                break;
            }
            block.end = at + 1;
        }
        block.has("From").then_some(block)
    }
}

/// Returns a line without its quotation marks, and their number.
pub(super) fn unquoted(line: &str) -> (usize, &str) {
    let mut rest = line.trim();
    let mut depth = 0;
    while let Some(after) = rest.strip_prefix('>') {
        rest = after.trim_start();
        depth += 1;
    }
    (depth, rest)
}

/// Returns whether a line separates a forward: blank, a rule, or Outlook's "-----Original Message-----".
pub(super) fn is_mark(words: &str) -> bool {
    let inside = trimmed(words);
    inside.is_empty() || inside.eq_ignore_ascii_case("original message")
}

fn is_marker(words: &str) -> bool {
    let inside = trimmed(words);
    // The longest marker has 38 bytes; lines of prose need not be copied.
    inside.len() <= 64 && MARKERS.contains(&inside.to_lowercase().as_str())
}

pub(super) fn trimmed(words: &str) -> &str {
    words.trim_matches(|mark: char| matches!(mark, '-' | '–' | '—' | '_' | '*' | '=' | ':' | ' ' | '\u{a0}'))
}

#[cfg(test)]
mod tests {
    use super::find;

    /// Returns sender, subject and seconds of every layer that is found.
    fn layers(subject: &str, body: &str) -> Vec<(String, String, Option<i64>)> {
        let body = body.to_owned();
        let (text, page) = if body.starts_with('<') { (None, Some(&body)) } else { (Some(&body), None) };
        let sender =
            |layer: &super::Layer| layer.sender.as_ref().map(|sender| sender.address.clone()).unwrap_or_default();
        let found = find(subject, text, page);
        found
            .iter()
            .map(|layer| (sender(layer), layer.subject.clone(), layer.date.map(jiff::Timestamp::as_second)))
            .collect()
    }

    #[track_caller]
    fn check(subject: &str, body: &str, sender: &str, inner: &str, date: Option<i64>) {
        assert_eq!(layers(subject, body), [(sender.to_owned(), inner.to_owned(), date)], "{body}");
    }

    const GMAIL: &str = "Please look\n\n---------- Forwarded message ---------\nFrom: Carrier NOC <noc@carrier.example>\n\
                         Date: Tue, 2 Nov 2021 at 14:30\nSubject: [maint] Planned work\n on ring 4\nTo: <ops@example.net>\n\n\nDear customer\n";

    #[test]
    fn gmail() {
        check("Fwd: Planned work", GMAIL, "noc@carrier.example", "[maint] Planned work on ring 4", None);
        // The marker is enough: people change subjects.
        check("please handle", GMAIL, "noc@carrier.example", "[maint] Planned work on ring 4", None);
        let page = "<div dir=\"ltr\">Please<br><div class=\"gmail_quote\"><div class=\"gmail_attr\">---------- Forwarded message\n\
                    ---------<br>From: <strong>Carrier NOC</strong> <span>&lt;<a href=\"mailto:noc@carrier.example\">noc@carrier.example</a>&gt;</span>\
                    <br>Date: Tue, 2 Nov 2021 at 14:30<br>Subject: Planned work R&amp;D<br>To: &lt;ops@example.net&gt;<br></div><br><br>\
                    <p>Subject: not this</p></div></div>";
        check("Fwd: x", page, "noc@carrier.example", "Planned work R&D", None);
    }

    #[test]
    fn outlook() {
        let text = "________________________________\nFrom: Carrier NOC <noc@carrier.example<mailto:noc@carrier.example>>\n\
                    Sent: Tuesday, November 2, 2021 2:30 PM\nTo: Ops <ops@example.net>\nSubject: Planned work\nImportance: High\n\nDear\n";
        check("FW: Planned work", text, "noc@carrier.example", "Planned work", None);
        check("Planned work", text, "noc@carrier.example", "Planned work", None);
        let page = "<html><head><style>p{}</style></head><body><div><p class=MsoNormal>FYI</p><p>&nbsp;</p><div><p><b>Von:</b> Carrier NOC \
                    &lt;noc@carrier.example&gt; <br><b>Gesendet:</b> Dienstag, 2. November 2021 14:30<br><b>An:</b> Ops<br>\
                    <b>Betreff:</b> Planned work</p></div><p>Dear customer</p></body></html>";
        check("WG: Planned work", page, "noc@carrier.example", "Planned work", None);
    }

    #[test]
    fn apple_and_thunderbird() {
        let apple = "\nBegin forwarded message:\n\n> From: Carrier NOC <noc@carrier.example>\n> Subject: Planned work\n\
                     > Date: 2 November 2021 at 14:30:00 GMT+1\n> To: ops@example.net\n> \n> Dear customer\n";
        check("Fwd: Planned work", apple, "noc@carrier.example", "Planned work", None);
        let thunderbird = "-------- Forwarded Message --------\nSubject: \tPlanned work\nDate: \tTue, 2 Nov 2021 14:30:00 +0100\n\
                           From: \tnoc@carrier.example\nTo: \tops@example.net\n\n\nDear\n";
        check("Fwd: Planned work", thunderbird, "noc@carrier.example", "Planned work", Some(1_635_859_800));
        let table = "<p><br></p><div class=\"moz-forward-container\">-------- Weitergeleitete Nachricht --------<table><tbody>\
                     <tr><th>Betreff: </th><td>Planned work</td></tr><tr><th>Datum: </th><td>Tue, 2 Nov 2021 14:30:00 +0100</td></tr>\
                     <tr><th>Von: </th><td>Carrier <a href=\"mailto:x\">&lt;noc@carrier.example&gt;</a></td></tr></tbody></table><br>Dear</div>";
        check("Fwd: Planned work", table, "noc@carrier.example", "Planned work", Some(1_635_859_800));
    }

    #[test]
    fn forwards_of_forwards() {
        let text = "---------- Forwarded message ---------\nFrom: A <a@desk.example>\nDate: Tue, 2 Nov 2021\nSubject: Fwd: Planned work\n\
                    To: b@example.net\n\nsee below\n\nFrom: Carrier <noc@carrier.example>\nSent: Monday\nTo: a@desk.example\n\
                    Subject: Planned work\n\nDear";
        let found = layers("Fwd: Planned work", text);
        assert_eq!(
            found.iter().map(|(sender, ..)| sender.as_str()).collect::<Vec<_>>(),
            ["a@desk.example", "noc@carrier.example"]
        );
        let many = "---------- Forwarded message ---------\nFrom: A <a@desk.example>\nSubject: Fwd: x\n\n".repeat(50);
        assert_eq!(layers("Fwd: x", &many).len(), 8);
    }

    #[test]
    fn headers_end_where_a_label_comes_again() {
        let text =
            "---------- Forwarded message ---------\nFrom: A <a@desk.example>\nSubject: work\nFrom: 01:00\nTo: 05:00\n";
        check("Fwd: x", text, "a@desk.example", "work", None);
    }

    #[test]
    fn lookalikes_of_forwards_are_not_forwards() {
        for (subject, body) in [
            ("Re: Planned work", GMAIL),
            (
                "Re: Planned work",
                "From: A <a@desk.example>\nSent: Monday\nTo: b@example.net\nSubject: Planned work\n\nDear",
            ),
            (
                "Planned work",
                "Thanks\n\nFrom: A <a@desk.example>\nSent: Monday\nTo: b@example.net\nSubject: Planned work\n\nDear",
            ),
            ("Planned work", "ok\n\nOn Tue, 2 Nov 2021 Carrier <noc@carrier.example> wrote:\n> Dear customer\n"),
            ("Planned work", "Start\nFrom: 2 Nov 2021 01:00\nTo: 2 Nov 2021 05:00\nSubject: fibre\n"),
            ("Planned work", "From: 01:00\nTo: 05:00\n\nDate: 2 Nov 2021\n"),
            ("Planned work", "ok\n> ---------- Forwarded message ---------\n> From: a@desk.example\n> Subject: x\n"),
            ("Planned work", "This is a forwarded message\nFrom: a@desk.example\nDate: x\n"),
            ("Fwd: Planned work", "Forwarded message\n"),
            ("Fwd: Planned work", "<p>Subject"),
            ("", ""),
        ] {
            assert_eq!(layers(subject, body), [], "{subject}: {body}");
        }
    }
}
