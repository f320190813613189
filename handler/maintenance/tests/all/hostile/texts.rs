//! Attacks by plain text: what a reader of notices, of quotations and of words of change takes long for.

use super::{Shape, fill, one_of, pieces, plain};

pub(super) const SHAPES: &[Shape] = &[
    ("one line", |rng, size| {
        plain(&fill(
            one_of(
                rng,
                &["a", "a ", "word, ", "1", "1 ", "10:00 ", "-", "_", ": ", "/", ".", "#", "=", "(", "[", "<", "*"],
            ),
            size - 60,
        ))
    }),
    ("short lines", |rng, size| {
        plain(&fill(
            one_of(
                rng,
                &["\r\n", "a\r\n", " \r\n", "-\r\n", "----\r\n", "\t\r\n", ":\r\n", "> \r\n", "|\r\n", "1\r\n"],
            ),
            size - 60,
        ))
    }),
    ("dates", |rng, size| {
        plain(&fill(
            one_of(
                rng,
                &[
                    "Start: 1 Jan 2031 10:00 UTC\r\n",
                    "2031-01-01 10:00\r\n",
                    "01/02/2031 10:00 - 12:00\r\n",
                    "Thursday, January 2nd, 2031 at 10:00 PM (CET)\r\n",
                    "1 Jan 2031 ",
                    "10:00 UTC+1 ",
                    "2031-01-01T10:00:00Z/",
                    "den 1. Januar 2031, 10 Uhr\r\n",
                    "20310101 1000 ",
                    "Jan Feb Mar ",
                    "1/2/3/4/5/",
                ],
            ),
            size - 60,
        ))
    }),
    ("windows", |_, size| {
        plain(&pieces(size - 60, |number| {
            format!(
                "Window {number}: from {} Jan 2031 {:02}:00 to {} Jan 2031 {:02}:30 UTC\r\n",
                number % 28 + 1,
                number % 24,
                number % 28 + 1,
                number % 24
            )
        }))
    }),
    ("circuits", |rng, size| {
        let form = one_of(
            rng,
            &["Circuit ID: C\r\n", "C,", "C\r\n", "C/", "Affected service: C - Impact: Outage\r\n", "  * C (10G)\r\n"],
        );
        plain(&pieces(size - 60, |number| form.replace('C', &format!("OGYX/{number:06}//ZYO"))))
    }),
    ("labels", |rng, size| {
        plain(&pieces(size - 60, |number| {
            format!(
                "{}{}: value {number}\r\n",
                "Label ".repeat(rng.usize(1..5)),
                one_of(rng, &["Start", "End", "Impact", "Reference", "Location", "Zeitraum", "Fecha"])
            )
        }))
    }),
    ("words of change", |rng, size| {
        let words: Vec<_> = (0..20)
            .map(|_| {
                one_of(
                    rng,
                    &[
                        "rescheduled",
                        "cancelled",
                        "postponed",
                        "not",
                        "has been",
                        "will be",
                        "the",
                        "maintenance",
                        "work",
                        "moved to",
                        "completed",
                        "no longer",
                        "except",
                        "instead of",
                        "verschoben",
                        "aplazado",
                        ",",
                        ".",
                        "\r\n",
                        "\r\n\r\n",
                        ";",
                    ],
                )
            })
            .collect();
        plain(&fill(&format!("{} ", words.join(" ")), size - 60))
    }),
    ("words of change without an end", |_, size| plain(&fill("the work is rescheduled and not cancelled ", size - 60))),
    ("times and zones", |rng, size| {
        plain(&pieces(size - 60, |_| {
            format!(
                "{:02}:{:02} {} ",
                rng.u8(..30),
                rng.u8(..70),
                one_of(
                    rng,
                    &["UTC", "GMT+3", "CET", "a.m.", "London", "UTC-03:00", "Sao Paulo", "h", "(local time)", "IST"]
                )
            )
        }))
    }),
    ("quotation marks of mails", |rng, size| {
        plain(&fill(&format!("{}a\r\n", "> ".repeat(rng.usize(1..400))), size - 60))
    }),
    ("quotation marks of growing depth", |_, size| {
        plain(&pieces(size - 60, |depth| format!("{} a\r\n", ">".repeat(depth % 3_000))))
    }),
    ("forwards in forwards", |rng, size| {
        let intro = one_of(
            rng,
            &[
                "---------- Forwarded message ---------",
                "-----Original Message-----",
                "Begin forwarded message:",
                "________________________________",
                "On Mon, 1 Jan 2031, NOC <a@b.example> wrote:",
            ],
        );
        plain(&fill(
            &format!(
                "{intro}\r\nFrom: NOC <noc@carrier.example>\r\nSent: Monday, 1 January 2031 10:00\r\nTo: a@b.example\r\nSubject: Works\r\n\r\n"
            ),
            size - 60,
        ))
    }),
    ("headers of forwards without an end", |_, size| {
        plain(&format!("-----Original Message-----\r\n{}", fill("From: NOC <noc@carrier.example>\r\n", size - 100)))
    }),
    ("answers above answers", |_, size| {
        plain(&fill(
            "Thanks.\r\n\r\nOn Mon, Jan 1, 2031 at 10:00 AM NOC <noc@carrier.example>\r\nwrote:\r\n",
            size - 60,
        ))
    }),
    ("lines that flow", |rng, size| {
        let line = format!("{}a \r\n", ">".repeat(rng.usize(..3)));
        format!(
            "Content-Type: text/plain; format=flowed; delsp={}\r\n\r\n{}",
            one_of(rng, &["yes", "no"]),
            fill(&line, size - 100)
        )
    }),
    ("marks and signs of other scripts", |rng, size| {
        plain(&fill(
            one_of(
                rng,
                &[
                    "\u{301}",
                    "\u{200d}\u{1f468}",
                    "\u{202e}a",
                    "\u{feff}",
                    "\u{5e74}\u{6708}\u{65e5}",
                    "\u{130}",
                    "\u{df}\u{1e9e}",
                    "\u{fb01}",
                    "\u{2028}",
                ],
            ),
            size - 60,
        ))
    }),
    ("columns of text", |rng, size| {
        plain(&pieces(size - 60, |number| {
            format!("EX-{number:<20}{:<30}Outage{}10:00\r\n", "Frankfurt", " ".repeat(rng.usize(1..40)))
        }))
    }),
    ("rulers", |rng, size| {
        plain(&fill(
            &format!("{}\r\na | b | c\r\n", one_of(rng, &["+---+---+", "=========", "|---|---|", "*********"])),
            size - 60,
        ))
    }),
    ("HTML as text", |_, size| {
        plain(&format!("<html>{}", fill("<p>Start: <b>1 Jan 2031 10:00 UTC</b></p>\r\n", size - 80)))
    }),
    ("separated values", |rng, size| {
        let line = one_of(rng, &["a,b,c\r\n", "\"a\"\"", ",", "\"a,b\r\n", "a\tb\r\n", ";\r\n", "\"\""]);
        format!(
            "Content-Type: text/csv; name=\"a.csv\"\r\nContent-Disposition: attachment; filename=\"a.csv\"\r\n\r\n{}",
            fill(line, size - 140)
        )
    }),
];
