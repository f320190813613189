//! Answers: what somebody wrote above a message that he quotes. The quotation is of another day, whoever wrote it first.
//!
//! Mail programs mark a quotation with a line that says who wrote what follows ("On … wrote:"), with
//! "-----Original Message-----", with quoted headers, with `>` before each line, or with an element of the page. A message that
//! was passed on is marked alike: its headers are those that [`super::forward`] finds first, and they are passed over here.

use std::sync::LazyLock;

use memchr::memmem;

use super::{
    Mail, flat,
    forward::{Body, MOST_LINES, is_mark, trimmed, unquoted},
    hints::Hints,
    older, subject,
};

/// Substrings of quotations: a body without any of them, and without a line that begins with `>`, quotes nothing.
const HINTS: [&str; 25] = [
    "wrote",
    "schrieb",
    "crit",
    "escribi",
    "escreveu",
    "scritto",
    "schreef",
    "yazd",
    "riginal",
    "rspr",
    "orspronk",
    "From",
    "Von",
    "De:",
    "De ",
    "Da:",
    "Van",
    "Kimden",
    "FROM",
    "gmail_quote",
    "yahoo_quoted",
    "\"cite\"",
    "divRplyFwdMsg",
    "appendonsend",
    "写道",
];

static HINTED: LazyLock<Hints> = LazyLock::new(|| Hints::new(&HINTS));
static HINTED_OLDER: LazyLock<Hints> = LazyLock::new(|| Hints::new(&older::HINTS));

/// Ends of the line that names the author of a quotation.
const WROTE: [&str; 12] = [
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "écrit",
    "escribió",
    "escreveu",
    "ha scritto",
    "scrisse",
    "schreef",
    "yazdı",
    "写道",
];

/// Words between dashes above a quoted message.
const ORIGINALS: [&str; 12] = [
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "orijinal mesaj",
    "özgün ileti",
];

/// HTML elements in which mail programs quote.
const ELEMENTS: [&str; 6] =
    ["gmail_quote", "yahoo_quoted", "type=\"cite\"", "divRplyFwdMsg", "appendonsend", "moz-cite-prefix"];

/// Number of consecutive lines with `>` that make a quotation.
const QUOTED_LINES: usize = 3;
/// Maximum number of lines over which the words above a quotation may be broken.
const LONGEST_ATTRIBUTION: usize = 3;

/// Returns the mail without the quotation below its answer; `None` if it has none.
pub(super) fn without_quotation(mail: &Mail) -> Option<Mail> {
    // The mark of a quoted line is looked for alone: beside a word of two bytes the others are found more slowly.
    let is_hinted = |body: &String| {
        HINTED.are_in(body) || HINTED_OLDER.are_in(body) || memmem::find(body.as_bytes(), b"\n>").is_some()
    };
    // Answers are few: theirs may have marks that are words of other mails.
    let is_reply = subject::is_forward(&mail.inner().subject) == Some(false);
    if !is_reply
        && !mail.texts.iter().chain(&mail.pages).any(is_hinted)
        && !mail.texts.iter().any(|text| text.starts_with('>'))
    {
        return None;
    }
    // For layers in the body, the subject above them tells how they came there.
    let around = mail.layers.iter().rev().find(|layer| layer.wrapping != super::Wrapping::Inline);
    let subject = around.map_or("", |layer| layer.subject.as_str());
    let text_cuts: Vec<_> = mail.texts.iter().map(|text| in_text(text, subject)).collect();
    let page_cuts: Vec<_> = mail.pages.iter().map(|page| in_page(page, subject)).collect();
    if text_cuts.iter().chain(&page_cuts).all(Option::is_none) {
        return None;
    }
    let mut answer = mail.clone();
    for (body, cut) in answer.texts.iter_mut().zip(text_cuts).chain(answer.pages.iter_mut().zip(page_cuts)) {
        body.truncate(cut.unwrap_or(body.len()));
    }
    Some(answer)
}

fn in_text(text: &str, subject: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().take(MOST_LINES).collect();
    let at = quotation(&Body { lines: &lines, wraps: true }, subject)?;
    // Lines are slices of the text: their addresses tell where they begin.
    lines.get(at).map(|line| line.as_ptr() as usize - text.as_ptr() as usize)
}

fn in_page(page: &str, subject: &str) -> Option<usize> {
    let (lines, starts) = flat::placed_lines(page);
    let lines: Vec<&str> = lines.iter().take(MOST_LINES).map(String::as_str).collect();
    let marked = quotation(&Body { lines: &lines, wraps: false }, subject).and_then(|at| starts.get(at).copied());
    let is_passed_on =
        subject::is_forward(subject) == Some(true) || memmem::find(page.as_bytes(), b"orwarded message").is_some();
    let element = || {
        let starts = ELEMENTS.iter().filter_map(|name| memmem::find(page.as_bytes(), name.as_bytes()));
        let tag = starts.min().and_then(|at| page.get(..at)?.rfind('<'))?;
        let above = flat::lines(page.get(..tag)?);
        above.iter().any(|line| !is_mark(line)).then_some(tag)
    };
    marked.or_else(|| if is_passed_on { None } else { element() })
}

