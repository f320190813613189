//! The expiry of objects in a bucket: a rule of ours for each prefix, one for the whole bucket, and other people's rules.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use serde::{Serialize, Serializer};

use super::{Session, about, unbuilt};
use crate::number::{natural, wire};
use aws::OrFail;
use contract::count::counted;
use engine::Failure;

/// The id of our rule for the whole bucket, and how the ids of those for prefixes begin.
pub(super) const RULE: &str = "provision";
/// S3's limit on the length of an id.
const LONGEST_ID: usize = 255;

/// Numbers of days by the prefix of objects' keys; the empty prefix is for all objects, and stands as `*` in settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaysByPrefix(BTreeMap<String, u32>);

impl FromIterator<(String, u32)> for DaysByPrefix {
    fn from_iter<T: IntoIterator<Item = (String, u32)>>(days: T) -> Self {
        Self(days.into_iter().collect())
    }
}

impl Serialize for DaysByPrefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(prefix, days)| (if prefix.is_empty() { "*" } else { prefix }, days)))
    }
}

/// The ages at which objects are deleted, in days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lifecycle {
    /// Ages of objects; those without are kept.
    pub expire_days: DaysByPrefix,
    /// Ages of noncurrent versions, since they were replaced; those without are kept.
    pub noncurrent_days: DaysByPrefix,
    /// Age of parts of an unfinished upload; `None` keeps them.
    pub abort_incomplete_days: Option<u32>,
    /// Rules that are not ours, by id, in words. They would delete mail, or keep it: there must be none.
    pub others: BTreeMap<String, String>,
}

/// The ages that one rule sets for the objects below a prefix, in days.
#[derive(Debug, Clone, Copy, Default)]
struct Ages {
    expire: Option<u32>,
    noncurrent: Option<u32>,
    abort_incomplete: Option<u32>,
}

impl Ages {
    fn of(rule: &LifecycleRule) -> Self {
        let noncurrent = rule.noncurrent_version_expiration.as_ref().and_then(|one| one.noncurrent_days);
        let abort = rule.abort_incomplete_multipart_upload.as_ref().and_then(|one| one.days_after_initiation);
        Self {
            expire: rule.expiration.as_ref().and_then(|one| one.days).map(natural),
            noncurrent: noncurrent.map(natural),
            abort_incomplete: abort.map(natural),
        }
    }

    /// Returns our rule for the objects below a prefix.
    fn rule(self, prefix: &str) -> Result<LifecycleRule, Failure> {
        let expire = |days| LifecycleExpiration::builder().days(wire(days)).build();
        let noncurrent = |days| NoncurrentVersionExpiration::builder().noncurrent_days(wire(days)).build();
        let abort = |days| AbortIncompleteMultipartUpload::builder().days_after_initiation(wire(days)).build();
        LifecycleRule::builder()
            .id(id_of(prefix))
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
            .set_expiration(self.expire.map(expire))
            .set_noncurrent_version_expiration(self.noncurrent.map(noncurrent))
            .set_abort_incomplete_multipart_upload(self.abort_incomplete.map(abort))
            .build()
            .map_err(unbuilt(PUT))
    }
}

/// Returns the id of our rule for a prefix.
fn id_of(prefix: &str) -> String {
    if prefix.is_empty() {
        return RULE.to_owned();
    }
    aws::cut(format!("{RULE} {prefix}"), LONGEST_ID, prefix)
}

impl Lifecycle {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns our rules: one for each prefix.
    fn rules(&self) -> Result<Vec<LifecycleRule>, Failure> {
        let mut by_prefix: BTreeMap<&str, Ages> = BTreeMap::new();
        for (prefix, days) in &self.expire_days.0 {
            by_prefix.entry(prefix).or_default().expire = Some(*days);
        }
        for (prefix, days) in &self.noncurrent_days.0 {
            by_prefix.entry(prefix).or_default().noncurrent = Some(*days);
        }
        if self.abort_incomplete_days.is_some() {
            by_prefix.entry("").or_default().abort_incomplete = self.abort_incomplete_days;
        }
        by_prefix.into_iter().map(|(prefix, ages)| ages.rule(prefix)).collect()
    }

