//! CloudWatch's alarms on one metric.
//!
//! An alarm is always written as a whole. If somebody turned it into a formula over metrics, it has no metric of its own
//! any more: that shows as a difference, and is overwritten.

use crate::identity::Identity;
use aws::ArnForm;
use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::types::{AlarmType, ComparisonOperator, Dimension, MetricAlarm, StandardUnit, Statistic, Tag};
use futures::future::try_join_all;
use serde::Serialize;

use crate::{
    Kind, Manage, Session, apigateway, ec2,
    number::{natural, wire},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::OrFail;
use engine::Failure;
use engine::{Address, Field, Holds, Live, Owned, Owner, Tags, coupled, plain};

/// Alarms on a metric.
#[derive(Debug)]
pub struct Alarm;

/// An alarm, in CloudWatch's own words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Description of the resource, for people.
    pub description: String,
    /// Namespace of the metric, such as `AWS/Lambda`.
    pub namespace: String,
    /// Name of the metric, such as `Errors`.
    pub metric: String,
    /// Dimensions of the metric: `FunctionName` → the function's name.
    pub dimensions: BTreeMap<String, String>,
    /// Statistic: `Sum`, `Maximum` …, or a percentile such as `p99`.
    pub statistic: String,
    /// Unit of the values that count; `None` counts values of any unit.
    pub unit: Option<String>,
    /// Length of a period, in seconds.
    pub period: u32,
    /// Number of periods that are evaluated.
    pub evaluation_periods: u32,
    /// Number of periods in which the threshold must be passed; `None` means all.
    pub datapoints: Option<u32>,
    /// Threshold, in the unit of the metric.
    pub threshold: f64,
    /// Comparison with the threshold, such as `GreaterThanOrEqualToThreshold`.
    pub comparison: String,
    /// Treatment of a period without values: `missing`, `notBreaching`, `breaching` or `ignore`.
    pub missing_data: String,
    /// Treatment of a percentile of few values: `evaluate` or `ignore`; `None` for other statistics.
    pub low_samples: Option<String>,
    /// `true` if the actions are taken.
    pub enabled: bool,
    /// ARNs that are notified when the alarm fires.
    pub alarm_actions: BTreeSet<String>,
    /// ARNs that are notified when the alarm ends.
    pub ok_actions: BTreeSet<String>,
    /// ARNs that are notified when values are missing.
    pub insufficient_data_actions: BTreeSet<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

impl Default for Settings {
    /// Returns an alarm that fires on any count within five minutes. AWS has defaults for the last fields only.
    fn default() -> Self {
        Self {
            description: String::new(),
            namespace: String::new(),
            metric: String::new(),
            dimensions: BTreeMap::new(),
            statistic: "Sum".to_owned(),
            unit: None,
            period: 300,
            evaluation_periods: 1,
            datapoints: None,
            threshold: 0.0,
            comparison: "GreaterThanThreshold".to_owned(),
            missing_data: MISSING.to_owned(),
            low_samples: None,
            enabled: true,
            alarm_actions: BTreeSet::new(),
            ok_actions: BTreeSet::new(),
            insufficient_data_actions: BTreeSet::new(),
            tags: Tags::new(),
        }
    }
}

const MISSING: &str = "missing";
/// Dimension of the metrics of APIs.
pub const API: &str = "ApiId";
/// Dimension that has the id of a server.
pub const SERVER: &str = "InstanceId";
/// Number of periods: AWS takes all of them for the default.
const PERIODS: &[&str] = &["evaluation_periods", "datapoints"];
/// Statistic: only percentiles know `low_samples`.
const STATISTIC: &[&str] = &["statistic", "low_samples"];

fn set(items: Option<&Vec<String>>) -> BTreeSet<String> {
    items.into_iter().flatten().cloned().collect()
}

impl Settings {
    /// Returns the settings with all periods written as `None`, and `evaluate` likewise, since AWS means the same by them.
    fn normal(self) -> Self {
        let datapoints = self.datapoints.filter(|count| *count != self.evaluation_periods);
        let low_samples = self.low_samples.filter(|text| !text.is_empty() && text != "evaluate");
        Self { datapoints, low_samples, ..self }
    }

    fn from_aws(alarm: &MetricAlarm, tags: Tags) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let dimensions = alarm.dimensions.iter().flatten();
        let dimensions = dimensions.map(|it| (text(&it.name), text(&it.value)));
        let statistic = alarm.statistic.as_ref().map(|it| it.as_str().to_owned());
        Self {
            description: text(&alarm.alarm_description),
            namespace: text(&alarm.namespace),
            metric: text(&alarm.metric_name),
            dimensions: dimensions.collect(),
            statistic: statistic.unwrap_or_else(|| text(&alarm.extended_statistic)),
            unit: alarm.unit.as_ref().map(|unit| unit.as_str().to_owned()),
            period: alarm.period.map(natural).unwrap_or_default(),
            evaluation_periods: alarm.evaluation_periods.map(natural).unwrap_or_default(),
            datapoints: alarm.datapoints_to_alarm.map(natural),
            threshold: alarm.threshold.unwrap_or_default(),
            comparison: alarm.comparison_operator.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
            missing_data: alarm.treat_missing_data.clone().unwrap_or_else(|| MISSING.to_owned()),
            low_samples: alarm.evaluate_low_sample_count_percentile.clone(),
            enabled: alarm.actions_enabled.unwrap_or(true),
            alarm_actions: set(alarm.alarm_actions.as_ref()),
            ok_actions: set(alarm.ok_actions.as_ref()),
            insufficient_data_actions: set(alarm.insufficient_data_actions.as_ref()),
            tags,
        }
        .normal()
    }

    fn aws_tags(&self) -> Vec<Tag> {
        self.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
    }

    fn list(items: &BTreeSet<String>) -> Vec<String> {
        items.iter().cloned().collect()
    }

    /// Returns whether two alarms are equal except for their tags, which have calls of their own.
    fn same_alarm(&self, other: &Self) -> bool {
        Self { tags: Tags::new(), ..self.clone() } == Self { tags: Tags::new(), ..other.clone() }
    }
}

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

