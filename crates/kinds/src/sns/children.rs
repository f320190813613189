//! Children of a topic: who else hears what is published there, and how its messages are delivered.

use super::{subscription, topic};
use crate::{Session, sns::topic::Settings};
use aws::{
    OrFail,
    policy::{Effect, Policy},
};
use engine::{Children, Failure};

/// Field of the subscriptions of others.
pub(super) const SUBSCRIPTIONS: &str = "subscriptions";
/// Service that publishes mails.
const MAILS: &str = "Service:ses.amazonaws.com";

/// State of a subscription that hears what is published.
pub(super) const CONFIRMED: &str = "confirmed";

/// Returns `true` if mails are published on a topic with this policy.
pub(super) fn carries_mails(policy: &Policy) -> bool {
    policy.statements().values().any(|one| one.effect == Effect::Allow && one.principals.contains(MAILS))
}

/// A subscription that is not the stack's.
pub(super) struct Foreign {
    /// Name within the topic, as it may be shown.
    pub(super) name: String,
    /// `true` if its endpoint has not confirmed: it hears nothing, and nobody can remove it.
    pub(super) is_pending: bool,
}

/// Adds the subscriptions of others. On a topic that carries mails they are severe, once they are confirmed.
pub(super) fn add_subscriptions(settings: &mut Settings, foreign: Vec<Foreign>) {
    let carries_mails = carries_mails(&settings.policy);
    for Foreign { name, is_pending } in foreign {
        let value = if is_pending { "not confirmed" } else { CONFIRMED };
        settings.children.add(SUBSCRIPTIONS, name, value, carries_mails && !is_pending);
    }
}

/// Attributes of a topic that others set: the field, and what AWS has without them.
const ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("DeliveryPolicy", "delivery_policy", ""),
    ("TracingConfig", "tracing", "PassThrough"),
    ("SignatureVersion", "signature", "1"),
];

/// Ends of the names of attributes that say where, and how many, deliveries are logged.
const LOGGED: &[&str] = &["FeedbackRoleArn", "FeedbackSampleRate"];

/// Returns the children among a topic's attributes.
pub(super) fn of_attributes<'a>(attributes: impl Iterator<Item = (&'a String, &'a String)>) -> Children {
    let mut children = Children::default();
    for (name, value) in attributes.filter(|(_, value)| !value.is_empty()) {
        if let Some((_, field, default)) = ATTRIBUTES.iter().find(|(attribute, ..)| attribute == name) {
            children.add_only(field, (value != default).then_some(value), false);
        } else if LOGGED.iter().any(|end| name.ends_with(end)) {
            children.add("delivery_logging", name, value, false);
        }
    }
    children
}

/// Removes the subscriptions that are not desired.
pub(super) async fn remove(session: &Session, name: &str, desired: &Children, live: &Children) -> Result<(), Failure> {
    let surplus = live.surplus(desired, SUBSCRIPTIONS);
    if surplus.is_empty() {
        return Ok(());
    }
    for listed in subscription::listed(session, name).await?.unwrap_or_default() {
        if !surplus.contains(&subscription::shown_name(&subscription::listed_name(&listed)).as_str()) {
            continue;
        }
        if let Some(arn) = subscription::arn_of(&listed) {
            let answer = session.aws.write.sns.unsubscribe().subscription_arn(arn).send().await;
            answer.or_absent("sns.Unsubscribe")?;
        }
    }
    Ok(())
}

/// Returns the subscriptions of a topic that do not carry the stack's mark.
pub(super) async fn foreign(
    session: &Session,
    name: &str,
) -> Result<impl FnOnce(&[aws_sdk_sns::types::Tag]) -> Vec<Foreign>, Failure> {
    let listed = subscription::listed(session, name).await?.unwrap_or_default();
    Ok(move |tags: &[aws_sdk_sns::types::Tag]| {
        let names = listed.iter().map(|listed| (subscription::listed_name(listed), subscription::arn_of(listed)));
        let is_ours = |name: &str| tags.iter().any(|tag| tag.key == subscription::mark(name));
        let foreign = names.filter(|(name, _)| !is_ours(name));
        let as_shown = |(name, arn): (String, Option<String>)| Foreign {
            name: subscription::shown_name(&name),
            is_pending: arn.is_none(),
        };
        foreign.map(as_shown).collect()
    })
}

/// Reads a topic's tags and the subscriptions of others; `None` if it does not exist.
pub(super) async fn read(
    session: &Session,
    name: &str,
) -> Result<Option<(Vec<aws_sdk_sns::types::Tag>, Vec<Foreign>)>, Failure> {
    let arn = topic::arn(session, name);
    let (tags, foreign) = tokio::try_join!(topic::all_tags(session, &arn), foreign(session, name))?;
    Ok(tags.map(|tags| {
        let foreign = foreign(&tags);
        (tags, foreign)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Input, Manage,
        sns::topic::{NEWS_OF, Topic},
    };
    use aws::policy::Statement;

    fn heard(by: &str) -> Settings {
        let arn = "arn:aws:sns:eu-west-1:123456789012:news".to_owned();
        let publish = Statement::allow(&["sns:Publish"], [arn]).for_service(by);
        Settings { policy: Policy::new([(NEWS_OF.to_owned(), publish)]), ..Settings::default() }
    }

    #[test]
    fn whoever_hears_mails_is_severe_and_whoever_hears_alarms_is_not() {
        for (by, is_pending, is_severe) in [
            ("ses.amazonaws.com", false, true),
            ("ses.amazonaws.com", true, false),
            ("cloudwatch.amazonaws.com", false, false),
        ] {
            let mut settings = heard(by);
            add_subscriptions(&mut settings, vec![Foreign { name: "email:a@b.example".to_owned(), is_pending }]);
            let found: Vec<_> = settings.children.iter().map(|(field, _, child)| (field, child.is_severe)).collect();
            assert_eq!(found, [(SUBSCRIPTIONS, is_severe)], "{by} {is_pending}");
            // What functions publish is made of mails and events, whatever else is published.
            for by_functions in [true, false] {
                let desired = Settings { is_published_by_functions: Input(by_functions), ..Settings::default() };
                Topic::judge_children(&mut settings, &desired);
                let found: Vec<_> = settings.children.iter().map(|(.., child)| child.is_severe).collect();
                assert_eq!(found, [is_severe || by_functions && !is_pending], "{by} {is_pending} {by_functions}");
            }
        }
    }

    #[test]
    fn attributes_of_others_are_seen_and_defaults_are_not() {
        let of = |pairs: &[(&str, &str)]| {
            let owned: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let children = of_attributes(owned.iter().map(|(name, value)| (name, value)));
            children.iter().map(|(field, name, _)| format!("{field} {name}")).collect::<Vec<_>>()
        };
        let defaults = [("TracingConfig", "PassThrough"), ("SignatureVersion", "1"), ("DeliveryPolicy", "")];
        assert_eq!(of(&defaults), [""; 0]);
        assert_eq!(of(&[("DisplayName", "News"), ("EffectiveDeliveryPolicy", "{}")]), [""; 0]);
        let changed = [
            ("DeliveryPolicy", "{}"),
            ("HTTPFailureFeedbackRoleArn", "arn"),
            ("SQSSuccessFeedbackSampleRate", "5"),
            ("SignatureVersion", "2"),
            ("TracingConfig", "Active"),
        ];
        let fields = ["delivery_logging HTTPFailureFeedbackRoleArn", "delivery_logging SQSSuccessFeedbackSampleRate"];
        assert_eq!(of(&changed), [&fields[..], &["delivery_policy ", "signature ", "tracing "]].concat());
    }
}
