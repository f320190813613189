//! SES's configuration sets: settings of the mails that are sent with one, and the topics that hear of their events.
//!
//! Version 2 of SES's interface has all options and the tags in one answer, and the destinations of events in another. A set of ours is
//! ours alone: a destination that nobody declared is told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Kind, Manage, Session,
    documents::{at, is, list, tag_list, tags, text, texts},
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags, unfinished,
};
use aws::{ArnForm, json::Call};
use engine::{Address, Class, Failure, Field, Holds, Life, Live, Owned, Owner, Tags, UNFINISHED_TAG, plain};

/// The kind of SES's configuration sets.
#[derive(Debug)]
pub struct ConfigurationSet;

/// The managed settings of a configuration set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `true` if mails can be sent with it.
    pub sending: bool,
    /// `true` if the rates of its bounces and complaints are metrics.
    pub reputation_metrics: bool,
    /// Encryption on the way to the receiver: `OPTIONAL`, or `REQUIRE` for receivers with TLS alone.
    pub tls: String,
    /// Reasons, `BOUNCE` and `COMPLAINT`, for which SES sends nothing more to an address; `None` is what the account says.
    pub suppression: Option<BTreeSet<String>>,
    /// Domain of the links that count openings and clicks; `None` is SES's own.
    pub tracking_domain: Option<String>,
    /// Destinations of events, by name.
    pub destinations: BTreeMap<String, Destination>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// A destination of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// `true` if events go there.
    pub enabled: bool,
    /// Types of the events, as `DELIVERY_DELAY`.
    pub types: BTreeSet<String>,
    /// ARN of the topic; for a destination of others, its kind and what it is.
    pub target: String,
}

impl Destination {
    /// Returns a topic as the destination of events.
    pub fn topic(arn: impl Into<String>, types: impl IntoIterator<Item = String>) -> Self {
        Self { enabled: true, types: types.into_iter().collect(), target: arn.into() }
    }

    fn from_aws(destination: &Value) -> Self {
        let target =
            text(destination, &["SnsDestination", "TopicArn"]).map_or_else(|| other(destination), str::to_owned);
        let types: BTreeSet<String> = texts(destination, &["MatchingEventTypes"]);
        Self {
            enabled: is(destination, &["Enabled"], false),
            types: types.iter().map(|one| event_type(one)).collect(),
            target,
        }
    }

    fn to_aws(&self) -> Value {
        json!({
            "Enabled": self.enabled,
            "MatchingEventTypes": self.types,
            "SnsDestination": {"TopicArn": self.target},
        })
    }
}

/// Returns what a destination of others is: its kind, and its settings as they stand there.
fn other(destination: &Value) -> String {
    let kinds = destination.as_object().into_iter().flatten();
    let kind = kinds.filter(|(key, value)| key.ends_with("Destination") && !value.is_null());
    let told: Vec<String> =
        kind.map(|(key, value)| format!("{} {value}", key.trim_end_matches("Destination"))).collect();
    told.join(", ")
}

/// Returns a type of events in its one form: other interfaces write `deliveryDelay`, or `bounce`.
fn event_type(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return text.to_owned();
    }
    let parts = text.chars().flat_map(|one| one.is_ascii_uppercase().then_some('_').into_iter().chain([one]));
    parts.collect::<String>().trim_start_matches('_').to_ascii_uppercase()
}

/// SES's policy where none is set: TLS if the receiver offers it.
pub const OPTIONAL: &str = "OPTIONAL";
/// SES's policy by which it sends only to receivers with TLS.
pub const REQUIRE: &str = "REQUIRE";
/// Beginning of the names of our destinations.
pub const DESTINATION: &str = "provision-";

impl Default for Settings {
    /// Returns a set as SES makes one that nothing else is said of.
    fn default() -> Self {
        Self {
            sending: true,
            reputation_metrics: true,
            tls: OPTIONAL.to_owned(),
            suppression: None,
            tracking_domain: None,
            destinations: BTreeMap::new(),
            tags: Tags::new(),
        }
    }
}

impl Settings {
    fn from_aws(set: &Value, destinations: &Value) -> Self {
        let destination = |one: &Value| Some((text(one, &["Name"])?.to_owned(), Destination::from_aws(one)));
        let suppression = at(set, &["SuppressionOptions", "SuppressedReasons"]).filter(|reasons| reasons.is_array());
        Self {
            sending: is(set, &["SendingOptions", "SendingEnabled"], true),
            reputation_metrics: is(set, &["ReputationOptions", "ReputationMetricsEnabled"], false),
            tls: text(set, &["DeliveryOptions", "TlsPolicy"]).unwrap_or(OPTIONAL).to_owned(),
            suppression: suppression.map(|reasons| texts(reasons, &[])),
            tracking_domain: text(set, &["TrackingOptions", "CustomRedirectDomain"]).map(str::to_owned),
            destinations: list(destinations, &["EventDestinations"]).iter().filter_map(destination).collect(),
            tags: tags(set, &["Tags"]),
        }
    }

