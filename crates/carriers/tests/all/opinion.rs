//! The second opinion: it agrees with right readings, runs to its end where it says something, and objects to readings that were
//! made wrong in the ways in which readers go wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::DateTime, tz::Offset};
use mail::Mail;
use notice::{
    draft::Draft,
    found::{Found, Place},
    model::{Maintenance, Moment, Status, Window},
    opinion::{self, Verdict},
    outcome::{Notice, Outcome},
    source::Source,
};

use crate::support;

/// A right reading has an objection at most once in so many.
const RIGHT_FOR_EACH_OBJECTION: usize = 100;
/// Of so many right readings at most one has a kind of value of which the opinion says nothing.
const RIGHT_FOR_EACH_SILENT: usize = 3;
/// Of ten wrong readings at least so many meet an objection.
const LEAST_CAUGHT_OF_TEN: usize = 8;

/// A mail with what is read of it.
struct Read {
    name: String,
    mail: Mail,
    notice: Notice,
}

impl Read {
    fn source(&self) -> Source<'_> {
        Source::new(&self.mail, self.notice.recognised.provider)
    }

    fn provider(&self) -> &'static str {
        self.notice.recognised.provider.slug
    }
}

/// All mails that are read, also those to which the second opinion alone objects.
fn read() -> Vec<Read> {
    let mails = support::corpus_mails().into_iter().chain(support::own_mails());
    mails
        .filter_map(|named| {
            let mail = Mail::decode(&named.bytes);
            let notice = match carriers::parse(&mail) {
                Outcome::Notice(notice) => notice,
                Outcome::Failed { recognised, failure, suggestion } => {
                    let objection = opinion::of(&Source::new(&mail, recognised.provider), &suggestion).err();
                    let is_alone = objection.is_some_and(|objection| objection == failure);
                    let announced_at = mail.inner().date;
                    is_alone.then_some(Notice { recognised, announced_at, maintenances: suggestion })?
                }
                _ => return None,
            };
            Some(Read { name: named.name, mail, notice })
        })
        .collect()
}

#[test]
fn it_agrees_with_what_is_read_and_runs_to_its_end() {
    let (mut silent, mut objections) = (BTreeMap::<&str, usize>::new(), Vec::new());
    let all = read();
    let mut some_silent = 0;
    for read in &all {
        let maintenances = &read.notice.maintenances;
        match opinion::of(&read.source(), maintenances) {
            Ok(opinion) => {
                let ids: BTreeSet<_> = maintenances.iter().map(Maintenance::id).collect();
                let statuses: BTreeSet<_> = maintenances.iter().map(|one| one.status().word()).collect();
                let windows = maintenances.iter().filter(|one| one.window().is_some()).count();
                some_silent += usize::from(opinion.is_silent());
                for (what, verdict, counts) in [
                    ("ids", opinion.ids, [ids.len(), maintenances.len()]),
                    ("windows", opinion.windows, [windows, windows]),
                    ("statuses", opinion.statuses, [statuses.len(), maintenances.len()]),
                ] {
                    match verdict {
                        Verdict::Agrees(count) => assert!(counts.contains(&count), "{}: {what} {count}", read.name),
                        Verdict::Silent => *silent.entry(what).or_default() += 1,
                    }
                }
            }
            Err(failure) => objections.push(format!("{}: {failure}", read.name)),
        }
    }
    println!("second opinion: {} right readings, silent on {some_silent} of them ({silent:?})", all.len());
    for objection in &objections {
        println!("second opinion: objects to {objection}");
    }
    assert!(objections.len() * RIGHT_FOR_EACH_OBJECTION <= all.len(), "{}", objections.join("\n"));
    assert!(some_silent * RIGHT_FOR_EACH_SILENT <= all.len(), "silent on {some_silent}");
}

/// A maintenance that is made anew with other values.
struct Anew<'reading> {
    one: &'reading Maintenance,
    id: String,
    status: Status,
    window: Option<(Moment, Moment)>,
}

impl<'reading> Anew<'reading> {
    fn of(one: &'reading Maintenance) -> Self {
        Self { one, id: one.id().to_owned(), status: one.status(), window: one.window().map(|window| window.stated()) }
    }

