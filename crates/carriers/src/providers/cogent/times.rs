//! Cogent's times: local to the city that a sentence of the notice names, month first.

use std::cell::OnceCell;

use jiff::tz::TimeZone;

use super::{END, START, plain};
use notice::{dates, failure::Failure, found::Found, lines::Lines, model::Moment, pattern::Pattern, zones};

type StartAndEnd = (Found<Moment>, Found<Moment>);

const FORMATS: [&str; 2] = ["%m/%d/%Y %I:%M[:%S] %p", "%m/%d/%Y %H:%M[:%S]"];

static PLACE: Pattern = Pattern::new(
    r"(?i)\bCogent customers receiving services? in (?:the )?(?:greater )?(.{2,120}?)(?: metro(?:politan)?)?(?: areas?)? (?:will|may|might|could) be (?:affected|impacted)",
);
static PLACE_IN_TITLE: Pattern = Pattern::new(r"(?i)\bMaintenance\s*[-–]\s*([^\d]{2,80}?)[\s,]*(?:\d[\d, -]*)?$");
static BETWEEN_PLACES: Pattern = Pattern::new(r"(?i)\s+and\s+|\s*[;/&]\s*");
static DATE: Pattern = Pattern::new(r"\b\d{1,2}/\d{1,2}/\d{4}\b");
static BRACKETS: Pattern = Pattern::new(r"\(([^()]*)\)");
static REMARK: Pattern = Pattern::new(r"(?i)^(?:day|night|window|part) \d+(?: of \d+)?$");
static TIME: Pattern = Pattern::new(r"(?i)\b\d{1,2}:\d{2}(?::\d{2})?(?:\s*[ap]\.?m\b\.?)?");

/// Returns the place of the affected customers, in `Cogent customers receiving service in the … area will be
/// affected`.
pub(super) fn sentence(lines: &Lines) -> Option<Found<String>> {
    let all: Vec<_> = lines.iter().map(|(place, line)| (place, plain(line))).collect();
    all.iter().enumerate().find_map(|(index, (place, first))| {
        let wrapped: Vec<_> = all.iter().skip(index).take(5).map(|(_, line)| *line).collect();
        let wrapped = wrapped.join(" ");
        let captures = PLACE.captures(&wrapped)?;
        let starts_here = captures.get(0).is_some_and(|all| all.start() < first.len());
        let found = Found::text(captures.get(1)?.as_str(), place.clone());
        starts_here.then_some(found)
    })
}

/// Returns the zone of the city whose customers are affected, else of the city in the title.
fn local_zone(titles: &[Found<String>], lines: &Lines) -> Result<TimeZone, Failure> {
    let in_title = || {
        titles.iter().rev().find_map(|title| {
            let place = PLACE_IN_TITLE.captures(&title.value)?.get(1)?.as_str().to_owned();
            Some(title.with(place))
        })
    };
    let place = sentence(lines).or_else(in_title);
    let place = place
        .ok_or_else(|| Failure::missing("the city of the local time: `Cogent customers receiving service in …`"))?;
    let zone = zones::by_city(&place.value).or_else(|| {
        let mut zones = BETWEEN_PLACES.split(&place.value).map(zones::by_city);
        let first = zones.next()??;
        zones.all(|zone| zone.as_ref() == Some(&first)).then_some(first)
    });
    zone.ok_or_else(|| Failure::malformed("a city, or cities, with one time zone that is known", &place))
}

pub(super) fn windows(titles: &[Found<String>], lines: &Lines) -> Result<Vec<StartAndEnd>, Failure> {
    let (starts, ends) = (lines.all_labelled(START), lines.all_labelled(END));
    if starts.is_empty() || starts.len() != ends.len() {
        return Err(Failure::missing(format!("lines `{START}:` and `{END}:`, one each for a window")));
    }
    let times = starts.into_iter().zip(ends);
    let zone = OnceCell::new();
    let local = || zone.get_or_init(|| local_zone(titles, lines)).clone();
    times.map(|(start, end)| Ok((time(&start, local)?, time(&end, local)?))).collect()
}

