//! Renders maintenances as a table. For a person at a terminal: each circuit beside the window, in UTC and in local
//! time. For a program: one line per circuit with everything, so that `grep CIRCUIT` finds its window.

use comfy_table::{ContentArrangement, Table, presets};
use console::Style;
use contract::maintenance::Record;
use jiff::{Timestamp, tz::TimeZone};
use notice::model::{Impact, Status};

use super::look::{Look, clean};

/// Format of a time.
const TIME: &str = "%Y-%m-%d %H:%M";
/// Format of a time with its offset, where the zone is not obvious.
const TIME_WITH_OFFSET: &str = "%Y-%m-%d %H:%M %:z";

/// Returns a table of these maintenances, without a line feed at its end; empty without any.
pub(crate) fn maintenances(records: &[Record<'_>], look: &Look) -> String {
    if records.is_empty() {
        return String::new();
    }
    match look.width {
        Some(width) => for_a_person(records, look, width),
        None => for_a_program(records, look),
    }
}

/// Renders one row per circuit, nothing wrapped or left out.
fn for_a_program(records: &[Record<'_>], look: &Look) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header([
        "MAINTENANCE".to_owned(),
        "STATUS".to_owned(),
        "START (UTC)".to_owned(),
        "END (UTC)".to_owned(),
        "START (local)".to_owned(),
        "END (local)".to_owned(),
        "CIRCUIT".to_owned(),
        "IMPACT".to_owned(),
    ]);
    for record in records {
        let circuits: Vec<_> = record.circuits.iter().map(|circuit| (circuit.id(), circuit.impact().word())).collect();
        for (circuit, impact) in if circuits.is_empty() { vec![("-", "-")] } else { circuits } {
            table.add_row([
                clean(&record.maintenance_id),
                record.status.word().to_owned(),
                time(record.start, &TimeZone::UTC, TIME),
                time(record.end, &TimeZone::UTC, TIME),
                time(record.start, &look.zone, TIME_WITH_OFFSET),
                time(record.end, &look.zone, TIME_WITH_OFFSET),
                clean(circuit),
                impact.to_owned(),
            ]);
        }
    }
    lines(&table)
}

/// Renders one block per maintenance, fitted to the terminal: start and end below each other, the circuits beside them.
fn for_a_person(records: &[Record<'_>], look: &Look, width: usize) -> String {
    let blocks: Vec<_> = records.iter().map(|record| block(record, look, width)).collect();
    blocks.join("\n\n")
}

fn block(record: &Record<'_>, look: &Look, width: usize) -> String {
    let mut lines_of_block = vec![format!(
        "{}  {}",
        look.paint(Style::new().bold(), &clean(&record.maintenance_id)),
        look.paint(style_of_status(record.status), record.status.word())
    )];
    for (label, text) in [("account", &record.account), ("summary", &record.summary)] {
        if !text.is_empty() {
            lines_of_block.push(format!("{label:<9}{}", clean(&text.split_whitespace().collect::<Vec<_>>().join(" "))));
        }
    }
    lines_of_block.push(window(record, look));
    if !record.circuits.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).force_no_tty().set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX)).set_header(["CIRCUIT", "IMPACT"]);
        for circuit in record.circuits.iter() {
            table.add_row([clean(circuit.id()), circuit.impact().word().to_owned()]);
        }
        let text = record.circuits.iter().map(notice::model::Circuit::impact).fold(lines(&table), |text, impact| {
            text.replace(
                &format!(" {}", impact.word()),
                &format!(" {}", look.paint(style_of_impact(impact), impact.word())),
            )
        });
        lines_of_block.push(text);
    }
    lines_of_block.join("\n")
}

/// Returns the window in UTC and, if that differs, in local time, with its length.
fn window(record: &Record<'_>, look: &Look) -> String {
    let (Some(start), Some(end)) = (record.start, record.end) else {
        return "window   not stated".to_owned();
    };
    let from_to = |zone: &TimeZone| format!("{} → {}", time(Some(start), zone, TIME), time(Some(end), zone, TIME));
    let utc = format!("window   {} UTC  ({})", from_to(&TimeZone::UTC), length(end.saturating_sub(start)));
    match look.zone_name() {
        "UTC" | "Etc/UTC" => utc,
        zone => format!("{utc}\n         {} {zone}", from_to(&look.zone)),
    }
}

fn time(seconds: Option<i64>, zone: &TimeZone, format: &str) -> String {
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "-".to_owned(), |time| time.to_zoned(zone.clone()).strftime(format).to_string())
}

