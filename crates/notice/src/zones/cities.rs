//! The zones of cities, for providers that write "local time" and name a place. The table covers where carriers have
//! sites; a place outside of it is known only if its whole region or country keeps one zone.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

const TABLE: &str = include_str!("cities.txt");

/// Names of countries that the table has in several regions.
const COUNTRIES: &[(&str, &str)] = &[
    ("united states", "us"),
    ("united states of america", "us"),
    ("usa", "us"),
    ("canada", "ca"),
    ("can", "ca"),
    ("australia", "au"),
    ("aus", "au"),
];

struct Region {
    country: String,
    names: Vec<String>,
    zone: &'static str,
    is_whole: bool,
}

#[derive(Default)]
struct Cities {
    regions: Vec<Region>,
    by_name: HashMap<String, Vec<usize>>,
    /// The first three letters of the names of cities, in lower case.
    beginnings: HashSet<[u8; 3]>,
    /// Names of regions and of their countries.
    names: HashSet<String>,
}

static CITIES: LazyLock<Cities> = LazyLock::new(|| {
    let mut cities = Cities::default();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('|').map(str::trim);
        let (Some(country), Some(names), Some(zone), Some(places)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let index = cities.regions.len();
        let mut is_whole = false;
        for place in places.split(';').map(str::trim) {
            if place == "*" {
                is_whole = true;
            } else {
                cities.by_name.entry(city_name(place)).or_default().push(index);
            }
        }
        let names: Vec<String> = names.split(';').map(plain).collect();
        cities.names.extend(names.iter().cloned().chain([plain(country)]));
        cities.regions.push(Region { country: plain(country), names, zone, is_whole });
    }
    cities.beginnings = cities.by_name.keys().filter_map(|name| beginning(name)).collect();
    cities
});

/// Returns the first three characters of a name in lower case, if they are letters that have no accent.
fn beginning(name: &str) -> Option<[u8; 3]> {
    let letters: [u8; 3] = name.as_bytes().first_chunk().copied()?;
    letters.iter().all(u8::is_ascii_alphabetic).then(|| letters.map(|letter| letter.to_ascii_lowercase()))
}

/// Returns the IANA zone of a place such as `Chicago, IL`, `Frankfurt, Germany` or `New York`.
pub(super) fn zone_of(place: &str) -> Option<&'static str> {
    // Nearly all texts that may be a place are none. Behind a comma a region may stand, which needs no city that we know.
    if !place.contains(',') && beginning(place).is_some_and(|letters| !CITIES.beginnings.contains(&letters)) {
        return None;
    }
    let mut parts = place.split(',').map(plain).filter(|part| !part.is_empty());
    let first = parts.next()?;
    let mut qualifiers: Vec<String> = parts.collect();
    if qualifiers.len() > 3 {
        return None;
    }
    let mut candidates = CITIES.by_name.get(&spelled_out(&first)).cloned().unwrap_or_default();
    if let (true, Some((city, region))) = (candidates.is_empty() && qualifiers.is_empty(), first.rsplit_once(' ')) {
        // "Chicago IL", "San Jose CA"
        candidates = CITIES.by_name.get(&spelled_out(city)).cloned().unwrap_or_default();
        qualifiers.push(region.to_owned());
    }
    candidates.retain(|index| {
        CITIES.regions.get(*index).is_some_and(|region| qualifiers.iter().all(|name| region.is_called(name, true)))
    });
    if let Some(zone) = only(candidates.iter().filter_map(|index| CITIES.regions.get(*index))) {
        return Some(zone);
    }
    // A place that the table has with two zones is not decided by its region: it lists those itself.
    if !candidates.is_empty() || qualifiers.is_empty() {
        return None;
    }
    let is_known =
        |name: &String| CITIES.names.contains(name.as_str()) || COUNTRIES.iter().any(|(long, _)| long == name);
    if !qualifiers.iter().all(is_known) {
        return None;
    }
    let regions: Vec<_> =
        CITIES.regions.iter().filter(|region| qualifiers.iter().all(|name| region.is_called(name, false))).collect();
    regions.iter().all(|region| region.is_whole).then(|| only(regions.iter().copied())).flatten()
}

/// Returns the one zone of all these regions.
fn only<'region>(mut regions: impl Iterator<Item = &'region Region>) -> Option<&'static str> {
    let zone = regions.next()?.zone;
    regions.all(|region| region.zone == zone).then_some(zone)
}

