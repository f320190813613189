//! Bytes → mail: what mail programs, relays, lists and people do to a notice on its way.

use mail::{Defect, Ending, LARGEST_TEXT, Layer, Mail, Wrapping};

use crate::support;

/// Returns a mail from a customer's desk around a body with its own MIME headers.
fn desk(subject: &str, mime: &str) -> Vec<u8> {
    let headers = "From: Desk <desk@example.net>\nTo: maint@example.net\nDate: Tue, 2 Nov 2021 14:30:00 +0100\n\
                   Message-ID: <1@example.net>\nMIME-Version: 1.0\n";
    format!("{headers}Subject: {subject}\n{mime}").into_bytes()
}

/// A carrier's mail, whole.
const CARRIER: &str = "From: Carrier NOC <noc@carrier.example>\nDate: Mon, 1 Nov 2021 08:00:00 +0000\nSubject: Planned work 17\n\
                       Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
                       <html><p>Ring =C3=A9</p></html>\n";

fn mixed(parts: &[&str]) -> String {
    format!("Content-Type: multipart/mixed; boundary=b\n\n--b\n{}\n--b--\n", parts.join("\n--b\n"))
}

/// Checks a mail with both line ends.
fn with_both(bytes: &[u8], check: impl Fn(&Mail)) {
    for (_, bytes) in support::with_both_line_ends(bytes) {
        check(&Mail::decode(&bytes));
    }
}

fn sender(layer: &Layer) -> Option<&str> {
    layer.sender.as_ref().map(|sender| sender.address.as_str())
}

fn base64(text: &[u8]) -> String {
    let mut encoded = Vec::new();
    mail_builder::encoders::base64::base64_encode_mime(text, &mut encoded, false).unwrap();
    String::from_utf8(encoded).unwrap().replace("\r\n", "\n")
}

#[test]
fn an_attached_message_is_the_content_of_the_mail() {
    let plain = format!("Content-Type: message/rfc822\n\n{CARRIER}");
    let encoded =
        format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{}", base64(CARRIER.as_bytes()));
    let saved = format!(
        "Content-Type: application/octet-stream; name=\"work.eml\"\nContent-Transfer-Encoding: base64\n\n{}",
        base64(CARRIER.as_bytes())
    );
    for message in [plain, encoded, saved] {
        let mail = desk("FW: Planned work 17", &mixed(&["Content-Type: text/plain\n\nplease enter this", &message]));
        with_both(&mail, |mail| {
            assert_eq!(mail.defects, []);
            assert_eq!(mail.layers().len(), 2);
            assert_eq!(sender(mail.outer()), Some("desk@example.net"));
            assert_eq!(mail.inner().wrapping, Wrapping::Attached);
            assert_eq!(sender(mail.inner()), Some("noc@carrier.example"));
            assert_eq!(mail.inner().subject, "Planned work 17");
            assert_eq!(mail.inner().date.unwrap().to_string(), "2021-11-01T08:00:00Z");
            assert!(mail.texts.is_empty(), "nothing of the mail around it: {:?}", mail.texts);
            assert_eq!(mail.pages.iter().map(|page| page.trim()).collect::<Vec<_>>(), ["<html><p>Ring é</p></html>"]);
        });
    }
}