    fn build(self, source: &Source<'_>) -> Option<Maintenance> {
        fn found<T>(value: T) -> Found<T> {
            Found { value, place: Place::Rule("made wrong"), quote: String::new() }
        }
        let draft = Draft::new(source)
            .id(found(self.id))
            .status(found(self.status))
            .account(found(self.one.account().to_owned()))
            .circuits(self.one.circuits().iter().cloned().map(found));
        let draft = match self.window {
            Some((start, end)) => draft.window(found(start), found(end)),
            None => draft,
        };
        draft.build().ok()
    }
}

/// A reading made wrong; `None` where it would be none, or the same.
type Wrong = Option<Vec<Maintenance>>;

fn wrongly(read: &Read, change: impl Fn(usize, &mut Anew<'_>)) -> Wrong {
    let source = read.source();
    let ones = read.notice.maintenances.iter().enumerate().map(|(index, one)| {
        let mut anew = Anew::of(one);
        change(index, &mut anew);
        anew.build(&source)
    });
    let wrong: Vec<Maintenance> = ones.collect::<Option<_>>()?;
    let says = |one: &Maintenance| (one.id().to_owned(), one.status(), one.window());
    (!wrong.iter().map(says).eq(read.notice.maintenances.iter().map(says))).then_some(wrong)
}

fn windows_by(read: &Read, change: impl Fn(Moment) -> Option<Moment>) -> Wrong {
    let windows: Vec<_> = read.notice.maintenances.iter().filter_map(Maintenance::window).collect();
    let is_window = |window: &Window| {
        let (start, end) = window.stated();
        Some(change(start)? < change(end)?)
    };
    if windows.is_empty() || !windows.iter().all(|window| is_window(window) == Some(true)) {
        return None;
    }
    wrongly(read, |_, anew| {
        anew.window = anew.window.and_then(|(start, end)| Some((change(start)?, change(end)?)));
    })
}

fn local(moment: Moment) -> DateTime {
    moment.offset().to_datetime(moment.at())
}

/// Day and month taken for each other.
fn swapped(moment: Moment) -> Option<Moment> {
    let local = local(moment);
    let swapped =
        DateTime::new(local.year(), local.day(), local.month(), local.hour(), local.minute(), local.second(), 0)
            .ok()?;
    Some(Moment::new(moment.offset().to_timestamp(swapped).ok()?, moment.offset()))
}

/// The local time taken for UTC.
fn without_offset(moment: Moment) -> Option<Moment> {
    Some(Moment::new(Offset::UTC.to_timestamp(local(moment)).ok()?, Offset::UTC))
}

/// Words near the id that look like ids: those of the rows beside it.
fn ids_beside(read: &Read) -> Vec<String> {
    let source = read.source();
    let lines: Vec<String> =
        source.body().map(|body| body.iter().map(|(_, line)| line.to_owned()).collect()).unwrap_or_default();
    let known: BTreeSet<&str> = read.notice.maintenances.iter().map(Maintenance::id).collect();
    let at = lines.iter().position(|line| known.iter().any(|id| line.contains(id)));
    let Some(at) = at else { return Vec::new() };
    let near =
        lines.iter().enumerate().filter(|(line, _)| line.abs_diff(at) <= 6).flat_map(|(_, line)| line.split(' '));
    let is_id = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_time = word.contains(':')
            || word.contains("20") && word.contains(['-', '/', '.'])
            || word.contains('@')
            || word.starts_with('+');
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'/'));
        let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
        digits >= 4
            && word.len() >= 5
            && (is_plain || !is_number)
            && !is_time
            && !known.iter().any(|id| word.contains(id) || id.contains(*word))
    };
    near.map(|word| word.trim_matches(|mark: char| !mark.is_alphanumeric()))
        .filter(is_id)
        .map(str::to_owned)
        .take(2)
        .collect()
}

