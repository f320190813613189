//! Mails after reports from the field: what a careful network engineer would want of each, in a table of our own.

use serde_json::{Value, json};

use crate::support;

/// The wanted outcome of a mail.
enum Wanted {
    /// A reading, by the keys that are named; each maintenance in order. A person is right too if the second is true.
    Read(Value, bool),
    /// It goes to a person.
    Person,
    /// A person, with these ids suggested.
    Suggested(&'static [&'static str]),
}

fn circuit(id: &str, impact: &str) -> Value {
    json!({ "circuit_id": id, "impact": impact })
}

fn second(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_second()
}

fn window(mut maintenance: Value, start: &str, end: &str) -> Value {
    maintenance["start"] = second(start).into();
    maintenance["end"] = second(end).into();
    maintenance
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn wanted() -> Vec<(&'static str, Wanted)> {
    use Wanted::{Person, Read, Suggested};
    let confirmed = |id: &str, start, end, circuits: &[Value]| {
        window(json!({ "status": "CONFIRMED", "maintenance_id": id, "circuits": circuits }), start, end)
    };
    let outage = |id| circuit(id, "OUTAGE");
    vec![
        ("a12-cogent-cancelled-politely", Read(json!([{ "status": "CANCELLED" }]), true)),
        ("a16-zayo-desk-answers-with-new-date", Person),
        (
            "a17-lumen-two-maintenances-in-one-mail",
            Read(
                json!([
                    { "maintenance_id": "31660001", "status": "CONFIRMED", "circuits": [outage("440055171")] },
                    { "maintenance_id": "31660002", "status": "CANCELLED", "circuits": [circuit("440055172", "NO-IMPACT")] },
                ]),
                true,
            ),
        ),
        (
            "b04-tzid-est-defined-with-summer-time",
            Read(json!([window(json!({}), "2027-07-14T05:00:00Z", "2027-07-14T09:00:00Z")]), true),
        ),
        ("b33-one-entry-broken-in-a-digest", Suggested(&["TLW-771"])),
        ("b41-tnef-calendar-inside-known-neutral", Read(json!([{ "status": "CONFIRMED" }]), true)),
        (
            "c17-windstream-digest",
            Read(
                json!([
                    window(json!({ "maintenance_id": "771701" }), "2027-04-13T05:00:00Z", "2027-04-13T11:00:00Z"),
                    window(json!({ "maintenance_id": "771702" }), "2027-04-20T05:00:00Z", "2027-04-20T11:00:00Z"),
                ]),
                true,
            ),
        ),
        ("c30-compact-date-one-digit-short", Person),
        ("c33-cogent-desk-answer-quoted", Person),
        (
            "c37-turkcell-gmt-plus-3",
            Read(json!([window(json!({}), "2027-04-12T21:00:00Z", "2027-04-13T04:00:00Z")]), true),
        ),
        ("f13-zayo-completed-window", Person),
        (
            "f14-lumen-alt-circuit-only",
            Read(
                json!([confirmed(
                    "31550900",
                    "2027-03-10T00:00:00Z",
                    "2027-03-10T06:00:00Z",
                    &[outage("KRGN-771204")]
                )]),
                false,
            ),
        ),
        (
            "f20-aws-text-start-time-label",
            Read(
                json!([window(
                    json!({ "status": "CONFIRMED", "circuits": [
                outage("dxvif-fg3d4e5f"), outage("dxcon-fh7a1b2c"), outage("dxlag-fh847853"),
            ] }),
                    "2027-04-14T09:00:00Z",
                    "2027-04-14T13:00:00Z"
                )]),
                false,
            ),
        ),
        (
            "f21-aws-complete",
            Read(
                json!([window(
                    json!({ "status": "COMPLETED", "circuits": [outage("dxvif-fg3d4e5f")] }),
                    "2027-04-15T21:02:00Z",
                    "2027-04-16T04:02:00Z"
                )]),
                false,
            ),
        ),
        (
            "f22-retn-opened",
            Read(
                json!([confirmed(
                    "PW-40200117",
                    "2027-04-13T16:00:00Z",
                    "2027-04-13T22:00:00Z",
                    &[outage("WLP-550017-1.DE.FRA.EQ5-NL.AMS.NKF-100G"), outage("IPP-550017-2.DE.FRA.EQ5")]
                )]),
                true,
            ),
        ),
        (
            "f27-summitig-utc-list",
            Read(
                json!([confirmed(
                    "SIG-EV-7711",
                    "2027-04-21T04:00:00Z",
                    "2027-04-21T10:00:00Z",
                    &[outage("SIG-004411 Brightloop"), outage("SIG-004412 Brightloop")]
                )]),
                true,
            ),
        ),
        (
            "f29-flag-backup-columns",
            Read(
                json!([confirmed(
                    "PWMR2027040900117",
                    "2027-04-27T04:01:00Z",
                    "2027-04-27T10:00:00Z",
                    &[outage("RGWLS55017"), circuit("RGWLS55018", "REDUCED-REDUNDANCY")]
                )]),
                false,
            ),
        ),
        (
            "f32-cirion-scheduled-three-languages",
            Read(
                json!([confirmed(
                    "CHG0090117",
                    "2027-04-13T03:00:00Z",
                    "2027-04-13T10:00:00Z",
                    &[outage("81-BRIGHT")]
                )]),
                true,
            ),
        ),
        ("f33-kpn-xlsx-dutch", Person),
        (
            "f42-bcop-two-ids-precedence",
            Read(
                json!([confirmed(
                    "TLW-771",
                    "2027-06-14T22:00:00Z",
                    "2027-06-15T02:00:00Z",
                    &[outage("TL/10GE/0042")]
                )]),
                false,
            ),
        ),
        (
            "f55-telxius-cancelled-as-published",
            Read(json!([{ "status": "CANCELLED", "maintenance_id": "SWX0055055", "circuits": [] }]), true),
        ),
    ]
}

/// Returns what is wrong with an outcome; `None` if it is as wanted.
fn objection(wanted: &Wanted, actual: &Value) -> Option<String> {
    let is_handed_over = actual["outcome"] == "failed" || actual["outcome"] == "unrecognised";
    let is_wanted = match wanted {
        Wanted::Person => is_handed_over,
        Wanted::Suggested(ids) => {
            let suggested =
                actual["suggestion"].as_array().unwrap().iter().map(|one| one["maintenance_id"].as_str().unwrap());
            is_handed_over && suggested.eq(ids.iter().copied())
        }
        Wanted::Read(_, true) if is_handed_over => true,
        Wanted::Read(expected, _) => {
            let (expected, read) = (expected.as_array().unwrap(), actual["maintenances"].as_array().unwrap());
            let has_all = |expected: &Value, read: &Value| {
                expected.as_object().unwrap().iter().all(|(key, value)| read[key] == *value)
            };
            expected.len() == read.len() && expected.iter().zip(read).all(|(expected, read)| has_all(expected, read))
        }
    };
    (!is_wanted).then(|| serde_json::to_string_pretty(actual).unwrap())
}

#[test]
fn every_mail_from_the_field_is_read_or_handed_over() {
    let Some(folder) = support::beside("field", "shared/field/mails") else { return };
    let (mut readings, mut handed_over, mut wrong) = (0, 0, Vec::new());
    for (name, wanted) in wanted() {
        let mail = std::fs::read(folder.join(name).join("mail.eml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        for (ends, bytes) in support::with_both_line_ends(&mail) {
            let actual = support::parse(&bytes);
            readings += 1;
            handed_over += usize::from(actual["outcome"] != "maintenance");
            wrong.extend(objection(&wanted, &actual).map(|actual| format!("--- {name} {ends}\n{actual}")));
        }
    }
    let unknown = support::folders(&folder)
        .iter()
        .filter(|path| wanted().iter().all(|(name, _)| *name != support::name(path)))
        .count();
    println!(
        "field: {readings} readings, {handed_over} to a person, {unknown} mails without an expectation; {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
