//! The mails that we wrote: `tests/mails/PROVIDER/NAME.eml`, and beside each what `provision parse --json` says of it.

use std::fs;

use serde_json::Value;

use crate::support;

#[test]
fn every_mail_says_what_stands_beside_it() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for provider in support::folders(&support::repository().join("tests/mails")) {
        if !support::is_asked_for(&support::name(&provider)) {
            continue;
        }
        let mut mails: Vec<_> = fs::read_dir(&provider).unwrap().map(|entry| entry.unwrap().path()).collect();
        mails.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        mails.sort();
        for path in mails {
            let expected = path.with_extension("json");
            let expected = fs::read(&expected).unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            for (ends, bytes) in support::with_both_line_ends(&fs::read(&path).unwrap()) {
                ran += 1;
                wrong.extend(support::difference(
                    &format!("{} {ends}", path.display()),
                    &expected,
                    &support::parse(&bytes),
                ));
            }
        }
    }
    println!("own mails: {ran} readings, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
