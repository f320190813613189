//! Event source mappings: the queues whose messages invoke functions.
//!
//! Lambda polls the queue, and takes at most one mapping for a queue and a function: the pair is its address, and its id is looked up.
//! It takes a change only between two others, so each is waited for. A mapping that somebody paused stays so until it is resumed.

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FilterCriteria, FunctionResponseType, ScalingConfig};
use serde::Serialize;
use serde_json::Value;

use super::sources::{self, Source, all_mappings, arn, delete_mapping, mapping_tags, mappings};
use crate::{
    Kind, Manage, PAUSED_TAG, Session,
    identity::Identity,
    lambda::function,
    number::{natural, wire},
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::OrFail;
use engine::{
    Address, Class, ENTRY_TAG, Failure, Field, Holds, Live, Owned, Owner, Protection, STACK_TAG, Tags, plain,
};

/// Event source mappings of queues. Their address is the queue's name within the function.
#[derive(Debug)]
pub struct Mapping;

/// An event source mapping. The default is Lambda's for a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// `true` if messages invoke the function.
    pub enabled: bool,
    /// Largest number of messages of one invocation.
    pub batch: u32,
    /// Time for which a batch is gathered, in seconds.
    pub window: u32,
    /// Largest number of invocations at once; `None` leaves it to Lambda.
    pub concurrency: Option<u32>,
    /// `true` if the function answers which messages of a batch it failed on.
    pub partial_batches: bool,
    /// Filters, one of which has to fit: what fits none is deleted. We set none.
    pub filters: Option<Vec<Value>>,
    /// The KMS key that encrypts the filters. We set none.
    pub kms_key: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            batch: 10,
            window: 0,
            concurrency: None,
            partial_batches: false,
            filters: None,
            kms_key: None,
            tags: Tags::new(),
        }
    }
}

/// Why a paused mapping stays as it is.
const PAUSED: &str = "`provision resume` lets its messages through again";

const LIST: &str = "lambda.ListEventSourceMappings";

impl Settings {
    fn of(live: &EventSourceMappingConfiguration, tags: Tags) -> Self {
        let default = Self::default();
        let types = live.function_response_types.iter().flatten();
        let filters = live.filter_criteria.as_ref().and_then(|criteria| criteria.filters.as_ref());
        // A pattern is compared as the JSON that it is.
        let pattern = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let filters = filters.filter(|filters| !filters.is_empty());
        Self {
            enabled: is_enabled(live.state.as_deref()),
            batch: live.batch_size.map_or(default.batch, natural),
            window: live.maximum_batching_window_in_seconds.map_or(default.window, natural),
            concurrency: live.scaling_config.as_ref().and_then(|scaling| scaling.maximum_concurrency).map(natural),
            partial_batches: types.into_iter().any(|one| *one == FunctionResponseType::ReportBatchItemFailures),
            filters: filters.map(|filters| {
                filters.iter().map(|filter| pattern(filter.pattern.as_deref().unwrap_or_default())).collect()
            }),
            kms_key: live.kms_key_arn.clone().filter(|key| !key.is_empty()),
            tags,
        }
    }

    fn response_types(&self) -> Vec<FunctionResponseType> {
        if self.partial_batches { vec![FunctionResponseType::ReportBatchItemFailures] } else { Vec::new() }
    }

    fn scaling(&self) -> ScalingConfig {
        ScalingConfig::builder().set_maximum_concurrency(self.concurrency.map(wire)).build()
    }

    /// Returns the filters; without any, the empty ones that take away those that are there.
    fn criteria(&self) -> FilterCriteria {
        let filter = |pattern: &Value| aws_sdk_lambda::types::Filter::builder().pattern(pattern.to_string()).build();
        let filters = self.filters.iter().flatten().map(filter).collect::<Vec<_>>();
        FilterCriteria::builder().set_filters(Some(filters).filter(|filters| !filters.is_empty())).build()
    }
}

/// Returns whether a mapping of that state takes messages, or will as soon as it is ready.
fn is_enabled(state: Option<&str>) -> bool {
    !matches!(state, Some("Disabled" | "Disabling"))
}

/// Returns the entry of a mapping: a dot ends the function's, since no name has one.
pub fn entry(function: &str, queue: &str) -> String {
    format!("{function}.{queue}")
}

/// Returns the mapping between a function and a queue, unless it is being deleted.
async fn find(session: &Session, address: &Address) -> Result<Option<EventSourceMappingConfiguration>, Failure> {
    let arn = Kind::Queue.identity().arn_of(&session.aws.realm, &session.stack, &address.name);
    let of_function = mappings(session, Source::Function(address.container())).await?;
    let is_it = |one: &EventSourceMappingConfiguration| one.event_source_arn.as_deref() == Some(&arn);
    Ok(of_function.into_iter().find(is_it))
}

