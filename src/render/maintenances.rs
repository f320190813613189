//! Maintenances as a table: for a person at a terminal each circuit beside the window, in UTC and in the person's time;
//! for a program one line per circuit that says everything, so that `grep CIRCUIT` finds the window with it.

use comfy_table::{ContentArrangement, Table, presets};
use console::Style;
use handler::maintenance::{
    json::Record,
    model::{Impact, Status},
};
use jiff::{Timestamp, tz::TimeZone};

use super::look::{Look, clean};

/// How a time is written.
const TIME: &str = "%Y-%m-%d %H:%M";

/// A table of these maintenances, without a line feed at its end; empty without any.
pub(crate) fn maintenances(records: &[Record<'_>], look: &Look) -> String {
    if records.is_empty() {
        return String::new();
    }
    match look.width {
        Some(width) => for_a_person(records, look, width),
        None => for_a_program(records, look),
    }
}

/// One row per circuit, nothing wrapped or left out.
fn for_a_program(records: &[Record<'_>], look: &Look) -> String {
    let mut table = Table::new();
    let zone = look.zone_name();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header([
        "MAINTENANCE".to_owned(),
        "STATUS".to_owned(),
        "START (UTC)".to_owned(),
        "END (UTC)".to_owned(),
        format!("START ({zone})"),
        format!("END ({zone})"),
        "CIRCUIT".to_owned(),
        "IMPACT".to_owned(),
    ]);
    for record in records {
        let circuits: Vec<_> = record.circuits.iter().map(|circuit| (circuit.id(), circuit.impact().word())).collect();
        for (circuit, impact) in if circuits.is_empty() { vec![("-", "-")] } else { circuits } {
            table.add_row([
                clean(&record.maintenance_id),
                record.status.word().to_owned(),
                time(record.start, &TimeZone::UTC),
                time(record.end, &TimeZone::UTC),
                time(record.start, &look.zone),
                time(record.end, &look.zone),
                clean(circuit),
                impact.to_owned(),
            ]);
        }
    }
    lines(&table)
}

/// One block per maintenance, fitted to the terminal: start and end below each other, the circuits beside them.
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
        let text = record.circuits.iter().map(handler::maintenance::model::Circuit::impact).fold(
            lines(&table),
            |text, impact| {
                text.replace(
                    &format!(" {}", impact.word()),
                    &format!(" {}", look.paint(style_of_impact(impact), impact.word())),
                )
            },
        );
        lines_of_block.push(text);
    }
    lines_of_block.join("\n")
}

/// The window in UTC and, where that differs, in the person's time, with its length.
fn window(record: &Record<'_>, look: &Look) -> String {
    let (Some(start), Some(end)) = (record.start, record.end) else {
        return "window   not stated".to_owned();
    };
    let seconds = end.saturating_sub(start);
    let mut text = format!(
        "window   {} → {} UTC  ({})",
        time(Some(start), &TimeZone::UTC),
        time(Some(end), &TimeZone::UTC),
        length(seconds)
    );
    if look.zone_name() != "UTC" {
        let (start, end) = (time(Some(start), &look.zone), time(Some(end), &look.zone));
        text.push_str(&format!("\n         {start} → {end} {}", look.zone_name()));
    }
    text
}

fn time(seconds: Option<i64>, zone: &TimeZone) -> String {
    let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(|| "-".to_owned(), |time| time.to_zoned(zone.clone()).strftime(TIME).to_string())
}

/// "6 h", "5 h 30 min", "2 d 4 h".
fn length(seconds: i64) -> String {
    let parts =
        [(seconds / 86_400, "d"), (seconds % 86_400 / 3600, "h"), (seconds % 3600 / 60, "min"), (seconds % 60, "s")];
    let words: Vec<_> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect();
    words.join(" ")
}

/// The lines of a table without blanks at their beginning and end.
fn lines(table: &Table) -> String {
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
