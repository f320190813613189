//! Mails of senders that nobody knows: what they state under labels is suggested, and nothing else is. A notice is written in
//! many ways and says the same; whatever it lacks, or states twice, leaves nothing to suggest.

use mail::Mail;
use notice::{fallback, source::Source};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use crate::support;

/// The content of a notice of an unknown carrier.
#[derive(Debug, Clone)]
struct Notice {
    id: (&'static str, String),
    /// The start in seconds since the epoch, and how long it takes in minutes.
    window: (i64, i64),
    zone: (&'static str, i64),
    layout: Layout,
    circuits: Vec<String>,
    impact: Option<(&'static str, &'static str)>,
    status: Option<(&'static str, &'static str)>,
    order: usize,
    footer: &'static str,
    is_forwarded: bool,
}

/// The form in which a notice states its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Lines,
    Bars,
    Page,
    Rows,
    Columns,
}

fn notice() -> impl Strategy<Value = Notice> {
    let zones = [("UTC", 0), ("GMT", 0), ("CET", 60), ("EST", -300), ("UTC+8", 480), ("(SGT)", 480), ("+0530", 330)];
    let labels = ["Maintenance ID", "Ticket", "Change reference", "CR Number", "Our Ref", "Planned work no."];
    let impacts =
        [("Outage", "OUTAGE"), ("At risk", "REDUCED-REDUNDANCY"), ("No impact", "NO-IMPACT"), ("Degraded", "DEGRADED")];
    let statuses = [
        ("Planned", "CONFIRMED"),
        ("Cancelled", "CANCELLED"),
        ("Rescheduled", "RE-SCHEDULED"),
        ("Completed", "COMPLETED"),
    ];
    let layouts = [Layout::Lines, Layout::Bars, Layout::Page, Layout::Rows, Layout::Columns];
    let footers = [
        "",
        "Kind regards,\nNetwork Operations\n+44 20 7946 0000",
        "--\nExample Carrier | 1 Example Street | www.carrier.example",
        "Thank you.\n\nThis mail is for its recipient alone. Ref the terms at www.carrier.example/terms",
    ];
    let what = (
        select(labels.to_vec()),
        "[A-Z]{2,4}-?[0-9]{4,8}",
        1_900_000_000_i64..2_200_000_000,
        30..1_440_i64,
        select(zones.to_vec()),
        select(layouts.to_vec()),
    );
    let rest = (
        prop::collection::btree_set("[A-Z]{2,3}/[0-9]{2,6}/[A-W]{3}", 1..6),
        prop::option::of(select(impacts.to_vec())),
        prop::option::of(select(statuses.to_vec())),
        any::<usize>(),
        select(footers.to_vec()),
        any::<bool>(),
    );
    (what, rest).prop_map(
        |((label, id, start, minutes, zone, layout), (circuits, impact, status, order, footer, is_forwarded))| Notice {
            id: (label, id),
            window: (start - start % 60, minutes),
            zone,
            layout,
            circuits: circuits.into_iter().collect(),
            impact,
            status,
            order,
            footer,
            is_forwarded,
        },
    )
}

impl Notice {
    /// Returns a time in the notice's zone, in one of several forms.
    fn time(&self, seconds: i64) -> String {
        let local = jiff::Timestamp::from_second(seconds + self.zone.1 * 60).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        let format =
            ["%Y-%m-%d %H:%M", "%d %b %Y, %H:%M", "%A, %d %B %Y %I:%M %p", "%b %d, %Y %H:%M:00"][self.order % 4];
        format!("{} {}", local.strftime(format), self.zone.0)
    }

    /// Labels and values in some order, without the circuits.
    fn fields(&self) -> Vec<(String, String)> {
        let (start, end) = (self.window.0, self.window.0 + self.window.1 * 60);
        let mut fields = vec![(self.id.0.to_owned(), self.id.1.clone())];
        match self.order % 3 {
            0 => fields.push(("Maintenance window".to_owned(), format!("{} - {}", self.time(start), self.time(end)))),
            1 => {
                fields.push(("Planned Start Time".to_owned(), self.time(start)));
                fields.push(("Planned End Time".to_owned(), self.time(end)));
            }
            _ => {
                fields.push(("Begin".to_owned(), self.time(start)));
                fields.push(("Until".to_owned(), self.time(end)));
            }
        }
        fields.push(("Location".to_owned(), "Lisbon, Portugal".to_owned()));
        fields.push(("Description".to_owned(), "a line card is replaced".to_owned()));
        fields.extend(self.status.map(|(said, _)| ("Status".to_owned(), said.to_owned())));
        fields.extend(self.impact.map(|(said, _)| ("Impact".to_owned(), said.to_owned())));
        let by = self.order % fields.len();
        fields.rotate_left(by);
        fields
    }

