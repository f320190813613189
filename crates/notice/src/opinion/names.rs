//! The names of months and weekdays. A word is one only if it is one of the forms that are listed here: "maintenance" begins like the
//! French May, and "monitor" like Monday.

use std::{borrow::Cow, sync::LazyLock};

use jiff::civil::Weekday;

/// How far a form of a month's name can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It may precede or follow its day: "May 4", "4 May".
    Either,
    /// Its languages write the day first: "4 Gen".
    DayFirst,
    /// It is also a common word of another language and needs a day before it and a year after it: "4 out 2031".
    DayAndYear,
}

use Trust::{DayAndYear, DayFirst, Either};

/// The month of each form, in the languages of carriers: English, German, Dutch, French, Spanish, Portuguese, Italian, Turkish.
#[rustfmt::skip]
const MONTHS: [(Trust, &[(&str, i32)]); 3] = [
    (Either, &[
        ("january", 1), ("jan", 1), ("januar", 1), ("jänner", 1), ("januari", 1), ("janvier", 1), ("enero", 1), ("janeiro", 1),
        ("gennaio", 1), ("ocak", 1),
        ("february", 2), ("feb", 2), ("februar", 2), ("februari", 2), ("février", 2), ("fevrier", 2), ("febrero", 2), ("fevereiro", 2),
        ("febbraio", 2), ("şubat", 2), ("subat", 2),
        ("march", 3), ("mar", 3), ("märz", 3), ("maerz", 3), ("maart", 3), ("mars", 3), ("marzo", 3), ("março", 3), ("marco", 3),
        ("mart", 3),
        ("april", 4), ("apr", 4), ("avril", 4), ("abril", 4), ("aprile", 4), ("nisan", 4),
        ("may", 5), ("mai", 5), ("mei", 5), ("mayo", 5), ("maio", 5), ("maggio", 5), ("mayıs", 5), ("mayis", 5),
        ("june", 6), ("jun", 6), ("juni", 6), ("juin", 6), ("junio", 6), ("junho", 6), ("giugno", 6), ("haziran", 6),
        ("july", 7), ("jul", 7), ("juli", 7), ("juillet", 7), ("julio", 7), ("julho", 7), ("luglio", 7), ("temmuz", 7),
        ("august", 8), ("aug", 8), ("augustus", 8), ("août", 8), ("aout", 8), ("agosto", 8), ("ağustos", 8), ("agustos", 8),
        ("september", 9), ("sep", 9), ("sept", 9), ("septembre", 9), ("septiembre", 9), ("setiembre", 9), ("setembro", 9),
        ("settembre", 9), ("eylül", 9), ("eylul", 9),
        ("october", 10), ("oct", 10), ("oktober", 10), ("okt", 10), ("octobre", 10), ("octubre", 10), ("outubro", 10),
        ("ottobre", 10), ("ekim", 10),
        ("november", 11), ("nov", 11), ("novembre", 11), ("noviembre", 11), ("novembro", 11), ("kasım", 11), ("kasim", 11),
        ("december", 12), ("dec", 12), ("dezember", 12), ("décembre", 12), ("decembre", 12), ("diciembre", 12), ("dezembro", 12),
        ("dicembre", 12), ("aralık", 12), ("aralik", 12),
    ]),
    (DayFirst, &[
        ("jän", 1), ("janv", 1), ("ene", 1), ("gen", 1), ("oca", 1),
        ("fév", 2), ("fev", 2), ("févr", 2), ("fevr", 2), ("febr", 2), ("şub", 2),
        ("mär", 3), ("mrz", 3), ("mrt", 3), ("maa", 3),
        ("avr", 4), ("abr", 4), ("nis", 4),
        ("mag", 5),
        ("giu", 6), ("haz", 6),
        ("juil", 7), ("lug", 7),
        ("aoû", 8), ("aou", 8), ("ağu", 8),
        ("eyl", 9),
        ("ott", 10), ("eki", 10),
        ("déc", 12), ("dez", 12), ("dic", 12),
    ]),
    (DayAndYear, &[
        ("sub", 2), ("jui", 6), ("tem", 7), ("ago", 8), ("agu", 8), ("set", 9), ("out", 10), ("kas", 11), ("ara", 12),
    ]),
];