#[test]
fn forwards_are_unwrapped_to_the_last_one() {
    let inner = "From: Hub <hub@example.org>\nSubject: Fwd: Planned work 17\nContent-Type: text/plain\n\n\
                 ---------- Forwarded message ---------\nFrom: Carrier NOC <noc@carrier.example>\nDate: Mon, 1 Nov 2021 at 08:00\n\
                 Subject: Planned work 17\nTo: <hub@example.org>\n\nDear customer\n";
    let mail = desk("[maint] FW: Planned work 17", &format!("Content-Type: message/rfc822\n\n{inner}"));
    let mut rewritten = b"X-Original-From: Ada <ada@example.com>\n".to_vec();
    rewritten.extend(mail);
    with_both(&rewritten, |mail| {
        let chain: Vec<_> = mail.layers().iter().map(|layer| (layer.wrapping, sender(layer).unwrap())).collect();
        let expected = [
            (Wrapping::Outermost, "desk@example.net"),
            (Wrapping::List, "ada@example.com"),
            (Wrapping::Attached, "hub@example.org"),
            (Wrapping::Inline, "noc@carrier.example"),
        ];
        assert_eq!(chain, expected);
        assert_eq!(mail.inner().date, None, "the quoted date has no zone");
        assert_eq!(mail.inner().header("Date"), Some("Mon, 1 Nov 2021 at 08:00"));
        assert_eq!(mail.outer().bare_subject(), "Planned work 17");
        assert!(mail.texts[0].contains("Forwarded message"), "the text stays as it is");
    });
}

#[test]
fn of_two_attached_messages_nobody_knows_which() {
    let message = format!("Content-Type: message/rfc822\n\n{CARRIER}");
    let mail = Mail::decode(&desk("FW: both", &mixed(&[&message, &message])));
    assert_eq!(mail.defects, [Defect::SeveralMessages(2)]);
}

#[test]
fn a_mail_without_anything_is_a_mail() {
    for bytes in [&b""[..], b"\n", b"\r\n\r\n", b"no header at all", b"Subject:", b"\0\xff\xfe", b"From: \n\n"] {
        let mail = Mail::decode(bytes);
        assert_eq!(mail.outer().sender, None);
        assert_eq!(mail.outer().date, None);
        assert_eq!(mail.outer().subject, "");
    }
}

#[test]
fn a_body_is_decoded_once() {
    let decoded =
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n<a href=\"?a=3D&b=C3\">é =3D</a>\n";
    with_both(&desk("x", decoded), |mail| {
        assert_eq!(mail.pages, ["<a href=\"?a=3D&b=C3\">é =3D</a>\n"]);
    });
}

#[test]
fn a_flowed_text_has_its_own_lines() {
    let flowed =
        "Content-Type: text/plain; charset=utf-8; format=flowed\n\nStart: 3 Mar \n2031 22:00 \nUTC\n\n>From us\n";
    with_both(&desk("x", flowed), |mail| assert_eq!(mail.texts, ["Start: 3 Mar 2031 22:00 UTC\n\n> From us\n"]));
    let fixed = flowed.replace("; format=flowed", "");
    with_both(&desk("x", &fixed), |mail| assert!(mail.texts[0].starts_with("Start: 3 Mar \n2031")));
}

#[test]
fn eight_bits_without_a_charset_are_read() {
    let mut mail = b"Subject: Wartung M\xfcnchen\n\nD\xe9but: 10 \x80\n".to_vec();
    let latin = Mail::decode(&mail);
    assert_eq!((latin.outer().subject.as_str(), latin.texts[0].as_str()), ("Wartung München", "Début: 10 €\n"));
    mail = "Subject: Wartung München\n\nDébut\n".as_bytes().to_vec();
    let utf8 = Mail::decode(&mail);
    assert_eq!((utf8.outer().subject.as_str(), utf8.texts[0].as_str()), ("Wartung München", "Début\n"));
}

#[test]
fn a_page_is_a_page_whatever_its_label() {
    let page = "<!DOCTYPE html>\n<html><body><p>Planned work</p></body></html>\n";
    let without = format!("From: noc@carrier.example\nSubject: x\n\n{page}");
    for mail in [without.into_bytes(), desk("x", &format!("Content-Type: text/plain\n\n{page}"))] {
        with_both(&mail, |mail| {
            assert_eq!((mail.texts.len(), mail.pages.as_slice()), (0, &[page.to_owned()][..]));
        });
    }
    let prose = Mail::decode(&desk("x", "Content-Type: text/plain\n\n<noc@carrier.example> wrote </p>\n"));
    assert_eq!((prose.texts.len(), prose.pages.len()), (1, 0));
}

