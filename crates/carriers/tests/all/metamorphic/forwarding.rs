//! A notice that was passed on, however often, is the same notice.

use super::{Changed, Sample, Variation};
use crate::rewrite::forward::{self, Style};

/// Keys that may come from the subject or the date of the mail that arrived.
const OF_THE_OUTER: &[&str] = &["stamp", "summary"];

const STYLES: [Style; 4] = [Style::Gmail, Style::Outlook, Style::OutlookGerman, Style::Apple];

fn check(name: &'static str, pass_on: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    let variation = Variation { ignored: OF_THE_OUTER, ..Variation::of_all(name) };
    variation.check(|sample| {
        let passed_on = is_first_hand(sample).then(|| pass_on(&sample.bytes)).flatten();
        passed_on.into_iter().map(|bytes| Changed::same(sample, bytes)).collect()
    });
}

fn is_first_hand(sample: &Sample) -> bool {
    sample.is_notice() && !sample.decoded.is_forwarded() && sample.decoded.outer().sender.is_some()
}

#[test]
fn as_an_attachment() {
    check("forwarded as an attachment", |mail| Some(forward::attached(mail)));
    check("twice as an attachment", |mail| Some(forward::attached(&forward::attached(mail))));
}

#[test]
fn inline() {
    for style in STYLES {
        check("forwarded inline", |mail| forward::inline(mail, style));
    }
}

#[test]
fn inline_twice() {
    for (inner, outer) in [(Style::Outlook, Style::Gmail), (Style::Gmail, Style::Outlook), (Style::Apple, Style::Apple)]
    {
        check("forwarded inline twice", |mail| forward::inline(&forward::inline(mail, inner)?, outer));
    }
}

#[test]
fn inline_in_an_attachment() {
    check("forwarded inline, then as an attachment", |mail| {
        Some(forward::attached(&forward::inline(mail, Style::Outlook)?))
    });
}