    /// Returns the options, each with the call that changes it, the end of its path and its document. `live` is what SES tells of the
    /// set: what is not managed stays as it is there, since a call that leaves it out would take it away.
    fn options(&self, live: &Value) -> Vec<(&'static str, &'static str, &'static str, Value)> {
        let merged = |option: &str, members: Value| {
            let mut whole: Map<String, Value> =
                at(live, &[option]).and_then(Value::as_object).cloned().unwrap_or_default();
            // SES tells it, and takes it in no call.
            whole.remove("LastFreshStart");
            whole.extend(members.as_object().cloned().unwrap_or_default());
            whole.retain(|_, value| !value.is_null());
            Value::Object(whole)
        };
        let mut options = vec![
            ("PutConfigurationSetSendingOptions", "sending", "SendingOptions", json!({"SendingEnabled": self.sending})),
            (
                "PutConfigurationSetReputationOptions",
                "reputation-options",
                "ReputationOptions",
                json!({"ReputationMetricsEnabled": self.reputation_metrics}),
            ),
            (
                "PutConfigurationSetDeliveryOptions",
                "delivery-options",
                "DeliveryOptions",
                json!({"TlsPolicy": self.tls}),
            ),
            (
                "PutConfigurationSetTrackingOptions",
                "tracking-options",
                "TrackingOptions",
                json!({"CustomRedirectDomain": self.tracking_domain}),
            ),
        ];
        if let Some(reasons) = &self.suppression {
            let document = json!({"SuppressedReasons": reasons});
            options.push((
                "PutConfigurationSetSuppressionOptions",
                "suppression-options",
                "SuppressionOptions",
                document,
            ));
        }
        options
            .into_iter()
            .map(|(action, path, option, members)| (action, path, option, merged(option, members)))
            .collect()
    }

    /// Returns the document that makes the set, without its destinations.
    fn document(&self, name: &str) -> Value {
        let options =
            self.options(&Value::Null).into_iter().map(|(_, _, option, document)| (option.to_owned(), document));
        let mut document: Map<String, Value> =
            options.filter(|(_, document)| document.as_object().is_some_and(|members| !members.is_empty())).collect();
        document.insert("ConfigurationSetName".to_owned(), json!(name));
        document.insert("Tags".to_owned(), tag_list(&unfinished(&self.tags)));
        Value::Object(document)
    }
}

/// Beginning of the paths.
const SETS: [&str; 3] = ["v2", "email", "configuration-sets"];

fn path<'part>(parts: &[&'part str]) -> Vec<&'part str> {
    SETS.iter().chain(parts).copied().collect()
}

/// Makes a call that reads, one a second.
async fn find(session: &Session, call: Call) -> Result<Option<Value>, Failure> {
    session.aws.receipt_rules.pass().await;
    session.aws.read.sesv2.find(call).await
}

/// Makes a call that changes something, one a second.
async fn write(session: &Session, call: Call) -> Result<(), Failure> {
    session.aws.receipt_rules.pass().await;
    session.aws.write.sesv2.call(call).await.map(drop)
}

async fn describe(session: &Session, name: &str) -> Result<Option<Value>, Failure> {
    find(session, Call::get("GetConfigurationSet", &path(&[name]))).await
}

async fn destinations(session: &Session, name: &str) -> Result<Value, Failure> {
    let call = Call::get("GetConfigurationSetEventDestinations", &path(&[name, "event-destinations"]));
    Ok(find(session, call).await?.unwrap_or_default())
}

fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

async fn untag(session: &Session, name: &str, keys: &[String]) -> Result<(), Failure> {
    let call = Call::delete("UntagResource", &["v2", "email", "tags"]).with_query("ResourceArn", &arn(session, name));
    let call = keys.iter().fold(call, |call, key| call.with_query("TagKeys", key));
    write(session, call).await
}