/// Formats a length: "6 h", "5 h 30 min", "2 d 4 h".
fn length(seconds: i64) -> String {
    let parts =
        [(seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h"), (seconds % 3600 / 60, "min"), (seconds % 60, "s")];
    let words: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect();
    words.join(" ")
}

/// Returns the lines of a table without surrounding blanks.
pub(super) fn lines(table: &Table) -> String {
    let lines: Vec<_> =
        table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n")
}

fn style_of_status(status: Status) -> Style {
    match status {
        Status::Cancelled | Status::Completed => Style::new().dim(),
        Status::Tentative | Status::ReScheduled | Status::NoChange => Style::new().yellow(),
        Status::Confirmed | Status::InProcess => Style::new().green(),
    }
}

fn style_of_impact(impact: Impact) -> Style {
    match impact {
        Impact::NoImpact => Style::new().dim(),
        Impact::ReducedRedundancy => Style::new().cyan(),
        Impact::Degraded => Style::new().yellow(),
        Impact::Outage => Style::new().red().bold(),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use notice::model::Circuit;

    use super::*;

    fn record(status: Status, window: Option<(i64, i64)>) -> Record<'static> {
        let circuit = |id: &str, impact| Circuit::new(id, impact).unwrap();
        Record {
            provider: "carrier".into(),
            account: "Example Networks".into(),
            maintenance_id: "CHG-1".into(),
            status,
            circuits: vec![
                circuit("C-1", Impact::Outage),
                circuit("/OGYX/123456/\u{1b}/ZYO", Impact::ReducedRedundancy),
            ]
            .into(),
            start: window.map(|(start, _)| start),
            end: window.map(|(_, end)| end),
            stamp: 0,
            organizer: "noc@carrier.example".into(),
            uid: "0".into(),
            sequence: 1,
            summary: "Fibre works\nnear Lisbon".into(),
        }
    }

    fn person() -> Look {
        Look { width: Some(80), zone: TimeZone::get("Europe/Lisbon").unwrap(), ..Look::plain() }
    }

    #[test]
    fn a_person_sees_the_window_in_both_times_and_each_circuit() {
        let records =
            [record(Status::Confirmed, Some((1_937_080_800, 1_937_097_000))), record(Status::Cancelled, None)];
        assert_snapshot!(maintenances(&records, &person()), @r"
        CHG-1  CONFIRMED
        account  Example Networks
        summary  Fibre works near Lisbon
        window   2031-05-20 22:00 → 2031-05-21 02:30 UTC  (4 h 30 min)
                 2031-05-20 23:00 → 2031-05-21 03:30 Europe/Lisbon
        CIRCUIT             IMPACT
        C-1                 OUTAGE
        /OGYX/123456/�/ZYO  REDUCED-REDUNDANCY

        CHG-1  CANCELLED
        account  Example Networks
        summary  Fibre works near Lisbon
        window   not stated
        CIRCUIT             IMPACT
        C-1                 OUTAGE
        /OGYX/123456/�/ZYO  REDUCED-REDUNDANCY
        ");
    }

    #[test]
    fn a_program_sees_one_whole_line_per_circuit() {
        let records = [record(Status::Confirmed, Some((1_937_080_800, 1_937_097_000)))];
        let shown = maintenances(&records, &Look { width: None, ..person() });
        assert_snapshot!(shown, @r"
        MAINTENANCE  STATUS     START (UTC)       END (UTC)         START (local)            END (local)              CIRCUIT             IMPACT
        CHG-1        CONFIRMED  2031-05-20 22:00  2031-05-21 02:30  2031-05-20 23:00 +01:00  2031-05-21 03:30 +01:00  C-1                 OUTAGE
        CHG-1        CONFIRMED  2031-05-20 22:00  2031-05-21 02:30  2031-05-20 23:00 +01:00  2031-05-21 03:30 +01:00  /OGYX/123456/�/ZYO  REDUCED-REDUNDANCY
        ");
    }

    #[test]
    fn colour_changes_no_word() {
        let records = [record(Status::Confirmed, Some((1_937_080_800, 1_937_097_000)))];
        let coloured = maintenances(&records, &Look { colour: true, ..person() });
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(console::strip_ansi_codes(&coloured), maintenances(&records, &person()));
    }

    #[test]
    fn lengths_are_told_in_words() {
        assert_eq!([60, 16_200, 86_400, 90_061].map(length), ["1 min", "4 h 30 min", "1 d", "1 d 1 h 1 min 1 s"]);
    }
}