/// The reading, made wrong in every way.
fn wrong(read: &Read) -> Vec<(&'static str, Vec<Maintenance>)> {
    let mut all: Vec<(&'static str, Wrong)> = Vec::new();
    all.push(("day and month swapped", windows_by(read, swapped)));
    all.push(("offset dropped", windows_by(read, without_offset)));
    let maintenances = &read.notice.maintenances;
    let windows: Vec<_> = maintenances.iter().map(Maintenance::window).collect();
    for (at, pair) in windows.windows(2).enumerate() {
        if let [Some(one), Some(other)] = pair {
            let mixed = Window::new(one.stated().0, other.stated().1);
            all.push((
                "neighbour's row",
                mixed.and_then(|mixed| {
                    wrongly(read, |index, anew| {
                        if index == at {
                            anew.window = Some(mixed.stated());
                        }
                    })
                }),
            ));
            all.push((
                "neighbour's row",
                wrongly(read, |index, anew| {
                    if index == at + 1 {
                        anew.window = Some(one.stated());
                    }
                }),
            ));
        }
    }
    if maintenances.len() > 1 {
        all.push((
            "neighbour's row",
            wrongly(read, |index, anew| {
                maintenances[(index + 1) % maintenances.len()].id().clone_into(&mut anew.id);
            }),
        ));
    }
    if let [one] = maintenances.as_slice()
        && let Some(window) = one.window()
        && let Some(date) = read.mail.inner().date
    {
        let body: String = read.source().body().map(notice::lines::Lines::joined).unwrap_or_default();
        let sent: Timestamp = date;
        if body.contains("Sent:") && sent < window.end() {
            all.push((
                "neighbour's row",
                wrongly(read, |_, anew| anew.window = Some((Moment::from(sent), window.stated().1))),
            ));
        }
    }
    for beside in ids_beside(read) {
        all.push(("neighbour's row", wrongly(read, |_, anew| anew.id.clone_from(&beside))));
    }
    for status in [Status::Confirmed, Status::Cancelled, Status::Completed, Status::ReScheduled, Status::InProcess] {
        let is_plan = |status: Status| matches!(status, Status::Tentative | Status::Confirmed | Status::NoChange);
        let is_same = maintenances.iter().any(|one| one.status() == status || is_plan(status) && is_plan(one.status()));
        all.push(("other status", (!is_same).then(|| wrongly(read, |_, anew| anew.status = status)).flatten()));
    }
    let is_plan = |status: Status| matches!(status, Status::Tentative | Status::Confirmed);
    all.push((
        "a plan's other status",
        wrongly(read, |_, anew| {
            if is_plan(anew.status) {
                anew.status = if anew.status == Status::Confirmed { Status::Tentative } else { Status::Confirmed };
            }
        }),
    ));
    let circuit = maintenances[0].circuits().first().map(|circuit| circuit.id().to_owned());
    all.push(("other id", circuit.and_then(|circuit| wrongly(read, |_, anew| anew.id.clone_from(&circuit)))));
    all.push((
        "other id",
        wrongly(read, |_, anew| {
            let last = anew.id.pop().unwrap_or('0');
            anew.id.push(if last == '7' { '4' } else { '7' });
        }),
    ));
    all.into_iter().filter_map(|(kind, wrong)| Some((kind, wrong?))).collect()
}

#[test]
fn it_objects_to_readings_that_were_made_wrong() {
    let mut table: BTreeMap<(&str, &str), [usize; 2]> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for read in read() {
        let source = read.source();
        for (kind, wrong) in wrong(&read) {
            let is_caught = opinion::of(&source, &wrong).is_err();
            if !is_caught && std::env::var("SHOW").is_ok_and(|show| kind.contains(&show)) {
                println!(
                    "not caught: {} {kind}: {} {:?} {:?}",
                    read.name,
                    wrong[0].id(),
                    wrong[0].status(),
                    wrong[0].window().map(|window| window.stated().0.to_string())
                );
            }
            for count in [table.entry((read.provider(), kind)).or_default(), kinds.entry(kind).or_default()] {
                count[0] += usize::from(is_caught);
                count[1] += 1;
            }
        }
    }
    for ((provider, kind), [caught, all]) in &table {
        println!("second opinion: {provider:20} {kind:24} {caught:4} of {all:4}");
    }
    let mut missed = Vec::new();
    for (kind, [caught, all]) in &kinds {
        println!("second opinion: {:20} {kind:24} {caught:4} of {all:4}", "all");
        if *caught * 10 < *all * LEAST_CAUGHT_OF_TEN {
            missed.push(format!("{kind}: {caught} of {all}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// The mail with its window once more below, in UTC, shifted by some hours.
fn stated_again(read: &Read, hours: i64) -> Option<Mail> {
    let window = read.notice.maintenances.first()?.window()?;
    let length = window.end().as_second() - window.start().as_second();
    if length >= 24 * 3600 || read.notice.maintenances.iter().any(|one| one.status() != Status::Confirmed) {
        return None;
    }
    let text = |at: Timestamp| {
        let shifted = at + jiff::SignedDuration::from_hours(hours);
        shifted.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m-%d %H:%M").to_string()
    };
    let line = format!("The window is from {} UTC to {} UTC.", text(window.start()), text(window.end()));
    let mut mail = read.mail.clone();
    mail.texts.iter_mut().for_each(|body| body.extend(["\n\n\n\n\n\n", line.as_str(), "\n"]));
    mail.pages.iter_mut().for_each(|page| *page = page.replace("</body>", "").replace("</html>", ""));
    mail.pages.iter_mut().for_each(|page| page.extend(["<p>Sincerely</p><p>Regards</p><p>", line.as_str(), "</p>"]));
    Some(mail)
}

#[test]
fn a_window_that_is_stated_again_is_the_one_that_was_read() {
    let (mut right, mut kept, mut caught, mut missed) = (0, 0, 0, Vec::new());
    for read in read() {
        let agrees = |mail: &Mail| {
            let source = Source::new(mail, read.notice.recognised.provider);
            opinion::of(&source, &read.notice.maintenances).is_ok()
        };
        let (Some(same), Some(other)) = (stated_again(&read, 0), stated_again(&read, 3)) else { continue };
        if !agrees(&read.mail) {
            continue;
        }
        right += 1;
        kept += usize::from(agrees(&same));
        if agrees(&other) { missed.push(read.name.clone()) } else { caught += 1 }
    }
    println!("second opinion: {right} windows stated again, {kept} kept, {caught} others caught; missed {missed:?}");
    assert!(right > 0 && kept == right, "{kept} of {right}");
    assert!(caught * 10 >= right * LEAST_CAUGHT_OF_TEN, "{caught} of {right}: {missed:?}");
}

/// A mail that states one time of a maintenance under a label, and how long it takes.
fn one_time_and_length(read: &Read, label: &str) -> Option<Mail> {
    let [maintenance] = read.notice.maintenances.as_slice() else { return None };
    let window = maintenance.window()?;
    let start = window.start().to_zoned(jiff::tz::TimeZone::UTC).strftime("%-d %B %Y %H:%M").to_string();
    let hours = (window.end().as_second() - window.start().as_second()) / 3600;
    let text = format!(
        "From: noc@carrier.example\nSubject: Maintenance {}\n\n{label}: {start}\nTime zone: UTC\nDuration: {hours} hours\n",
        maintenance.id()
    );
    Some(Mail::decode(text.as_bytes()))
}

#[test]
fn a_length_does_not_make_an_end_a_start() {
    let (mut right, mut missed) = (0, Vec::new());
    for read in read() {
        let is_agreed = |label: &str| {
            let mail = one_time_and_length(&read, label)?;
            let source = Source::new(&mail, read.notice.recognised.provider);
            Some(
                opinion::of(&source, &read.notice.maintenances)
                    .is_ok_and(|one| !matches!(one.windows, Verdict::Silent)),
            )
        };
        if is_agreed("Start") != Some(true) {
            continue;
        }
        right += 1;
        missed.extend((is_agreed("End") == Some(true)).then(|| read.name.clone()));
    }
    println!("second opinion: {right} windows of a start and a length; ends believed to be starts: {missed:?}");
    assert!(right > 0 && missed.is_empty(), "{missed:?} of {right}");
}