/// Waits until the last change of a mapping is done; `None` if it is gone. It is listed with its function's: of a mapping that is gone
/// IAM knows no function, so that whoever has rights by function may not ask for it.
async fn settled(session: &Session, address: &Address, uuid: &str) -> Result<Option<()>, Failure> {
    // The step has a deadline of its own.
    loop {
        let listed = all_mappings(session, Source::Function(address.container())).await?;
        let Some(live) = listed.into_iter().find(|one| one.uuid.as_deref() == Some(uuid)) else { return Ok(None) };
        match live.state.as_deref() {
            Some("Creating" | "Enabling" | "Disabling" | "Updating" | "Deleting") => {
                tokio::time::sleep(session.aws.pacing.poll).await;
            }
            _ => return Ok(Some(())),
        }
    }
}

/// Switches a mapping on or off, and tells with a tag since when it is off; returns `false` if there is no such mapping of the stack.
pub async fn switch(session: &Session, address: &Address, paused: Option<&str>) -> Result<bool, Failure> {
    let Some(live) = Mapping::read(session, address).await?.filter(|live| live.owner == Owner::Ours) else {
        return Ok(false);
    };
    let mut desired = Settings { enabled: paused.is_none(), ..live.settings.clone() };
    desired.tags.remove(PAUSED_TAG);
    // The tag is there while it is off, and not a moment less: without it, `up` would switch it on.
    desired.tags.extend(paused.map(|since| (PAUSED_TAG.to_owned(), since.to_owned())));
    let update = Mapping::update(session, address, &desired, &live.settings);
    // No step of a plan limits this.
    match tokio::time::timeout(session.aws.pacing.attempt, update).await {
        Ok(done) => done.map(|()| true),
        Err(_) => Err(Failure::found(LIST, Class::Other, "AWS has not finished changing the mapping")),
    }
}

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity =
    Identity { arn: Some(sources::ARN), ..Identity::implied("event source mapping", "Mappings", 128) };