#[test]
fn further_parts_stay_behind_the_first() {
    let parts = ["Content-Type: text/html\n\n<p>notice</p>", "Content-Type: text/html\n\n<p>list footer</p>"];
    with_both(&desk("x", &mixed(&parts)), |mail| assert_eq!(mail.pages, ["<p>notice</p>", "<p>list footer</p>"]));
}

#[test]
fn a_sheet_keeps_its_bytes() {
    let sheet: Vec<u8> = "\u{feff}Order\tCircuit\r\nÉ\t1/2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let part = format!(
        "Content-Type: text/csv; charset=UTF-16LE; name=\"circuits.csv\"\nContent-Disposition: attachment; filename=\"circuits.csv\"\n\
         Content-Transfer-Encoding: base64\n\n{}",
        base64(&sheet)
    );
    let details = "Content-Type: text/plain; name=\"=?utf-8?Q?d=C3=A9tails.txt?=\"\n\nmore";
    let continued = "Content-Type: application/pdf;\n name*0*=utf-8''d%C3%A9; name*1*=tails.pdf\n\npdf";
    with_both(&desk("x", &mixed(&["\ntext", &part, details, continued])), |mail| {
        assert_eq!(mail.texts, ["text"]);
        let names: Vec<_> = mail.attachments.iter().map(|found| found.name.as_deref().unwrap()).collect();
        assert_eq!(names, ["circuits.csv", "détails.txt", "détails.pdf"]);
        assert_eq!(mail.attachments[0].content_type, "text/csv");
        assert_eq!(mail.attachments[0].bytes, sheet);
    });
}

#[test]
fn calendars_are_found_once_wherever_they_are() {
    let calendar = "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR";
    let other = "BEGIN:VCALENDAR\nVERSION:2.1\nEND:VCALENDAR";
    let parts = [
        "Content-Type: text/plain\n\ntext".to_owned(),
        format!("Content-Type: text/calendar; method=REQUEST\n\n{calendar}"),
        format!(
            "Content-Type: application/octet-stream; name=\"a.ICS\"\nContent-Transfer-Encoding: base64\n\n{}",
            base64(calendar.as_bytes())
        ),
        format!("Content-Type: text/plain; name=b\nContent-Disposition: attachment\n\n{other}"),
        format!("Content-Type: application/ics\n\n{calendar}\n"),
    ];
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    with_both(&desk("x", &mixed(&parts)), |mail| {
        assert_eq!(mail.calendars, [calendar, other]);
        assert_eq!((mail.texts.len(), mail.attachments.len()), (1, 0));
    });
    let alone = Mail::decode(&desk("x", &format!("Content-Type: text/plain\n\n{calendar}")));
    assert_eq!((alone.texts.len(), alone.calendars.len()), (0, 1));
}

#[test]
fn a_mail_that_was_cut_is_told_from_one_without_its_end() {
    let page = "Content-Type: text/html\n\n<div><table><tr><td>a</td></tr></table></div>\n";
    let related = |rest: &str| format!("Content-Type: multipart/related; boundary=b\n\n--b\n{page}{rest}");
    for whole in [related(""), related("--b\nContent-Type: image/png\n\nnot all of it"), mixed(&[page])] {
        assert_eq!(Mail::decode(&desk("x", &whole)).defects, [], "{whole}");
    }
    let in_the_page = related("").replace("</table></div>\n", "");
    let in_the_text =
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nStart: 1 Nov".to_owned();
    let before_attachments = mixed(&[page]).replace("--b--\n", "");
    let nothing = "Content-Type: multipart/mixed; boundary=b\n\n".to_owned();
    let in_base64 = mixed(&["Content-Transfer-Encoding: base64\n\nV2FydHVuZ"]);
    let nested = mixed(&["Content-Type: multipart/mixed; boundary=c\n\n--c\n\ntext"]);
    let single = page.replace("</table></div>\n", "");
    for cut in [single, in_the_page, in_the_text, before_attachments, nothing, in_base64, nested] {
        assert_eq!(Mail::decode(&desk("x", &cut)).defects, [Defect::CutShort], "{cut}");
    }
}