impl Region {
    /// Returns whether the region, or its country, has this name. A country's code of two letters counts only beside
    /// a city of it: alone, `CA` is California and `DE` is Delaware.
    fn is_called(&self, name: &str, beside_city: bool) -> bool {
        let country = COUNTRIES.iter().find(|(long, _)| *long == name).map(|(_, code)| *code);
        self.names.iter().any(|own| own == name)
            || country.is_some_and(|country| country == self.country)
            || (self.country == name && (beside_city || !is_state(name)))
    }
}

fn is_state(code: &str) -> bool {
    CITIES.regions.iter().any(|region| {
        matches!(region.country.as_str(), "us" | "ca" | "au") && region.names.iter().any(|name| name == code)
    })
}

/// Returns the text in lower case, without accents and points, hyphens as spaces.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase).take(80) {
        match character {
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'í' | 'ì' | 'î' | 'ï' | 'ı' => plain.push('i'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => plain.push('o'),
            'ú' | 'ù' | 'û' | 'ü' => plain.push('u'),
            'ç' | 'č' => plain.push('c'),
            'ñ' | 'ń' => plain.push('n'),
            'ş' | 'š' => plain.push('s'),
            'ž' => plain.push('z'),
            'ł' => plain.push('l'),
            '.' | '\u{307}' => {}
            '-' | '/' => plain.push(' '),
            other => plain.push(other),
        }
    }
    crate::white_space::fold(&plain)
}

/// Returns the [`plain`] name, with `St`, `Ft` and `Mt` written out.
fn city_name(city: &str) -> String {
    spelled_out(&plain(city))
}

/// Writes `St`, `Ft` and `Mt` out in a name that is plain.
fn spelled_out(plain: &str) -> String {
    let words = plain.split(' ').map(|word| match word {
        "st" => "saint",
        "ft" => "fort",
        "mt" => "mount",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_table_exists_and_every_line_is_whole() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(CITIES.regions.len(), lines);
        for region in &CITIES.regions {
            assert!(jiff::tz::TimeZone::get(region.zone).is_ok(), "{}", region.zone);
        }
    }

    #[test]
    fn every_city_with_one_zone_has_it_by_its_name_alone() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            for city in line.rsplit('|').next().unwrap().split(';').map(str::trim).filter(|city| *city != "*") {
                let regions = CITIES.by_name.get(&city_name(city)).unwrap();
                let zone = only(regions.iter().map(|index| &CITIES.regions[*index]));
                assert_eq!(zone_of(city), zone, "{city}");
                assert_eq!(zone_of(&city.to_uppercase()), zone, "{city} in capitals");
            }
        }
    }

    #[test]
    fn places_have_the_zone_of_their_city_or_of_their_region() {
        for (place, zone) in [
            ("Chicago, IL", "America/Chicago"),
            ("chicago", "America/Chicago"),
            ("San Jose, CA", "America/Los_Angeles"),
            ("Frankfurt, Germany", "Europe/Berlin"),
            ("Frankfurt am Main, DE", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("New York, NY, USA", "America/New_York"),
            ("St. Louis, MO", "America/Chicago"),
            ("Washington, DC", "America/New_York"),
            ("Washington D.C.", "America/New_York"),
            ("El Paso, TX", "America/Denver"),
            ("Some Village, Ohio", "America/New_York"),
            ("Some Village, CA", "America/Los_Angeles"),
            ("Petit Village, France", "Europe/Paris"),
            ("Zürich", "Europe/Zurich"),
            ("São Paulo, Brazil", "America/Sao_Paulo"),
            ("Portland, OR", "America/Los_Angeles"),
            ("London, UK", "Europe/London"),
            ("London, ON", "America/Toronto"),
            ("Vancouver, BC", "America/Vancouver"),
            ("Chicago IL", "America/Chicago"),
            ("Toronto, Canada", "America/Toronto"),
            ("Singapore", "Asia/Singapore"),
            ("Manassas, Virginia", "America/New_York"),
        ] {
            assert_eq!(zone_of(place), Some(zone), "{place}");
        }
    }

    #[test]
    fn an_unknown_or_ambiguous_city_has_no_zone() {
        for place in [
            "",
            ",",
            "Portland",
            "Birmingham",
            "Nowhere",
            "Some Village, TX",
            "Some Village, FL",
            "Frankfurt, KY",
            "Some Village, US",
            "Some Village, Australia",
            "Kingston",
            "a, b, c, d, e",
        ] {
            assert_eq!(zone_of(place), None, "{place}");
        }
    }
}