    /// Returns the lifecycle of an answer's rules. A rule counts as ours only if [`Ages::rule`] could have made it: one that was
    /// disabled or narrowed no longer does what it says.
    fn from_rules(rules: Vec<LifecycleRule>) -> Self {
        let mut lifecycle = Self::default();
        for (number, rule) in (1..).zip(rules) {
            let (ages, rule) = (Ages::of(&rule), plain_form(&rule));
            let prefix = rule.filter.as_ref().and_then(|filter| filter.prefix.clone()).unwrap_or_default();
            // What only the whole bucket has says nothing about a prefix.
            let is_sound = prefix.is_empty() || ages.abort_incomplete.is_none();
            if is_sound && ages.rule(&prefix).is_ok_and(|own| own == rule) {
                lifecycle.abort_incomplete_days = ages.abort_incomplete.or(lifecycle.abort_incomplete_days);
                lifecycle.expire_days.0.extend(ages.expire.map(|days| (prefix.clone(), days)));
                lifecycle.noncurrent_days.0.extend(ages.noncurrent.map(|days| (prefix, days)));
            } else {
                let id = rule.id.clone().unwrap_or_else(|| format!("unnamed-{number}"));
                lifecycle.others.insert(id, in_words(&rule, ages));
            }
        }
        lifecycle
    }
}

/// Returns a rule in the normal form of ours: no filter, an old-style prefix and an empty one all mean the whole bucket,
/// and an empty list or a switch that is off means nothing.
#[expect(deprecated, reason = "S3 still gives the old prefix of old rules")]
fn plain_form(rule: &LifecycleRule) -> LifecycleRule {
    let mut rule = rule.clone();
    let whole = LifecycleRuleFilter::builder().prefix("").build();
    let is_empty = |filter: &LifecycleRuleFilter| *filter == LifecycleRuleFilter::builder().build();
    let old = rule.prefix.take().filter(|prefix| !prefix.is_empty());
    rule.filter = match (rule.filter.take().filter(|filter| !is_empty(filter)), old) {
        (None, None) => Some(whole),
        (None, Some(prefix)) => Some(LifecycleRuleFilter::builder().prefix(prefix).build()),
        (filter, _) => filter,
    };
    rule.transitions = rule.transitions.take().filter(|list| !list.is_empty());
    rule.noncurrent_version_transitions = rule.noncurrent_version_transitions.take().filter(|list| !list.is_empty());
    if let Some(expiration) = &mut rule.expiration {
        expiration.expired_object_delete_marker = expiration.expired_object_delete_marker.filter(|is_on| *is_on);
    }
    rule
}

fn in_words(rule: &LifecycleRule, ages: Ages) -> String {
    let mut words = vec![rule.status.as_str().to_lowercase()];
    let prefix = rule.filter.as_ref().and_then(|filter| filter.prefix.as_deref());
    if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
        words.push(format!("below `{prefix}`"));
    }
    let in_days = |days: u32| counted(usize::try_from(days).unwrap_or(usize::MAX), "day");
    words.extend(ages.expire.map(|days| format!("objects expire after {}", in_days(days))));
    words.extend(ages.noncurrent.map(|days| format!("older versions expire after {}", in_days(days))));
    words.extend(ages.abort_incomplete.map(|days| format!("uploads are aborted after {}", in_days(days))));
    let moves =
        rule.transitions.iter().flatten().count() + rule.noncurrent_version_transitions.iter().flatten().count();
    if moves > 0 {
        words.push(format!("{moves} moves to other storage"));
    }
    words.join(", ")
}

const PUT: &str = "s3.PutBucketLifecycleConfiguration";

pub(super) async fn read(session: &Session, name: &str) -> Result<Lifecycle, Failure> {
    let answer = about!(session.aws.read, session, name, get_bucket_lifecycle_configuration).send().await;
    let answer = answer.or_absent("s3.GetBucketLifecycleConfiguration")?;
    Ok(Lifecycle::from_rules(answer.and_then(|answer| answer.rules).unwrap_or_default()))
}