/// Returns the line at which a quotation below an answer begins; `None` if there is none.
fn quotation(body: &Body<'_>, subject: &str) -> Option<usize> {
    let (layers, below, depth) = body.unwrapped(subject);
    let inner = layers.last().map_or(subject, |layer| layer.subject.as_str());
    // An answer may have no words of its own; otherwise the words above are the answer.
    let is_reply = subject::is_forward(inner) == Some(false);
    let mut is_answered = is_reply;
    let mut has_words = false;
    let mut at = below;
    while let Some(line) = body.lines.get(at) {
        let (own, words) = unquoted(line);
        let block = body.block(at).filter(|block| block.start == at && block.is_bare_forward());
        let begins = block.is_some()
            || is_original(words)
            || says_who_wrote(body.lines, at)
            || own > depth && is_quoted(body.lines, at, depth)
            || has_words && older::begins(body.lines, at, is_reply);
        if begins && is_answered {
            return Some(at);
        }
        if let Some(block) = block {
            at = block.end.max(at + 1);
        } else {
            has_words |= !begins && !is_mark(words);
            is_answered |= has_words;
            at += 1;
        }
    }
    None
}

fn is_original(words: &str) -> bool {
    let inside = trimmed(words);
    inside.len() < words.len() && inside.len() <= 40 && ORIGINALS.contains(&inside.to_lowercase().as_str())
}

/// Returns whether the lines from there on name the author of a quotation: they end in "wrote:", with a date or an address
/// before.
fn says_who_wrote(lines: &[&str], at: usize) -> bool {
    let Some((_, first)) = lines.get(at).map(|line| unquoted(line)) else { return false };
    let has_date = |words: &str| words.contains('@') || words.chars().any(|mark| mark.is_ascii_digit());
    if !has_date(first) || first.ends_with('.') {
        return false;
    }
    let mut joined = String::new();
    for line in lines.iter().skip(at).take(LONGEST_ATTRIBUTION) {
        let (_, words) = unquoted(line);
        if words.is_empty() {
            return false;
        }
        joined.push_str(words);
        joined.push(' ');
        let whole = joined.trim_end();
        let Some(said) = whole.strip_suffix([':', '：']) else { continue };
        let said = said.trim_end().to_lowercase();
        // German and Dutch put the verb before the name: "Am 5.4. schrieb Jo:".
        let names = ["schrieb ", "schreef ", "a écrit "].iter().any(|verb| said.contains(verb));
        return whole.len() < 300 && (names || WROTE.iter().any(|verb| said.ends_with(verb)));
    }
    false
}

/// Returns whether this line and the next ones are quoted deeper than their surroundings.
fn is_quoted(lines: &[&str], at: usize, depth: usize) -> bool {
    let quoted = lines.iter().skip(at).take(QUOTED_LINES).take_while(|line| unquoted(line).0 > depth).count();
    quoted >= QUOTED_LINES
}

#[cfg(test)]
mod tests {
    use crate::Mail;

    fn answer(subject: &str, body: &str) -> Option<String> {
        let kind = if body.starts_with('<') { "html" } else { "plain" };
        let mail = format!("From: a@b.example\nSubject: {subject}\nContent-Type: text/{kind}; charset=utf-8\n\n{body}");
        let answer = Mail::decode(mail.as_bytes()).without_quotation()?;
        answer.texts.into_iter().chain(answer.pages).next()
    }

    #[test]
    fn a_quotation_below_an_answer_is_cut_off() {
        for quoted in [
            "On Fri, 2 Apr 2027 at 16:00, Jo Visser <jo@b.example> wrote:\n> Start: 1\n",
            "On Fri, 2 Apr 2027 at 16:00, Jo Visser <jo@b.example>\nwrote:\n\nStart: 1\n",
            "Am 2.4.27 um 16:00 schrieb Jo Visser:\n> Start: 1\n",
            "Op vr 2 apr. 2027 om 16:00 schreef Jo <jo@b.example>:\n> Start: 1\n",
            "Le 2 avr. 2027 à 16:00, Jo <jo@b.example> a écrit :\n> Start: 1\n",
            "El 2 abr 2027, Jo <jo@b.example> escribió:\n> Start: 1\n",
            "Em 2 de abr. de 2027, Jo <jo@b.example> escreveu:\n> Start: 1\n",
            "Il giorno 2 apr 2027 Jo <jo@b.example> ha scritto:\n> Start: 1\n",
            "-----Original Message-----\nFrom: Jo <jo@b.example>\nStart: 1\n",
            "-----Ursprüngliche Nachricht-----\nStart: 1\n",
            "________________________________\nFrom: Jo <jo@b.example>\nSent: Friday, April 2, 2027 4:00 PM\nTo: A\nSubject: Work\n\nStart: 1\n",
            "Von: Jo <jo@b.example>\nGesendet: Freitag, 2. April 2027 16:00\nAn: A\nBetreff: Arbeiten\n\nStart: 1\n",
            "> Start: 1\n> End: 2\n> Circuit: 3\n",
        ] {
            for subject in ["RE: Work", "Work"] {
                let answer = answer(subject, &format!("Hello,\n\nthe crew comes later.\n\n{quoted}"))
                    .unwrap_or_else(|| panic!("{subject}: {quoted}"));
                assert!(answer.contains("crew") && !answer.contains("Start"), "{subject}: {answer}");
            }
        }
    }