async fn tags(session: &Session, name: &str) -> Result<Option<Tags>, Failure> {
    let call = session.aws.read.cloudwatch.list_tags_for_resource().resource_arn(arn(session, name));
    let answer = call.send().await.or_absent("cloudwatch.ListTagsForResource")?;
    let pairs = |tags: Vec<Tag>| tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value?)));
    Ok(answer.map(|answer| own_tags(pairs(answer.tags.unwrap_or_default()))))
}

/// Returns the dimensions for a call. The id of an API is known as soon as there is the API.
async fn dimensions(session: &Session, desired: &Settings) -> Result<Vec<Dimension>, Failure> {
    let dimensions = desired.dimensions.iter().map(|(name, value)| async move {
        // A server's placeholder is one of an API's, too, with the kind before the name.
        let value = apigateway::with_id(session, &ec2::with_id(session, value).await?).await?;
        Ok(Dimension::builder().name(name).value(value).build())
    });
    try_join_all(dimensions).await
}

/// Writes the whole alarm. AWS sets the tags of a new one only.
async fn put(session: &Session, name: &str, desired: &Settings) -> Result<(), Failure> {
    let unit = desired.unit.as_deref().map(StandardUnit::from);
    // A name that is none of the five is a percentile.
    let plain = Statistic::values().contains(&desired.statistic.as_str());
    let call = session.aws.write.cloudwatch.put_metric_alarm().alarm_name(name).set_unit(unit);
    let call = if plain {
        call.statistic(Statistic::from(desired.statistic.as_str()))
    } else {
        call.extended_statistic(&desired.statistic)
    };
    let dimensions = dimensions(session, desired).await?;
    call.alarm_description(&desired.description)
        .namespace(&desired.namespace)
        .metric_name(&desired.metric)
        .set_dimensions(Some(dimensions))
        .period(wire(desired.period))
        .evaluation_periods(wire(desired.evaluation_periods))
        .set_datapoints_to_alarm(desired.datapoints.map(wire))
        .threshold(desired.threshold)
        .comparison_operator(ComparisonOperator::from(desired.comparison.as_str()))
        .treat_missing_data(&desired.missing_data)
        .set_evaluate_low_sample_count_percentile(desired.low_samples.clone())
        .actions_enabled(desired.enabled)
        .set_alarm_actions(Some(Settings::list(&desired.alarm_actions)))
        .set_ok_actions(Some(Settings::list(&desired.ok_actions)))
        .set_insufficient_data_actions(Some(Settings::list(&desired.insufficient_data_actions)))
        .set_tags(Some(desired.aws_tags()))
        .send()
        .await
        .or_fail("cloudwatch.PutMetricAlarm")
        .map(drop)
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("cloudwatch:{region}:{account}:alarm:{name}")),
    ..Identity::implied("alarm", "Alarms", 255)
};

