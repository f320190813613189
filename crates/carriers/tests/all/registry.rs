//! Rules that every provider keeps: the registry is what users of the parser rely on.

use std::{collections::BTreeSet, fs};

use carriers::providers::ALL;
use notice::provider::Provider;

use crate::support;

/// Mails of ours that a provider has at least: one that announces, one that changes, one that calls off.
const LEAST_MAILS: usize = 3;

#[test]
fn slugs_are_lower_case_sorted_and_unique() {
    let slugs: Vec<_> = ALL.iter().map(|provider| provider.slug).collect();
    assert!(slugs.is_sorted() && slugs.windows(2).all(|pair| pair[0] != pair[1]), "{slugs:?}");
    for slug in slugs {
        assert!(slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'), "{slug}");
    }
}

/// Whoever shares a domain must be told by what the mail says; a mail of ours shows that it is.
#[test]
fn who_shares_a_domain_is_told_by_the_wording() {
    let overlap = |one: &Provider, other: &Provider| {
        one.domains.iter().any(|domain| {
            other.domains.iter().any(|parent| domain == parent || domain.ends_with(&format!(".{parent}")))
        })
    };
    for one in ALL {
        for other in ALL.iter().filter(|other| other.slug != one.slug && overlap(one, other)) {
            let mails = support::own_mails();
            for slug in [one.slug, other.slug] {
                let own = mails.iter().filter(|mail| mail.name.starts_with(&format!("{slug}/")));
                let read = own.filter(|mail| support::parse(&mail.bytes)["provider"] == slug).count();
                assert!(
                    read > 0 || !support::is_asked_for(slug),
                    "{slug} shares a domain, and no mail of ours is its own"
                );
            }
        }
    }
}

/// Titles of mails that move a maintenance, in formats that have no status for it.
const CHANGED: [&str; 6] = ["rescheduled", "postponed", "amended", "updated", "correction", "changed"];

#[test]
fn every_provider_has_mails_of_ours_that_announce_change_and_call_off() {
    let mails = support::own_mails();
    let mut missing = Vec::new();
    for provider in ALL.iter().filter(|provider| support::is_asked_for(provider.slug)) {
        let own: Vec<_> = mails.iter().filter(|mail| mail.name.starts_with(&format!("{}/", provider.slug))).collect();
        let read: Vec<_> = own.iter().map(|mail| (mail, support::parse(&mail.bytes))).collect();
        let notices = || read.iter().filter(|(_, reading)| reading["outcome"] == "maintenance");
        let statuses: BTreeSet<String> = notices()
            .flat_map(|(_, reading)| reading["maintenances"].as_array().unwrap().clone())
            .map(|maintenance| maintenance["status"].as_str().unwrap().to_owned())
            .collect();
        let has = |names: &[&str], words: &[&str]| {
            words.iter().any(|word| statuses.contains(*word))
                || notices().any(|(mail, _)| names.iter().any(|name| mail.name.contains(&format!("/{name}"))))
        };
        let is_whole = has(&["planned"], &["CONFIRMED", "TENTATIVE"])
            && has(&CHANGED, &["RE-SCHEDULED"])
            && has(&["cancelled"], &["CANCELLED"]);
        if own.len() < LEAST_MAILS || !is_whole {
            missing.push(format!("{}: {} mails, {statuses:?}", provider.slug, own.len()));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_mail_belongs_to_a_provider() {
    for folder in support::folders(&support::repository().join("tests/mails")) {
        let name = support::name(&folder);
        let is_known = ALL.iter().any(|provider| provider.slug == name) || name == "unrecognised";
        assert!(is_known, "{name} is no provider");
    }
}

#[test]
fn a_provider_fits_on_a_few_screens() {
    let folder = support::repository().join("crates/carriers/src/providers");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.extend(
        support::folders(&folder)
            .iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path()),
    );
    files.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    assert!(files.len() > ALL.len() / 2);
    for file in files {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 300, "{}: {lines} lines", file.display());
    }
}