impl Manage for Mapping {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("enabled"),
        plain("batch"),
        plain("window"),
        plain("concurrency"),
        plain("partial_batches"),
        plain("filters").shared(&[]),
        plain("kms_key").shared(&[]),
        plain("tags.*"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Function, Kind::Queue, Kind::Role];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["lambda:ListEventSourceMappings", "lambda:ListFunctions"]),
        reads(Target::Everything, &["lambda:ListTags"]),
        writes(Target::Mappings, &["lambda:CreateEventSourceMapping", "lambda:UpdateEventSourceMapping"]),
        writes(Target::MappingTags, &["lambda:TagResource", "lambda:UntagResource"]),
        deletes(Target::Mappings, &["lambda:DeleteEventSourceMapping"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings {
            enabled: true,
            batch: 1,
            window: 1,
            concurrency: Some(2),
            partial_batches: true,
            filters: Some(vec![Value::from("filter")]),
            kms_key: Some(text()),
            tags: tags(),
        }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    /// Leaves a mapping that somebody paused as it is.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        let Some(since) = live.tags.get(PAUSED_TAG) else { return Vec::new() };
        desired.enabled = live.enabled;
        desired.tags.insert(PAUSED_TAG.to_owned(), since.clone());
        vec![Protection::new("enabled", format!("paused since {since}"), PAUSED)]
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(live) = find(session, address).await? else { return Ok(None) };
        let tags = mapping_tags(session, live.uuid.as_deref().unwrap_or_default()).await?;
        let owner = Owner::of(&tags, &session.stack, true);
        Ok(Some(Live { settings: Settings::of(&live, tags), owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let queue = Kind::Queue.identity().arn_of(&session.aws.realm, &session.stack, &address.name);
        let call = session.aws.write.lambda.create_event_source_mapping().function_name(address.container());
        let call = call.event_source_arn(queue).enabled(desired.enabled).batch_size(wire(desired.batch));
        let call = call.maximum_batching_window_in_seconds(wire(desired.window));
        let call = call.set_function_response_types(Some(desired.response_types()));
        let call = call.set_scaling_config(desired.concurrency.map(|_| desired.scaling()));
        let call = call.set_filter_criteria(desired.filters.as_ref().map(|_| desired.criteria()));
        let call = call.set_kms_key_arn(desired.kms_key.clone());
        let call = call.set_tags(Some(desired.tags.clone().into_iter().collect()));
        let answer = call.send().await.or_fail("lambda.CreateEventSourceMapping")?;
        settled(session, address, answer.uuid.as_deref().unwrap_or_default()).await.map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let gone = || Failure::found(LIST, Class::NotFound, "the mapping is gone");
        let uuid = find(session, address).await?.and_then(|live| live.uuid).ok_or_else(gone)?;
        let lambda = &session.aws.write.lambda;
        let untagged = |settings: &Settings| Settings { tags: Tags::new(), ..settings.clone() };
        // First the tag that says that it is paused, and last its end: whatever stops in between, no `up` switches it on.
        if desired.tags.iter().any(|(key, value)| live.tags.get(key) != Some(value)) {
            let call = lambda.tag_resource().resource(arn(session, &uuid));
            let call = call.set_tags(Some(desired.tags.clone().into_iter().collect()));
            call.send().await.or_fail("lambda.TagResource")?;
        }
        if untagged(desired) != untagged(live) {
            settled(session, address, &uuid).await?.ok_or_else(gone)?;
            // What a call leaves out keeps its value: an empty one takes it away.
            let call = lambda.update_event_source_mapping().uuid(&uuid).enabled(desired.enabled);
            let call = call.batch_size(wire(desired.batch));
            let call = call.maximum_batching_window_in_seconds(wire(desired.window));
            let call = call.set_function_response_types(Some(desired.response_types()));
            let call = call.scaling_config(desired.scaling()).filter_criteria(desired.criteria());
            let call = call.kms_key_arn(desired.kms_key.clone().unwrap_or_default());
            call.send().await.or_fail("lambda.UpdateEventSourceMapping")?;
            settled(session, address, &uuid).await?.ok_or_else(gone)?;
        }
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = lambda.untag_resource().resource(arn(session, &uuid)).set_tag_keys(Some(surplus));
            call.send().await.or_fail("lambda.UntagResource")?;
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(uuid) = find(session, address).await?.and_then(|live| live.uuid) else { return Ok(()) };
        if settled(session, address, &uuid).await?.is_none() {
            return Ok(());
        }
        delete_mapping(session, Source::Function(address.container()), &uuid).await?;
        settled(session, address, &uuid).await.map(drop)
    }

    /// Lists the mappings of our functions that have our tag.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let named = function::named(session).await?;
        let lists = named.iter().map(|(name, arn)| async move {
            let (function, mappings) =
                tokio::try_join!(function::owned(session, name, arn), mappings(session, Source::Function(name)))?;
            let Some(function) = function.filter(|function| function.stays.is_none()) else { return Ok(Vec::new()) };
            let mut found = Vec::new();
            for one in mappings {
                let tags = mapping_tags(session, one.uuid.as_deref().unwrap_or_default()).await?;
                let queue = one.event_source_arn.as_deref().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
                if tags.get(STACK_TAG) == Some(&session.stack.id()) {
                    let entry = tags.get(ENTRY_TAG).cloned().unwrap_or_else(|| entry(&function.entry, queue));
                    found.push(Owned::new(entry, Address::within(name, queue)));
                }
            }
            Ok::<_, Failure>(found)
        });
        Ok(futures::future::try_join_all(lists).await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> aws_sdk_lambda::types::builders::EventSourceMappingConfigurationBuilder {
        // Lambda's answer for a queue with everything left out.
        EventSourceMappingConfiguration::builder()
            .uuid("14e0db71-5d35-4eb5-b481-8945cf9d10c2")
            .batch_size(10)
            .maximum_batching_window_in_seconds(0)
            .event_source_arn("arn:aws:sqs:eu-west-1:123456789012:egress-jobs")
            .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:egress-worker")
            .state("Enabled")
            .set_function_response_types(Some(Vec::new()))
    }

    fn read(live: aws_sdk_lambda::types::builders::EventSourceMappingConfigurationBuilder) -> Settings {
        Settings::of(&live.build(), Tags::new())
    }

    #[test]
    fn defaults_of_lambda_are_the_defaults() {
        assert_eq!(read(recorded()), Settings::default());
        let husks = recorded().filter_criteria(FilterCriteria::builder().build()).kms_key_arn("");
        assert_eq!(read(husks.scaling_config(ScalingConfig::builder().build())), Settings::default());
    }

    #[test]
    fn a_state_on_the_way_counts_as_where_it_leads() {
        for (state, is_on) in [
            ("Creating", true),
            ("Enabling", true),
            ("Enabled", true),
            ("Updating", true),
            ("Disabling", false),
            ("Disabled", false),
        ] {
            assert_eq!(read(recorded().state(state)).enabled, is_on, "{state}");
        }
    }

    #[test]
    fn a_paused_mapping_stays_and_says_since_when() {
        let live = Settings {
            enabled: false,
            tags: Tags::from([(PAUSED_TAG.to_owned(), "2026-11-01T10:00:00Z".to_owned())]),
            ..Settings::default()
        };
        let mut desired = Settings::default();
        let kept = Mapping::keep_protections(&mut desired, &live);
        assert_eq!(desired, live);
        assert_eq!(kept[0].value, "paused since 2026-11-01T10:00:00Z");
        // What else changed is still seen, and one that was switched off without the tag is drift.
        let other = Settings { batch: 5, ..live.clone() };
        let mut desired = Settings::default();
        Mapping::keep_protections(&mut desired, &other);
        assert_ne!(desired, other);
        let by_hand = Settings { enabled: false, ..Settings::default() };
        let mut desired = Settings::default();
        assert_eq!(Mapping::keep_protections(&mut desired, &by_hand), []);
        assert_ne!(desired, by_hand);
    }
}
