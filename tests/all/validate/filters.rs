//! Tests the diagnostics of `receipt_filters`.

use super::{SOUND, only_in, validated};

/// A declaration with filters.
fn with_filters(filters: &str) -> String {
    format!("{SOUND}receipt_filters:\n{filters}")
}

const FILTERS: &str =
    "  - {name: everybody, policy: block, cidr: 0.0.0.0/0}\n  - {name: carriers, policy: allow, cidr: 192.0.2.0/24}\n";

#[test]
fn filters_that_ses_takes_are_sound() {
    let run = validated(&with_filters(FILTERS));
    assert!(run.code() == Some(0) && run.stdout().contains("1 receipt rule, 2 receipt filters"), "{run}");
    validated(&with_filters("  - {name: one, policy: block, cidr: 198.51.100.7}\n"));
}

#[test]
fn every_mistake_in_a_filter_is_told_with_its_place() {
    let sound = with_filters(FILTERS);
    let form = "must be an IPv4 address, or a range of them such as `192.0.2.0/24`";
    for (old, new, place, words) in [
        ("policy: allow", "policy: alow", "25:30", "did you mean `allow`?"),
        ("policy: allow, ", "", "25:5", "`policy`"),
        ("name: carriers, ", "", "25:5", "`name`"),
        ("name: carriers", "name: everybody", "25:12", "a second receipt filter is named `everybody`"),
        (
            "cidr: 192.0.2.0/24",
            "cidr: 192.0.2.7/24",
            "25:43",
            "write `192.0.2.0/24` for the whole range, or `192.0.2.7` for the address",
        ),
        ("cidr: 192.0.2.0/24", "cidr: 192.0.2.0/33", "25:43", form),
        ("cidr: 192.0.2.0/24", "cidr: 192.0.2", "25:43", form),
        ("cidr: 192.0.2.0/24", "cidr: carriers.example", "25:43", form),
        ("cidr: 192.0.2.0/24", "cidr: '2001:db8::/32'", "25:43", "SES filters IPv4 alone"),
        ("cidr: 192.0.2.0/24", "cidr: 0.0.0.0/0", "25:43", "filter `everybody` is for these addresses, too"),
        ("policy: allow", "policy: block", "24:44", "this refuses every mail: no filter allows any address"),
    ] {
        let told = only_in(&sound, old, new);
        assert!(told.starts_with(place) && told.contains(words), "{old} → {new}: {told}");
    }
}

#[test]
fn more_filters_than_ses_takes_are_refused() {
    let many = |count: usize| {
        let one = |at: usize| format!("  - {{name: f{at}, policy: block, cidr: 198.51.100.{at}}}\n");
        validated(&with_filters(&(0..count).map(one).collect::<String>()))
    };
    assert_eq!(many(100).code(), Some(0));
    let run = many(101);
    assert!(run.code() == Some(2) && run.diagnostics().concat().contains("SES takes at most 100 filters"), "{run}");
}