/// Reads `12:00 AM (local time) 03/04/2031`; the brackets may name a zone instead.
fn time(found: &Found<String>, local_zone: impl Fn() -> Result<TimeZone, Failure>) -> Result<Found<Moment>, Failure> {
    let malformed = || Failure::malformed("a time such as `12:00 AM (local time) MONTH/DAY/YEAR`", found);
    let date = DATE.find(&found.value).ok_or_else(malformed)?.as_str();
    let time = TIME.find(&found.value).ok_or_else(malformed)?.as_str();
    let rest = found.value.replacen(date, "", 1).replacen(time, "", 1);
    let text = found.with(format!("{date} {time}"));
    match zone_in(&rest).ok_or_else(malformed)? {
        Named::Local => dates::read_in(text, &FORMATS, &local_zone()?),
        Named::Zone(name) => text.try_map("a time that this zone has once, at that season", |text| {
            dates::moment_at(dates::civil(text, &FORMATS)?, &name)
        }),
    }
}

/// The rest of a time after its digits: it names the zone, or says that it is local, and may have a remark in
/// brackets: `CT (Day 3 of 3)`.
enum Named {
    Local,
    Zone(String),
}

fn zone_in(rest: &str) -> Option<Named> {
    let outer = BRACKETS.replace_all(rest, " ");
    let groups = BRACKETS.captures_iter(rest).filter_map(|captures| captures.get(1)).map(|group| group.as_str());
    let is_local = |text: &str| ["local", "local time"].iter().any(|word| word.eq_ignore_ascii_case(text));
    let mut named = Vec::new();
    let outer = outer.trim_matches([',', ' ']);
    if !outer.is_empty() {
        named.push(outer);
    }
    named.extend(groups.map(str::trim).filter(|group| !REMARK.is_match(group)));
    match named.as_slice() {
        [] => Some(Named::Local),
        [name] if is_local(name) => Some(Named::Local),
        [name] => zones::by_name(name).map(|_| Named::Zone((*name).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notice::found::Place;

    fn title(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    #[test]
    fn times_are_local_to_the_city() {
        let at = |time_text: &str, sentence: &str| {
            let found = time(&title(time_text), || {
                local_zone(&[title("Planned Network Maintenance - Porto, Portugal 1-1")], &Lines::of_text(sentence))
            });
            found.ok().map(|found| found.value.at().to_string())
        };
        let chicago = "> Cogent customers receiving service in the greater\n> Chicago, IL metro area will be affected.";
        assert_eq!(at("12:00 AM (local time) 03/04/2031", chicago).as_deref(), Some("2031-03-04T06:00:00Z"));
        assert_eq!(at("11:30 p.m. (local time) 07/04/2031", chicago).as_deref(), Some("2031-07-05T04:30:00Z"));
        assert_eq!(at("10:00pm CT 11/3/2031 (Day 3 of 3)", "").as_deref(), Some("2031-11-04T04:00:00Z"));
        assert_eq!(at("23:30 (UTC) 07/04/2031", chicago).as_deref(), Some("2031-07-04T23:30:00Z"));
        assert_eq!(
            at("1:00 AM (local time) 07/04/2031", "").as_deref(),
            Some("2031-07-04T00:00:00Z"),
            "as in the title"
        );
        let two =
            |other: &str| format!("Cogent customers receiving service in Chicago, IL and {other} will be affected.");
        assert!(at("1:00 AM (local time) 03/04/2031", &two("Dallas, TX")).is_some());
        for (time, sentence) in [
            ("1:00 AM (local time) 03/04/2031", two("Porto, Portugal")),
            ("1:00 AM (local time) 03/04/2031", two("Atlantis")),
            ("1:00 AM (his time) 03/04/2031", chicago.to_owned()),
            ("1:00 AM CT 03/04/2031 (moved from 03/03/2031)", chicago.to_owned()),
            ("1:00 AM CT 03/04/2031 (tentative)", chicago.to_owned()),
            ("1:00 AM EST 07/04/2031", chicago.to_owned()),
            ("1:00 AM (local time) 13/04/2031", chicago.to_owned()),
            ("2:30 AM (local time) 03/09/2031", chicago.to_owned()),
            ("soon", chicago.to_owned()),
        ] {
            assert_eq!(at(time, &sentence), None, "{time} {sentence}");
        }
    }
}