    #[test]
    fn a_mark_that_is_no_mail_programs_begins_an_older_message() {
        let notice = "Start: 1\nEnd: 2\nCircuit: 3\nReason: fibre\n";
        for (mark, of_replies_alone) in [
            (
                "De: Jo <jo@b.example>\nEnviada em: sexta-feira, 2 de abril de 2027 16:00\nPara: a@b.example\nAssunto: Obras\n",
                false,
            ),
            (
                "De: Jo <jo@b.example>\nEnviado em: sexta-feira, 2 de abril de 2027 16:00\nPara: a@b.example\nAssunto: Obras\n",
                false,
            ),
            (
                "De: Jo <jo@b.example>\nData de envio: 2 de abril de 2027 16:00\nPara: a@b.example\nAssunto: Obras\n",
                false,
            ),
            ("##- Please type your reply above this line -##", false),
            ("--- Please reply above this line ---", false),
            ("=-=-= REPLY ABOVE THIS LINE =-=-=", false),
            ("Previous update:", false),
            ("=== Update history ===", false),
            ("--- Previous messages ---", false),
            ("You wrote:", false),
            ("02/Apr/2027 16:00 Jo <jo@b.example> wrote", false),
            ("Our notification of 2 April:", true),
            ("Your mail of 02/04/2027:", true),
            ("________________________________", true),
            ("----------------------------------------", true),
            ("Jo <jo@b.example>\n02/04/2027 16:00\n\nTo: a@b.example\ncc:\nSubject: Work\n", true),
        ] {
            for subject in ["RE: Work", "Work"] {
                let body = format!("Hello,\n\nthe crew comes later.\n\n{mark}\n{notice}");
                let cut = answer(subject, &body);
                if of_replies_alone && subject == "Work" {
                    assert_eq!(cut, None, "{mark}");
                    continue;
                }
                let cut = cut.unwrap_or_else(|| panic!("{subject}: {mark}"));
                assert!(cut.contains("crew") && !cut.contains("Start"), "{subject}: {cut}");
                // At the head of a mail the mark of a ticket system is above the mail's own words.
                if !mark.contains(':') {
                    assert_eq!(answer("Work", &format!("{mark}\n\n{notice}")), None, "{mark}");
                }
            }
        }
    }

    #[test]
    fn a_page_quotes_too() {
        for quoted in [
            "<div class=\"gmail_quote\"><div>On Fri, 2 Apr 2027 Jo &lt;jo@b.example&gt; wrote:<br></div><blockquote>Start: 1</blockquote></div>",
            "<div id=\"divRplyFwdMsg\">Start: 1</div>",
            "<blockquote type=\"cite\">Start: 1</blockquote>",
            "<p><b>From:</b> Jo &lt;jo@b.example&gt;<br><b>Sent:</b> Friday, April 2, 2027 4:00 PM<br><b>To:</b> A<br><b>Subject:</b> RE: Work</p><p>Start: 1</p>",
        ] {
            let answer = answer("RE: Work", &format!("<html><body><p>The crew comes later.</p>{quoted}</body></html>"))
                .unwrap_or_else(|| panic!("{quoted}"));
            assert!(answer.contains("crew") && !answer.contains("Start"), "{answer}");
        }
    }

    #[test]
    fn a_forwarded_message_is_not_a_quotation() {
        let headers = "From: Jo <jo@b.example>\nDate: Fri, 2 Apr 2027 16:00:00 +0000\nSubject: Work\nTo: a@b.example\n\nStart: 1\n";
        assert_eq!(
            answer("Fwd: Work", &format!("See below.\n\n---------- Forwarded message ---------\n{headers}")),
            None
        );
        assert_eq!(answer("FW: Work", &format!("See below.\n\n{headers}")), None);
        assert_eq!(answer("Work", headers), None);
        assert_eq!(answer("Work", "From: 22:00 To: 23:00\nDear customer\n> one\n"), None);
        assert_eq!(answer("Work", "We wrote in our last mail:\nStart: 1\n"), None);
        let within = format!(
            "---------- Forwarded message ---------\n{headers}\nOn Fri, 2 Apr 2027 Jo <jo@b.example> wrote:\n> End: 2\n"
        );
        let kept = answer("Fwd: Work", &within).unwrap();
        assert!(kept.contains("Start") && !kept.contains("End"));
    }
}