    /// Returns the body, and whether it is a page.
    fn body(&self) -> (String, bool) {
        let mut fields = self.fields();
        let opening = "Dear customer,\n\nwe announce network maintenance.\n";
        let label = ["Affected circuits", "Circuit ID", "Service IDs"][self.order % 3];
        if self.layout == Layout::Columns {
            let headings = format!("{label} | Location\n");
            let rows = self.circuits.iter().map(|circuit| format!("{circuit} | Lisbon\n")).collect::<Vec<_>>().concat();
            let lines = fields.iter().map(|(label, value)| format!("{label}: {value}\n")).collect::<Vec<_>>().concat();
            return (format!("{opening}\n{lines}\n{headings}{rows}\n{}\n", self.footer), false);
        }
        if self.layout == Layout::Rows {
            let rows = self.circuits.iter().map(|circuit| format!("<tr><td>{circuit}</td><td>10G</td></tr>"));
            let table: String = rows.collect();
            let lines = fields
                .iter()
                .map(|(label, value)| format!("<b>{label}:</b> {value}<br>\n"))
                .collect::<Vec<_>>()
                .concat();
            let page = format!(
                "<p>{opening}</p><p>{lines}</p><table><tr><th>{label}</th><th>Bandwidth</th></tr>{table}</table>"
            );
            return (format!("<html><body>{page}<p>{}</p></body></html>\n", self.footer.replace('\n', "<br>")), true);
        }
        fields.insert(self.order % fields.len(), (label.to_owned(), self.circuits.join(", ")));
        let row = |(label, value): &(String, String)| match self.layout {
            Layout::Bars => format!("| {label} | {value} |\n"),
            Layout::Page => format!("<tr><td>{label}</td><td>{value}</td></tr>\n"),
            _ => format!("{label}: {value}\n"),
        };
        let rows: String = fields.iter().map(row).collect();
        match self.layout {
            Layout::Page => (
                format!(
                    "<html><body><p>{opening}</p><table>{rows}</table><p>{}</p></body></html>\n",
                    self.footer.replace('\n', "<br>")
                ),
                true,
            ),
            _ => (format!("{opening}\n{rows}\n{}\n", self.footer), false),
        }
    }

    fn mail(&self, body: &str, is_page: bool) -> Vec<u8> {
        let kind = if is_page { "html" } else { "plain" };
        let original = "From: NOC <noc@carrier.example>\nDate: Fri, 3 Feb 2040 09:00:00 +0000\nSubject: Network notice";
        let part = format!("Content-Type: text/{kind}; charset=utf-8\n\n{body}\n--b--\n");
        let mixed = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n";
        if self.is_forwarded {
            let head = "From: desk@networks.example\nDate: Fri, 3 Feb 2040 09:30:00 +0000\nSubject: FW: see below\n";
            let inner = format!("{original}\n{}", part.replace("\n--b--\n", ""));
            format!("{head}{mixed}Content-Type: message/rfc822\n\n{inner}\n--b--\n").into_bytes()
        } else {
            format!("{original}\n{mixed}{part}").into_bytes()
        }
    }