/// Makes the destinations as they are declared.
async fn write_destinations(
    session: &Session,
    name: &str,
    desired: &BTreeMap<String, Destination>,
    live: &BTreeMap<String, Destination>,
) -> Result<(), Failure> {
    for (key, destination) in desired {
        let document = destination.to_aws();
        match live.get(key) {
            Some(there) if there == destination => {}
            Some(_) => {
                let to = path(&[name, "event-destinations", key]);
                let body = json!({"EventDestination": document});
                write(session, Call::put("UpdateConfigurationSetEventDestination", &to, body)).await?;
            }
            None => {
                let to = path(&[name, "event-destinations"]);
                let body = json!({"EventDestinationName": key, "EventDestination": document});
                write(session, Call::post("CreateConfigurationSetEventDestination", &to, body)).await?;
            }
        }
    }
    for key in live.keys().filter(|key| !desired.contains_key(*key)) {
        let from = path(&[name, "event-destinations", key]);
        match write(session, Call::delete("DeleteConfigurationSetEventDestination", &from)).await {
            Err(failure) if failure.class != Class::NotFound => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("configuration_sets"),
    arn: Some(ArnForm("ses:{region}:{account}:configuration-set/{name}")),
    output: Output::Name,
    ..Identity::implied("configuration set", "ConfigurationSets", 64)
};

impl Manage for ConfigurationSet {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("sending"),
        plain("reputation_metrics"),
        plain("tls"),
        plain("suppression"),
        plain("tracking_domain"),
        plain("destinations.*").shared(&[DESTINATION]).with_life(Life::Unrelated),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    // SES publishes to a topic before it takes it.
    const REFERS_TO: &'static [Kind] = &[Kind::Topic];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::ConfigurationSet), &["ses:GetConfigurationSet*"]),
        writes(
            Target::Own(Kind::ConfigurationSet),
            &[
                "ses:CreateConfigurationSet",
                "ses:CreateConfigurationSetEventDestination",
                "ses:DeleteConfigurationSetEventDestination",
                "ses:PutConfigurationSetDeliveryOptions",
                "ses:PutConfigurationSetReputationOptions",
                "ses:PutConfigurationSetSendingOptions",
                "ses:PutConfigurationSetSuppressionOptions",
                "ses:PutConfigurationSetTrackingOptions",
                "ses:TagResource",
                "ses:UntagResource",
                "ses:UpdateConfigurationSetEventDestination",
            ],
        ),
        deletes(Target::Own(Kind::ConfigurationSet), &["ses:DeleteConfigurationSet"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        let destination = Destination { enabled: true, types: texts(), target: text() };
        Settings {
            sending: true,
            reputation_metrics: true,
            tls: text(),
            suppression: Some(texts()),
            tracking_domain: Some(text()),
            destinations: BTreeMap::from([(text(), destination)]),
            tags: tags(),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(set) = describe(session, &address.name).await? else { return Ok(None) };
        let settings = Settings::from_aws(&set, &destinations(session, &address.name).await?);
        // Whoever sends with it has nothing else that tells so.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        write(session, Call::post("CreateConfigurationSet", &SETS, desired.document(name))).await?;
        write_destinations(session, name, &desired.destinations, &BTreeMap::new()).await?;
        untag(session, name, &[UNFINISHED_TAG.to_owned()]).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        let gone = || Failure::found("sesv2.GetConfigurationSet", Class::NotFound, "the configuration set is gone");
        let there = describe(session, name).await?.ok_or_else(gone)?;
        for (action, end, option, document) in desired.options(&there) {
            let is_there = at(&there, &[option]).cloned().unwrap_or_default();
            let is_other =
                document.as_object().into_iter().flatten().any(|(key, value)| is_there.get(key) != Some(value))
                    || option == "TrackingOptions" && desired.tracking_domain != live.tracking_domain;
            if is_other {
                write(session, Call::put(action, &path(&[name, end]), document)).await?;
            }
        }
        write_destinations(session, name, &desired.destinations, &live.destinations).await?;
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let document = json!({"ResourceArn": arn(session, name), "Tags": tag_list(&desired.tags)});
            write(session, Call::post("TagResource", &["v2", "email", "tags"], document)).await?;
        }
        if surplus.is_empty() { Ok(()) } else { untag(session, name, &surplus).await }
    }

    /// Deletes a set with its destinations. Mails that name it are refused from then on.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = Call::delete("DeleteConfigurationSet", &path(&[&address.name]));
        match write(session, call).await {
            Err(failure) if failure.class != Class::NotFound => Err(failure),
            _ => Ok(()),
        }
    }

    /// Lists by the index of tags alone: SES's own list has names only, and takes one call a second.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for name in session.indexed(Kind::ConfigurationSet)? {
            let tags = describe(session, &name).await.map(|set| set.map(|set| tags(&set, &["Tags"])));
            owned.extend(session.owned(Kind::ConfigurationSet, &name, tags)?);
        }
        Ok(owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_events_have_one_form() {
        for (written, form) in [
            ("BOUNCE", "BOUNCE"),
            ("DELIVERY_DELAY", "DELIVERY_DELAY"),
            ("bounce", "BOUNCE"),
            ("renderingFailure", "RENDERING_FAILURE"),
            ("DeliveryDelay", "DELIVERY_DELAY"),
        ] {
            assert_eq!(event_type(written), form);
        }
    }

    #[test]
    fn a_change_keeps_what_is_not_managed() {
        let live = json!({
            "DeliveryOptions": {"TlsPolicy": "OPTIONAL", "SendingPoolName": "theirs", "MaxDeliverySeconds": 3600},
            "ReputationOptions": {"ReputationMetricsEnabled": false, "LastFreshStart": 1},
            "TrackingOptions": {"CustomRedirectDomain": "old.example.com", "HttpsPolicy": "REQUIRE"},
        });
        let desired = Settings { tls: REQUIRE.to_owned(), ..Settings::default() };
        let options = desired.options(&live);
        let of =
            |option: &str| options.iter().find(|(_, _, of, _)| *of == option).map(|(.., document)| document.clone());
        assert_eq!(
            of("DeliveryOptions"),
            Some(json!({"TlsPolicy": "REQUIRE", "SendingPoolName": "theirs", "MaxDeliverySeconds": 3600}))
        );
        assert_eq!(of("ReputationOptions"), Some(json!({"ReputationMetricsEnabled": true})));
        assert_eq!(of("TrackingOptions"), Some(json!({"HttpsPolicy": "REQUIRE"})));
        assert_eq!(of("SuppressionOptions"), None);
    }
}