#[test]
fn the_end_of_a_mail_shows_whether_it_may_go_on() {
    for (mime, ending) in [
        ("Content-Type: text/plain\n\nStart: 1 Nov\n", Ending::Open),
        ("Content-Type: text/plain\n\nStart: 1 No", Ending::Torn),
        ("Content-Type: text/html\n\n<html>Start: 1 Nov<br></html>", Ending::Closed),
        ("Content-Type: text/html\n\n<div>Start</div><div>1 Nov</div>\n", Ending::Balanced),
        ("Content-Type: text/html\n\n<div>Start</div><div>1 Nov\n", Ending::Open),
        ("Content-Type: text/html\n\n<div>Start</div><div>1 No", Ending::Torn),
        ("Content-Transfer-Encoding: quoted-printable\n\nStart: 1 Nov=", Ending::Open),
        ("Content-Type: multipart/mixed; boundary=b", Ending::Open),
        (&mixed(&["Content-Type: text/plain\n\nStart: 1 Nov"]), Ending::Closed),
    ] {
        with_both(&desk("x", mime), |mail| assert_eq!(mail.ending, ending, "{mime}"));
    }
}

#[test]
fn parts_that_are_too_large_are_left_out_and_reported() {
    let text = "x".repeat(LARGEST_TEXT + 1);
    let parts = ["\nsmall".to_owned(), format!("\n{text}"), format!("Content-Type: application/pdf\n\n{text}")];
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let mail = Mail::decode(&desk("x", &mixed(&parts)));
    assert_eq!(mail.defects, [Defect::TooLarge(LARGEST_TEXT + 1)]);
    assert_eq!(mail.texts, ["small"]);
    assert_eq!(mail.attachments[0].bytes.len(), LARGEST_TEXT + 1, "an attachment is no text");

    let large = format!("\n{}", "y".repeat(LARGEST_TEXT));
    let mail = Mail::decode(&desk("x", &mixed(&[large.as_str(); 6])));
    assert_eq!(
        (mail.texts.len(), mail.defects),
        (4, vec![Defect::TooLarge(LARGEST_TEXT)]),
        "together they are too large"
    );
}

#[test]
fn texts_of_too_many_lines_are_left_out_and_reported() {
    let blank = format!("\n{}", "\n".repeat(60_000));
    for (parts, kept) in [(1, 1), (2, 1)] {
        let mail = Mail::decode(&desk("x", &mixed(&vec![blank.as_str(); parts])));
        let defects = if parts == kept { Vec::new() } else { vec![Defect::TooManyLines(100_000)] };
        assert_eq!((mail.texts.len(), mail.defects), (kept, defects), "{parts} parts");
    }
}

#[test]
fn the_same_mail_is_the_same_again() {
    let mail = desk("x", &mixed(&["Content-Type: text/plain\n\nRing =\n", "Content-Type: application/pdf\n\npdf"]));
    let encoded = desk(
        "x",
        &mixed(&[
            "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nUmluZyA9",
            "Content-Type: application/pdf\n\npdf",
        ]),
    );
    let mut relayed = b"Received: from a by b; Tue, 2 Nov 2021 13:31:00 +0000\n".to_vec();
    relayed.extend(&mail);
    let identity = Mail::decode(&mail).identity();
    assert_eq!(identity.message_id.as_deref(), Some("1@example.net"));
    for same in support::with_both_line_ends(&mail).map(|(_, bytes)| bytes).into_iter().chain([encoded, relayed]) {
        assert_eq!(Mail::decode(&same).identity(), identity);
    }
    let other = String::from_utf8(mail).unwrap().replace("Ring", "Rind");
    assert_ne!(Mail::decode(other.as_bytes()).identity(), identity);
}