/// A form with its month.
type Form = (&'static str, i32, Trust);

/// The forms by their first byte: most words begin like few of them.
static BY_FIRST_BYTE: LazyLock<Vec<Vec<Form>>> = LazyLock::new(|| {
    let mut forms = vec![Vec::new(); 1 << u8::BITS];
    for (trust, own) in MONTHS {
        for (form, month) in own {
            if let Some(alike) = form.bytes().next().and_then(|first| forms.get_mut(usize::from(first))) {
                alike.push((*form, *month, trust));
            }
        }
    }
    forms
});

/// Bytes of the shortest form.
const MIN_BYTES: usize = 3;
/// Bytes of the longest form.
const MAX_BYTES: usize = 10;

/// Returns the month that a word names, and how far the word can be trusted to be one.
pub(super) fn month(word: &str) -> Option<(i32, Trust)> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&word.len()) {
        return None;
    }
    let lower = if word.is_ascii() { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) };
    let first = lower.bytes().next()?.to_ascii_lowercase();
    let alike = BY_FIRST_BYTE.get(usize::from(first))?;
    alike.iter().find(|(form, ..)| form.eq_ignore_ascii_case(&lower)).map(|(_, month, trust)| (*month, *trust))
}

const WEEKDAYS: [(&[&str], Weekday); 7] = [
    (&["monday", "mon"], Weekday::Monday),
    (&["tuesday", "tue", "tues"], Weekday::Tuesday),
    (&["wednesday", "wed", "weds"], Weekday::Wednesday),
    (&["thursday", "thu", "thur", "thurs"], Weekday::Thursday),
    (&["friday", "fri"], Weekday::Friday),
    (&["saturday", "sat"], Weekday::Saturday),
    (&["sunday", "sun"], Weekday::Sunday),
];

/// Returns the weekday that an English word names.
pub(super) fn weekday(word: &str) -> Option<Weekday> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&word.len()) {
        return None;
    }
    // The first letter tells most words apart, without a call that compares the rest.
    let first = word.bytes().next()?.to_ascii_lowercase();
    let is_form = |form: &&str| form.as_bytes().first() == Some(&first) && form.eq_ignore_ascii_case(word);
    WEEKDAYS.iter().find(|(forms, _)| forms.iter().any(is_form)).map(|(_, weekday)| *weekday)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_one_of_its_forms() {
        for (word, expected) in [
            ("May", Some(5)),
            ("MAI", Some(5)),
            ("Sept", Some(9)),
            ("juillet", Some(7)),
            ("juin", Some(6)),
            ("Ağustos", Some(8)),
            ("dezembro", Some(12)),
            ("septiembre", Some(9)),
            ("mrt", Some(3)),
        ] {
            assert_eq!(month(word).map(|(month, _)| month), expected, "{word}");
        }
        for word in [
            "maintenance",
            "Maintenance",
            "main",
            "mail",
            "general",
            "generator",
            "setup",
            "settings",
            "outage",
            "output",
            "subsea",
            "submarine",
            "Mark",
            "market",
            "temporary",
            "template",
            "decommission",
            "application",
            "junction",
            "marine",
            "major",
            "Maynard",
            "nova",
            "segment",
            "agent",
            "arabia",
            "augment",
            "octal",
            "janitor",
            "juice",
        ] {
            assert_eq!(month(word), None, "{word}");
        }
    }

    #[test]
    fn every_form_is_found() {
        for (trust, forms) in MONTHS {
            for (form, number) in forms {
                assert_eq!(month(form), Some((*number, trust)), "{form}");
            }
        }
    }

    #[test]
    fn a_weekday_is_one_of_its_forms() {
        for (word, expected) in [
            ("Mon", Some(Weekday::Monday)),
            ("THURS", Some(Weekday::Thursday)),
            ("Sunday", Some(Weekday::Sunday)),
            ("monitor", None),
            ("monthly", None),
            ("sunny", None),
            ("satellite", None),
            ("friendly", None),
            ("wedge", None),
        ] {
            assert_eq!(weekday(word), expected, "{word}");
        }
    }
}