impl Manage for Alarm {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("description"),
        plain("namespace"),
        plain("metric"),
        plain("dimensions.*"),
        coupled("statistic", STATISTIC),
        plain("unit"),
        plain("period"),
        coupled("evaluation_periods", PERIODS),
        coupled("datapoints", PERIODS),
        plain("threshold"),
        plain("comparison"),
        plain("missing_data"),
        coupled("low_samples", STATISTIC),
        plain("enabled"),
        plain("alarm_actions"),
        plain("ok_actions"),
        plain("insufficient_data_actions").shared(&[]),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Topic, Kind::Api, Kind::Server];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["cloudwatch:DescribeAlarms"]),
        reads(Target::Own(Kind::Alarm), &["cloudwatch:ListTagsForResource"]),
        writes(
            Target::Own(Kind::Alarm),
            &["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"],
        ),
        deletes(Target::Own(Kind::Alarm), &["cloudwatch:DeleteAlarms"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{map, tags, text, texts};
        Settings {
            description: text(),
            namespace: text(),
            metric: text(),
            dimensions: map(),
            statistic: text(),
            unit: Some(text()),
            period: 60,
            evaluation_periods: 2,
            datapoints: Some(1),
            threshold: 1.0,
            comparison: text(),
            missing_data: text(),
            low_samples: Some(text()),
            enabled: true,
            alarm_actions: texts(),
            ok_actions: texts(),
            insufficient_data_actions: texts(),
            tags: tags(),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let alarms = async {
            let call = session.aws.read.cloudwatch.describe_alarms().alarm_names(&address.name);
            call.alarm_types(AlarmType::MetricAlarm).send().await.or_fail("cloudwatch.DescribeAlarms")
        };
        let (alarms, tags) = tokio::try_join!(alarms, tags(session, &address.name))?;
        let alarm = alarms.metric_alarms.unwrap_or_default().into_iter().next();
        let (Some(alarm), Some(tags)) = (alarm, tags) else { return Ok(None) };
        let owner = Owner::of(&tags, &session.stack, false);
        let mut settings = Settings::from_aws(&alarm, tags);
        if let Some(id) = settings.dimensions.get_mut(API) {
            *id = apigateway::without_id(session, id).await?;
        }
        if let Some(id) = settings.dimensions.get_mut(SERVER) {
            *id = ec2::without_id(session, id).await?;
        }
        Ok(Some(Live { settings, owner }))
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        put(session, &address.name, desired).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        if !desired.same_alarm(live) {
            put(session, &address.name, desired).await?;
        }
        let (write, arn) = (&session.aws.write.cloudwatch, arn(session, &address.name));
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = write.untag_resource().resource_arn(&arn).set_tag_keys(Some(surplus));
            call.send().await.or_fail("cloudwatch.UntagResource")?;
        }
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let call = write.tag_resource().resource_arn(&arn).set_tags(Some(desired.aws_tags()));
            call.send().await.or_fail("cloudwatch.TagResource")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = session.aws.write.cloudwatch.delete_alarms().alarm_names(&address.name);
        call.send().await.or_absent("cloudwatch.DeleteAlarms").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let call = session.aws.read.cloudwatch.describe_alarms().alarm_name_prefix(IDENTITY.listed_by(&session.stack));
        let mut pages = call.alarm_types(AlarmType::MetricAlarm).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let alarms = page.or_fail("cloudwatch.DescribeAlarms")?.metric_alarms.unwrap_or_default();
            names.extend(alarms.into_iter().filter_map(|alarm| alarm.alarm_name));
        }
        names.extend(session.named_otherwise(Kind::Alarm)?);
        let tagged = try_join_all(
            names.iter().map(|name| async move { session.owned(Kind::Alarm, name, tags(session, name).await) }),
        );
        Ok(tagged.await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Settings {
        Settings {
            namespace: "AWS/Lambda".to_owned(),
            metric: "Errors".to_owned(),
            dimensions: BTreeMap::from([("FunctionName".to_owned(), "mail-notices".to_owned())]),
            missing_data: "notBreaching".to_owned(),
            alarm_actions: BTreeSet::from(["arn:aws:sns:eu-west-1:123456789012:mail-alarms".to_owned()]),
            ..Settings::default()
        }
    }

    /// Returns CloudWatch's answer for [`ours`].
    fn recorded() -> aws_sdk_cloudwatch::types::builders::MetricAlarmBuilder {
        MetricAlarm::builder()
            .alarm_name("mail-notices-errors")
            .actions_enabled(true)
            .set_ok_actions(Some(Vec::new()))
            .alarm_actions("arn:aws:sns:eu-west-1:123456789012:mail-alarms")
            .set_insufficient_data_actions(Some(Vec::new()))
            .state_reason("Unchecked: Initial alarm creation")
            .namespace("AWS/Lambda")
            .metric_name("Errors")
            .statistic(Statistic::Sum)
            .dimensions(Dimension::builder().name("FunctionName").value("mail-notices").build())
            .period(300)
            .evaluation_periods(1)
            .threshold(0.0)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .treat_missing_data("notBreaching")
    }

    fn read(alarm: aws_sdk_cloudwatch::types::builders::MetricAlarmBuilder) -> Settings {
        Settings::from_aws(&alarm.build(), Tags::new())
    }

    #[test]
    fn the_answer_of_aws_equals_the_request() {
        assert_eq!(read(recorded()), ours());
        assert_eq!(read(recorded().datapoints_to_alarm(1)), ours());
    }

    #[test]
    fn one_real_change_is_seen() {
        for changed in [
            recorded().actions_enabled(false),
            recorded().threshold(5.0),
            recorded().period(60),
            recorded().evaluation_periods(2),
            recorded().evaluation_periods(3).datapoints_to_alarm(2),
            recorded().statistic(Statistic::Average),
            recorded().set_statistic(None).extended_statistic("p99"),
            recorded().unit(StandardUnit::Count),
            recorded().set_treat_missing_data(None),
            recorded().set_alarm_actions(Some(Vec::new())),
            recorded().ok_actions("arn:aws:sns:eu-west-1:123456789012:other"),
            recorded().set_dimensions(None),
            recorded().set_metric_name(None),
        ] {
            assert_ne!(read(changed.clone()), ours(), "{changed:?}");
        }
    }
}