pub(super) async fn write(session: &Session, name: &str, desired: &Lifecycle) -> Result<(), Failure> {
    let rules = desired.rules()?;
    if rules.is_empty() {
        let call = about!(session.aws.write, session, name, delete_bucket_lifecycle);
        return call.send().await.or_absent("s3.DeleteBucketLifecycle").map(drop);
    }
    let lifecycle = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(unbuilt(PUT))?;
    let call = about!(session.aws.write, session, name, put_bucket_lifecycle_configuration);
    call.lifecycle_configuration(lifecycle).send().await.or_fail(PUT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: &[(&str, u32)]) -> DaysByPrefix {
        days.iter().map(|(prefix, days)| ((*prefix).to_owned(), *days)).collect()
    }

    fn ours() -> Lifecycle {
        Lifecycle { expire_days: days(&[("", 400)]), abort_incomplete_days: Some(7), ..Lifecycle::default() }
    }

    fn by_prefix() -> Lifecycle {
        Lifecycle {
            expire_days: days(&[("inbound/", 30), ("unmatched/", 400)]),
            noncurrent_days: days(&[("", 90), ("inbound/", 7)]),
            ..ours()
        }
    }

    /// Returns the only rule of `ours`.
    fn rule() -> LifecycleRule {
        ours().rules().unwrap().remove(0)
    }

    #[test]
    fn a_written_value_reads_back_equal() {
        for lifecycle in [ours(), by_prefix(), Lifecycle::default()] {
            assert_eq!(Lifecycle::from_rules(lifecycle.rules().unwrap()), lifecycle);
        }
        assert_eq!(by_prefix().rules().unwrap().len(), 3, "one for each prefix");
        let long = format!("{}/", "x".repeat(500));
        let lifecycle = Lifecycle { expire_days: days(&[(&long, 30)]), ..Lifecycle::default() };
        let rules = lifecycle.rules().unwrap();
        assert!(rules[0].id.as_ref().is_some_and(|id| id.len() <= LONGEST_ID));
        assert_eq!(Lifecycle::from_rules(rules), lifecycle);
    }

    #[test]
    #[expect(deprecated, reason = "S3 still gives the old prefix of old rules")]
    fn the_same_objects_are_the_same_however_they_are_written() {
        for filter in [None, Some(LifecycleRuleFilter::builder().build())] {
            let mut rule = rule();
            rule.filter = filter;
            assert_eq!(Lifecycle::from_rules(vec![rule]), ours());
        }
        let rules = by_prefix().rules().unwrap().into_iter().map(|mut rule| {
            rule.prefix = rule.filter.take().and_then(|filter| filter.prefix);
            rule.expiration = rule.expiration.map(|mut one| {
                one.expired_object_delete_marker = Some(false);
                one
            });
            rule
        });
        assert_eq!(Lifecycle::from_rules(rules.collect()), by_prefix());
    }

    #[test]
    #[expect(deprecated, reason = "S3 still gives the old prefix of old rules")]
    fn a_rule_that_no_longer_does_what_it_says_is_another() {
        for original in by_prefix().rules().unwrap() {
            let mut disabled = original.clone();
            disabled.status = ExpirationStatus::Disabled;
            let mut narrowed = original.clone();
            narrowed.filter = Some(LifecycleRuleFilter::builder().prefix("inbound/old/").build());
            let mut old = original.clone();
            (old.filter, old.prefix) = (None, Some("inbound/old/".to_owned()));
            let mut renamed = original.clone();
            renamed.id = Some(format!("{} ", original.id.unwrap()));
            for rule in [disabled, narrowed, old, renamed] {
                let live = Lifecycle::from_rules(vec![rule]);
                assert!(live.rules().unwrap().is_empty(), "{live:?}");
                assert_eq!(live.others.len(), 1);
            }
        }
        let mut aborts = Ages { expire: Some(30), ..Ages::default() }.rule("inbound/").unwrap();
        aborts.abort_incomplete_multipart_upload = rule().abort_incomplete_multipart_upload;
        assert_eq!(Lifecycle::from_rules(vec![aborts]).others.len(), 1, "of a prefix");
    }

    #[test]
    fn a_rule_beside_ours_is_seen_and_ours_too() {
        let mut other = rule();
        other.id = Some("tidy".to_owned());
        other.filter = Some(LifecycleRuleFilter::builder().prefix("mail/").build());
        let live = Lifecycle::from_rules(vec![other, rule()]);
        let words = "enabled, below `mail/`, objects expire after 400 days, uploads are aborted after 7 days";
        assert_eq!(live, Lifecycle { others: BTreeMap::from([("tidy".to_owned(), words.to_owned())]), ..ours() });
    }

    #[test]
    fn the_whole_bucket_is_shown_as_an_asterisk() {
        let shown = serde_json::to_value(by_prefix()).unwrap();
        assert_eq!(shown["noncurrent_days"], serde_json::json!({"*": 90, "inbound/": 7}));
    }
}
