//! Attacks by the tree of parts, and by header fields.

use super::{Shape, fill, numbered, one_of, pieces};

/// Shapes of trees of MIME parts.
pub(super) const SHAPES: &[Shape] = &[
    ("parts in parts", |_, size| {
        pieces(size, |depth| format!("Content-Type: multipart/mixed; boundary=\"b{depth}\"\r\n\r\n--b{depth}\r\n"))
    }),
    ("parts in parts with one boundary", |rng, size| {
        let boundary = "b".repeat(rng.usize(1..60));
        fill(&format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n"), size)
    }),
    ("parts beside parts", |rng, size| {
        let kind = one_of(rng, &["mixed", "alternative", "related", "digest", "report", "signed"]);
        let part = one_of(
            rng,
            &[
                "\r\na\r\n",
                "Content-Type: text/html\r\n\r\n<p>a</p>\r\n",
                "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n",
            ],
        );
        format!(
            "Content-Type: multipart/{kind}; boundary=b\r\n\r\n{}--b--\r\n",
            fill(&format!("--b\r\n{part}"), size - 80)
        )
    }),
    ("boundaries that begin alike", |_, size| {
        let body = pieces(size - 80, |number| format!("--{}\r\n", "b".repeat(number % 70)));
        format!("Content-Type: multipart/mixed; boundary=bbb\r\n\r\n{body}--bbb--\r\n")
    }),
    ("lines that are nearly a boundary", |_, size| {
        let boundary = "-".repeat(69);
        format!(
            "Content-Type: multipart/mixed; boundary=\"{boundary}x\"\r\n\r\n{}",
            fill(&format!("--{boundary}\r\n"), size - 100)
        )
    }),
    ("a boundary of dashes", |_, size| {
        format!("Content-Type: multipart/mixed; boundary=\"{}\"\r\n\r\n{}", "-".repeat(60), fill("-", size - 120))
    }),
    ("messages in messages", |_, size| fill("Content-Type: message/rfc822\r\n\r\nSubject: a\r\n", size)),
    ("messages beside messages", |rng, size| {
        let fields = "X: y\r\n".repeat(rng.usize(0..40));
        let part = format!("--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\n{fields}\r\na\r\n");
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", fill(&part, size - 80))
    }),
    ("encoded messages in encoded messages", |_, size| {
        let mut entity = String::from("Content-Type: text/plain\r\n\r\nend\r\n");
        while entity.len() < size / 2 {
            let inner = crate::workbooks::base64(format!("From: a@b.example\r\n{entity}").as_bytes());
            if inner.len() > size - 200 {
                break;
            }
            entity = format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{inner}");
        }
        entity
    }),
    ("attachments with long names", |rng, size| {
        let name = "n".repeat(rng.usize(10..1_900));
        let part = format!(
            "--b\r\nContent-Type: application/x; name=\"{name}.xlsx\"\r\nContent-Disposition: attachment; filename=\"{name}.csv\"\r\n\r\na,b\r\n"
        );
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", fill(&part, size - 80))
    }),
    ("a winmail.dat", |rng, size| {
        let header = "\u{78}\u{9f}\u{3e}\u{22}";
        let body = crate::workbooks::base64(fill(&format!("{header}\0\0\u{1}"), size / 4 * 3 - size / 20).as_bytes());
        let kind = one_of(rng, &["application/ms-tnef", "application/octet-stream"]);
        format!(
            "Content-Type: {kind}; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            &body[..body.len().min(size - 200)]
        )
    }),
    ("soft line breaks", |_, size| {
        format!(
            "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>{}",
            fill("=\r\n", size - 100)
        )
    }),
    ("stray equals signs", |rng, size| {
        let stray = one_of(rng, &["=", "= ", "=3", "=\t\t\t\t\t\t\t\t", "=0=41", "=\r"]);
        format!(
            "Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            fill(stray, size - 100)
        )
    }),
    ("blank base64", |rng, size| {
        let blank = one_of(rng, &[" ", "=", "\r\n", "A\r\n", "=\r\n", "A==A"]);
        format!("Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", fill(blank, size - 100))
    }),
    ("charsets", |rng, size| {
        let charset = one_of(
            rng,
            &[
                "utf-7",
                "iso-2022-jp",
                "iso-2022-kr",
                "iso-2022-cn",
                "hz-gb-2312",
                "gb18030",
                "big5",
                "utf-16",
                "utf-16be",
                "utf-32",
                "x-user-defined",
                "windows-1252",
                "ibm866",
                "x-mac-cyrillic",
                "no-such",
            ],
        );
        let text = one_of(
            rng,
            &[
                "+AGEAYgBj-",
                "\u{1b}$B%a\u{1b}(B",
                "\u{1b}(J",
                "~{<:Ky~}",
                "\u{e}A\u{f}",
                "a\0",
                "\u{80}",
                "\u{ff}",
                "\u{20ac}",
            ],
        );
        let kind = one_of(rng, &["plain", "html", "calendar"]);
        format!("Content-Type: text/{kind}; charset={charset}\r\n\r\n{}", fill(text, size - 100))
    }),
];

/// Header fields: those of the mail itself, before its text.
pub(super) const HEADS: &[Shape] = &[
    ("fields", |rng, size| {
        let field = one_of(
            rng,
            &[
                "A: b\r\n",
                "Received: from a by b\r\n",
                "Auto-Submitted: no\r\n",
                "A:\r\n",
                "List-Id: <a.b>\r\n",
                "ARC-Seal: i=1\r\n",
            ],
        );
        format!("{}\r\nbody", fill(field, size - 10))
    }),
    ("a long field", |rng, size| {
        let name = one_of(
            rng,
            &[
                "Subject",
                "References",
                "To",
                "Reply-To",
                "X",
                "Comments",
                "List-Id",
                "X-Original-From",
                "Received",
                "Sender",
            ],
        );
        format!(
            "{name}: {}\r\n\r\nbody",
            fill(
                one_of(rng, &["a", "a ", "<a@b>, ", "(", "\"", "[a] ", "Re: ", "Fwd: Re: ", "=?", "\u{e4}"]),
                size - 100
            )
        )
    }),
    ("a long folded field", |rng, size| {
        let name = one_of(rng, &["Subject", "References", "X-Original-From", "Keywords", "List-Id"]);
        format!(
            "{name}: a{}\r\n\r\nbody",
            fill(one_of(rng, &["\r\n a", "\r\n\t", "\r\n  ", "\r\n [a]", "\r\n Re:"]), size - 100)
        )
    }),
    ("continued parameters", |_, size| {
        let value = pieces(size - 200, |number| format!(";\r\n name*{number}*=%41%42"));
        format!("Content-Type: text/plain{value}\r\n\r\nbody")
    }),
    ("continued parameters of many parts", |rng, size| {
        let parameters: String = numbered(rng.usize(50..150), |number| format!("; filename*{number}*=a"));
        let part = format!(
            "--b\r\nContent-Type: text/plain; charset=\"{0}\"\r\nContent-Disposition: attachment{parameters}\r\n\r\na\r\n",
            "=?utf-8?q?a?=".repeat(20)
        );
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n", fill(&part, size - 80))
    }),
    ("encoded words", |rng, size| {
        let word = one_of(
            rng,
            &[
                "=?utf-8?q?=C3?= ",
                "=?iso-2022-jp?b?GyRC?= ",
                "=?utf-8?b?//8=?=",
                "=?a?q?x",
                "=?utf-8?q?",
                "=?utf-16?q?=00a?= ",
                "=?utf-8?q?=3D=3F?= =?a?q?b?= ",
            ],
        );
        let name = one_of(rng, &["Subject", "X-A", "Reply-To", "List-Id"]);
        format!("{name}: {}\r\n\r\nbody", fill(word, size - 100))
    }),
    ("encoded words in many fields", |rng, size| {
        let word = "=?utf-8?q?=C3=A4_a?= ".repeat(rng.usize(1..60));
        format!("{}\r\nbody", fill(&format!("Subject: {word}\r\n"), size - 10))
    }),
    ("addresses", |rng, size| {
        let name = one_of(rng, &["To", "Cc", "X-Original-From", "X-Original-Sender", "Reply-To"]);
        let address = one_of(
            rng,
            &["a@b.example, ", "g: a@b, c@d; ", "((((", "<<<<", "\"a\\\"", "a (b (c)) <d@e>, ", "@a,@b:c@d, "],
        );
        format!("{name}: {}\r\n\r\nbody", fill(address, size - 100))
    }),
    ("fields of parts", |rng, size| {
        let fields = "Content-Language: en\r\n".repeat(rng.usize(1..400));
        format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
            fill(&format!("--b\r\n{fields}\r\na\r\n"), size - 80)
        )
    }),
];