    fn expected(&self) -> Value {
        let impact = self.impact.map_or("OUTAGE", |(_, impact)| impact);
        let circuits: Vec<_> = self.circuits.iter().map(|id| json!({"circuit_id": id, "impact": impact})).collect();
        json!({
            "id": self.id.1, "start": self.window.0, "end": self.window.0 + self.window.1 * 60, "circuits": circuits,
            "status": self.status.map_or("CONFIRMED", |(_, status)| status), "provider": "unknown", "organizer": "noc@carrier.example",
        })
    }
}

/// Returns the suggestion, in the keys of [`Notice::expected`].
fn suggested(mail: &[u8]) -> Option<Value> {
    let reading = support::parse(mail);
    assert_eq!(
        (reading["outcome"].as_str(), &reading["maintenances"]),
        (Some("unrecognised"), &json!([])),
        "{reading}"
    );
    let read = reading["suggestion"].as_array().unwrap();
    assert!(read.len() < 2, "{reading}");
    let read = read.first()?;
    Some(json!({
        "id": read["maintenance_id"], "start": read["start"], "end": read["end"], "circuits": read["circuits"],
        "status": read["status"], "provider": read["provider"], "organizer": read["organizer"],
    }))
}

proptest! {
    #[test]
    fn statements_are_suggested_in_any_form(notice in notice()) {
        let (body, is_page) = notice.body();
        prop_assert_eq!(suggested(&notice.mail(&body, is_page)), Some(notice.expected()), "{}", body);
    }

    #[test]
    fn a_missing_statement_leaves_no_suggestion(notice in notice(), which in 0..5_usize) {
        let (body, is_page) = notice.body();
        let (start, end) = (notice.time(notice.window.0), notice.time(notice.window.0 + notice.window.1 * 60));
        let without_zone = |time: &str| time.strip_suffix(notice.zone.0).unwrap().trim_end().to_owned();
        let lacking = match which {
            0 => body.replace(&notice.id.1, "see above"),
            1 => body.replace(&end, &without_zone(&end)),
            2 => body.replace(&start, "tomorrow").replace(&end, "the day after"),
            3 => notice.circuits.iter().fold(body.clone(), |body, circuit| body.replace(circuit, "several")),
            _ => body.replace(&end, &start),
        };
        prop_assert_ne!(&lacking, &body);
        prop_assert_eq!(suggested(&notice.mail(&lacking, is_page)), None, "{}", lacking);
    }

    #[test]
    fn a_repeated_statement_leaves_no_suggestion(notice in notice(), which in 0..3_usize) {
        let lines = Notice { layout: Layout::Lines, ..notice.clone() };
        let (body, _) = lines.body();
        let other = lines.time(lines.window.0 + 86_400 * 3);
        let again = [format!("{}: OTHER-{}77", notice.id.0, notice.order % 7), format!("Start: {other}"), "Status: Wobbly".to_owned()];
        let twice = body.replacen("Location:", &format!("{}\nLocation:", again[which]), 1);
        prop_assert_ne!(&twice, &body);
        prop_assert_eq!(suggested(&lines.mail(&twice, false)), None, "{}", twice);
    }
}

/// Known carriers' notices, read as if nobody knew them: the suggestion is what their own readers read.
#[test]
fn suggestions_for_known_carriers_match_their_readers() {
    let (mut same, mut none, mut wrong) = (0, 0, Vec::new());
    for mail in support::own_mails().into_iter().chain(support::corpus_mails()) {
        let reading = support::parse(&mail.bytes);
        let decoded = Mail::decode(&mail.bytes);
        for suggestion in reading["suggestion"].as_array().unwrap() {
            println!("{} ({}): {} suggests {suggestion}", mail.name, reading["outcome"], reading["reason"]);
        }
        if reading["outcome"] != "maintenance" || reading["provider"] == "turkcell" {
            continue;
        }
        let suggestion = fallback::suggest(&Source::new(&decoded, &fallback::UNKNOWN));
        let Some(suggested) = suggestion.first() else {
            none += 1;
            continue;
        };
        let (start, end) =
            suggested.window().map(|window| (window.start().as_second(), window.end().as_second())).unzip();
        let ids = |read: &Value| {
            read["circuits"].as_array().unwrap().iter().map(|one| one["circuit_id"].clone()).collect::<Vec<_>>()
        };
        let circuits: Vec<Value> = suggested.circuits().iter().map(|circuit| circuit.id().into()).collect();
        let is_right = reading["maintenances"].as_array().unwrap().iter().any(|read| {
            read["maintenance_id"] == suggested.id()
                && read["start"].as_i64() == start
                && read["end"].as_i64() == end
                && read["status"] == suggested.status().word()
                && ids(read) == circuits
        });
        if is_right && reading["maintenances"].as_array().unwrap().len() == 1 {
            same += 1;
        } else {
            let said = (suggested.id(), start, end, suggested.status().word(), circuits);
            wrong.push(format!("{}: {said:?}, but {}", mail.name, reading["maintenances"]));
        }
    }
    println!("{same} suggested rightly, {none} not, {} wrongly", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_mail_that_states_more_than_a_notice_is_left_alone_soon() {
    let head = "From: noc@carrier.example\nDate: Mon, 3 Feb 2031 09:00:00 +0000\nSubject: maintenance\n\n";
    let time = "Start: 2031-03-12 22:00 UTC\n";
    for line in
        ["Circuit: EX/17\n", "Ticket: EX-17\n", time, "Start:\n\n", "Circuit ID | Start\n", "a | b\nCircuit\tStart\n"]
    {
        let began = std::time::Instant::now();
        assert_eq!(suggested(format!("{head}{}", line.repeat(1_000_000 / line.len())).as_bytes()), None);
        assert_eq!(suggested(format!("{head}{}", line.repeat(900)).as_bytes()), None, "{line}");
        // Without optimisation, on a machine that does other things as well.
        assert!(began.elapsed().as_secs() < 20, "{line}: {:?}", began.elapsed());
    }
}
