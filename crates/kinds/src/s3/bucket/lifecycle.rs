//! The expiry of objects in a bucket: one rule of ours for the whole bucket, and other people's rules.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use serde::Serialize;

use super::{Session, about, unbuilt};
use crate::number::{natural, wire};
use aws::OrFail;
use contract::count::counted;
use engine::Failure;

/// The id of our rule.
pub(super) const RULE: &str = "provision";

/// The ages at which objects are deleted, in days.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lifecycle {
    /// Age of objects; `None` keeps them.
    pub expire_days: Option<u32>,
    /// Age of noncurrent versions, since they were replaced; `None` keeps them.
    pub noncurrent_days: Option<u32>,
    /// Age of parts of an unfinished upload; `None` keeps them.
    pub abort_incomplete_days: Option<u32>,
    /// Rules that are not ours, by id, in words. They would delete mail, or keep it: there must be none.
    pub others: BTreeMap<String, String>,
}

impl Lifecycle {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn has_rule(&self) -> bool {
        self.expire_days.is_some() || self.noncurrent_days.is_some() || self.abort_incomplete_days.is_some()
    }

    fn rule(&self) -> Result<LifecycleRule, Failure> {
        let expire = |days| LifecycleExpiration::builder().days(wire(days)).build();
        let noncurrent = |days| NoncurrentVersionExpiration::builder().noncurrent_days(wire(days)).build();
        let abort = |days| AbortIncompleteMultipartUpload::builder().days_after_initiation(wire(days)).build();
        LifecycleRule::builder()
            .id(RULE)
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("").build())
            .set_expiration(self.expire_days.map(expire))
            .set_noncurrent_version_expiration(self.noncurrent_days.map(noncurrent))
            .set_abort_incomplete_multipart_upload(self.abort_incomplete_days.map(abort))
            .build()
            .map_err(unbuilt(PUT))
    }

    /// Returns the lifecycle of an answer's rules. Our rule counts as ours only if [`Lifecycle::rule`] could have made it:
    /// one that was disabled or narrowed no longer does what it says.
    fn from_rules(rules: Vec<LifecycleRule>) -> Self {
        let mut lifecycle = Self::default();
        for (number, rule) in (1..).zip(rules) {
            let candidate = Self {
                expire_days: rule.expiration.as_ref().and_then(|one| one.days).map(natural),
                noncurrent_days: rule
                    .noncurrent_version_expiration
                    .as_ref()
                    .and_then(|one| one.noncurrent_days)
                    .map(natural),
                abort_incomplete_days: rule
                    .abort_incomplete_multipart_upload
                    .as_ref()
                    .and_then(|one| one.days_after_initiation)
                    .map(natural),
                others: BTreeMap::new(),
            };
            let is_ours =
                rule.id.as_deref() == Some(RULE) && candidate.rule().is_ok_and(|own| own == plain_form(&rule));
            if is_ours {
                lifecycle = Self { others: lifecycle.others, ..candidate };
            } else {
                let id = rule.id.clone().unwrap_or_else(|| format!("unnamed-{number}"));
                lifecycle.others.insert(id, in_words(&rule, &candidate));
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

fn in_words(rule: &LifecycleRule, days: &Lifecycle) -> String {
    let mut words = vec![rule.status.as_str().to_lowercase()];
    let prefix = rule.filter.as_ref().and_then(|filter| filter.prefix.as_deref());
    if let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) {
        words.push(format!("below `{prefix}`"));
    }
    let in_days = |days: u32| counted(usize::try_from(days).unwrap_or(usize::MAX), "day");
    words.extend(days.expire_days.map(|days| format!("objects expire after {}", in_days(days))));
    words.extend(days.noncurrent_days.map(|days| format!("older versions expire after {}", in_days(days))));
    words.extend(days.abort_incomplete_days.map(|days| format!("uploads are aborted after {}", in_days(days))));
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
    if !desired.has_rule() {
        let call = about!(session.aws.write, session, name, delete_bucket_lifecycle);
        return call.send().await.or_absent("s3.DeleteBucketLifecycle").map(drop);
    }
    let lifecycle = BucketLifecycleConfiguration::builder().rules(desired.rule()?).build().map_err(unbuilt(PUT))?;
    let call = about!(session.aws.write, session, name, put_bucket_lifecycle_configuration);
    call.lifecycle_configuration(lifecycle).send().await.or_fail(PUT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Lifecycle {
        Lifecycle { expire_days: Some(400), abort_incomplete_days: Some(7), ..Lifecycle::default() }
    }

    #[test]
    fn a_written_value_reads_back_equal() {
        assert_eq!(Lifecycle::from_rules(vec![ours().rule().unwrap()]), ours());
        assert_eq!(Lifecycle::from_rules(Vec::new()), Lifecycle::default());
    }

    #[test]
    #[expect(deprecated, reason = "S3 still gives the old prefix of old rules")]
    fn the_whole_bucket_is_the_whole_bucket_however_it_is_written() {
        for filter in [None, Some(LifecycleRuleFilter::builder().build())] {
            let mut rule = ours().rule().unwrap();
            rule.filter = filter;
            assert_eq!(Lifecycle::from_rules(vec![rule]), ours());
        }
        let mut rule = ours().rule().unwrap();
        (rule.filter, rule.prefix) = (None, Some(String::new()));
        rule.expiration = rule.expiration.map(|mut one| {
            one.expired_object_delete_marker = Some(false);
            one
        });
        assert_eq!(Lifecycle::from_rules(vec![rule]), ours());
    }

    #[test]
    #[expect(deprecated, reason = "S3 still gives the old prefix of old rules")]
    fn a_rule_that_no_longer_does_what_it_says_is_another() {
        let mut disabled = ours().rule().unwrap();
        disabled.status = ExpirationStatus::Disabled;
        let mut narrowed = ours().rule().unwrap();
        narrowed.filter = Some(LifecycleRuleFilter::builder().prefix("mail/").build());
        let mut old = ours().rule().unwrap();
        (old.filter, old.prefix) = (None, Some("mail/".to_owned()));
        for rule in [disabled, narrowed, old] {
            let live = Lifecycle::from_rules(vec![rule]);
            assert!(!live.has_rule());
            assert_eq!(live.others.len(), 1);
        }
    }

    #[test]
    fn a_rule_beside_ours_is_seen_and_ours_too() {
        let mut other = ours().rule().unwrap();
        other.id = Some("tidy".to_owned());
        other.filter = Some(LifecycleRuleFilter::builder().prefix("mail/").build());
        let live = Lifecycle::from_rules(vec![other, ours().rule().unwrap()]);
        let words = "enabled, below `mail/`, objects expire after 400 days, uploads are aborted after 7 days";
        assert_eq!(live, Lifecycle { others: BTreeMap::from([("tidy".to_owned(), words.to_owned())]), ..ours() });
    }
}
