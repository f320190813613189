//! The mails that we wrote: `tests/mails/PROVIDER/NAME.eml`, and beside each what `provision parse --json` says of it.

use std::fs;

use serde_json::Value;

use crate::support;

#[test]
fn every_mail_reads_as_its_expected_result() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for mail in support::own_mails() {
        let expected = mail.path.with_extension("json");
        let expected = fs::read(&expected).unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        for (ends, bytes) in support::with_both_line_ends(&mail.bytes) {
            ran += 1;
            let what = format!("{} {ends}", mail.path.display());
            wrong.extend(support::difference(&what, &expected, &support::parse(&bytes)));
        }
    }
    println!("own mails: {ran} readings, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
