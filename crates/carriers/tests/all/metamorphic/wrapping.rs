//! Tests that the changes which mail programs, relays and lists make to a mail change no reading.

use super::{Changed, Sample, Variation};
use crate::{
    rewrite::{self, Charset, Encoding, Message},
    support,
};

/// Returns whether a page is not a complete document, so that it may continue below whatever is appended.
fn has_no_end(sample: &Sample) -> bool {
    !sample.decoded.pages.iter().all(|page| page.to_lowercase().contains("</html>"))
}

fn same(sample: &Sample, bytes: Vec<u8>) -> Vec<Changed> {
    vec![Changed::same(sample, bytes)]
}

#[test]
fn line_ends() {
    for index in [0, 1] {
        Variation::of_all(["line feeds", "CRLF"][index])
            .check(|sample| same(sample, support::with_both_line_ends(&sample.bytes)[index].1.clone()));
    }
}

#[test]
fn transfer_encodings() {
    for encoding in [Encoding::Base64, Encoding::QuotedPrintable, Encoding::EightBit] {
        let variation = Variation::of_all("transfer encoding");
        variation.check(|sample| same(sample, rewrite::encoded(&sample.bytes, encoding)));
    }
}

/// A customer whose name needs more than ASCII is read as written in every charset that has the letters.
#[test]
fn charsets() {
    let japanese = "例のネット";
    for (charset, encoding, name) in [
        (Charset::Utf8, Encoding::EightBit, "Ébène"),
        (Charset::Latin1, Encoding::QuotedPrintable, "Ébène"),
        (Charset::Latin1, Encoding::EightBit, "Ébène"),
        (Charset::Windows1252, Encoding::EightBit, "Ébène"),
        (Charset::Undeclared, Encoding::EightBit, "Ébène"),
        (Charset::Utf16, Encoding::Base64, "Ébène"),
        (Charset::Utf16, Encoding::Base64, japanese),
        (Charset::Iso2022Jp, Encoding::EightBit, japanese),
        (Charset::Iso2022Jp, Encoding::Base64, japanese),
        (Charset::Utf8, Encoding::Base64, japanese),
    ] {
        Variation::of_all("charset").check(|sample| in_charset(sample, charset, encoding, name));
    }
}

/// Returns the mail with another name of the customer, in that charset. What the texts say is what they say
/// in UTF-8.
fn in_charset(sample: &Sample, charset: Charset, encoding: Encoding, name: &str) -> Vec<Changed> {
    let change = |text: &str, _: &str| {
        // Of the signs that an old charset lacks none is part of a value; the Turkish i is one of a label.
        let text = text.replace("Example", name).replace('İ', "I");
        text.chars().map(|sign| if charset.has(sign) { sign } else { '-' }).collect()
    };
    let utf8 = rewrite::written(&sample.bytes, Encoding::EightBit, Charset::Utf8, change).unwrap();
    let bytes = rewrite::written(&sample.bytes, encoding, charset, change).unwrap();
    let expected = support::parse(&utf8);
    assert_eq!(expected["outcome"], sample.reading["outcome"], "{}: {expected}", sample.name);
    vec![Changed { how: format!("{charset:?} {encoding:?} {name}"), bytes, expected, may_be_refused: false }]
}

#[test]
fn flowed_text_and_broken_pages() {
    Variation::of_all("format=flowed").check(|sample| same(sample, rewrite::flowed(&sample.bytes)));
    let broken = Variation { changes_blanks: true, ..Variation::of_all("pages broken at blanks") };
    broken.check(|sample| same(sample, rewrite::rewrapped(&sample.bytes)));
}

#[test]
fn headers() {
    let relays = "Received: from mx1.example.net (192.0.2.1) by mx2.example.net;\r\n Mon, 3 Mar 2031 09:00:00 +0000\r\n\
                  X-Spam-Status: No, score=-1.9\r\n";
    let folded = |sample: &Sample| Message::of(&sample.bytes).with_subject_folded().bytes();
    let in_words = |sample: &Sample| Message::of(&sample.bytes).with_subject_encoded().bytes();
    Variation::of_all("folded subject").check(|sample| same(sample, folded(sample)));
    Variation::of_all("encoded subject").check(|sample| same(sample, in_words(sample)));
    Variation::of_all("relays' headers").check(|sample| same(sample, [relays.as_bytes(), &sample.bytes].concat()));
}

#[test]
fn footers_of_lists_change_nothing() {
    let text = "_______________________________________________\nnetops mailing list -- netops@lists.example\n\
                To unsubscribe send a mail to netops-leave@lists.example\n";
    let page = "<hr><p>netops mailing list, <a href=\"https://lists.example/netops\">unsubscribe</a></p>\n";
    for footer in [
        format!("Content-Type: text/plain; charset=utf-8\n\n{text}"),
        format!("Content-Type: text/html; charset=utf-8\n\n{page}"),
    ] {
        Variation::of_all("a list's footer as a part")
            .check(|sample| same(sample, Message::of(&sample.bytes).with_part_below(&footer)));
    }
    Variation::of_all("a list's footer").check(|sample| {
        let changed = Changed::same(sample, rewrite::footed(&sample.bytes, text, page));
        vec![Changed { may_be_refused: has_no_end(sample), ..changed }]
    });
    // What a list asks of its readers is no word on the notice.
    let asks = "Tickets that were cancelled, moved or completed do not belong on this list.";
    let (text, page) =
        (format!("{text}{asks}\n"), format!("<div>{}<br>{asks}</div>\n", text.trim().replace('\n', "<br>")));
    Variation::of_all("a list's footer with words of change").check(|sample| {
        let changed = Changed::same(sample, rewrite::footed(&sample.bytes, &text, &page));
        vec![Changed { may_be_refused: has_no_end(sample), ..changed }]
    });
    for prefix in ["[netops] ", "[EXTERNAL] ", "[netops] [ EXTERNAL ] "] {
        // A summary may be the subject; the reason why a mail is ignored quotes it.
        let variation = Variation { ignored: &["summary"], ..Variation::of_all("a list's prefix") };
        let prefixed = |sample: &Sample| Message::of(&sample.bytes).with_subject_prefix(prefix).bytes();
        variation.check(|sample| if sample.is_notice() { same(sample, prefixed(sample)) } else { Vec::new() });
    }
}

#[test]
fn warnings_of_the_recipients_relay() {
    let text = "CAUTION: This email originated from outside of the organization.\n\n";
    let page = "<table><tr><td style=\"background:#fc0\">CAUTION: This email originated from outside of the organization.\
                </td></tr></table><br>\n";
    Variation::of_all("a warning above").check(|sample| same(sample, rewrite::headed(&sample.bytes, text, page)));
}
