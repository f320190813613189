//! Lambda's handling of asynchronous invocations that fail: the retries, and the destination of the event.
//!
//! Without it an event is lost after the third failure.

use crate::identity::Identity;
use aws_sdk_lambda::types::{DestinationConfig, OnFailure, OnSuccess};
use serde::Serialize;

use crate::{
    Kind, Manage, Session,
    lambda::function,
    number::{natural, wire},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::Failure;
use engine::{Address, Field, Holds, Life, Live, Owned, Owner, plain};

/// Event invoke configurations. Their address is [`QUALIFIER`] within the function.
#[derive(Debug)]
pub struct EventInvoke;

/// Version of the function that the configuration is for: Lambda's name for the current code.
pub const QUALIFIER: &str = "$LATEST";

/// The handling of an event whose invocation fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Number of retries: 0 to 2.
    pub retries: u32,
    /// Maximum age of an event, in seconds: 60 to 21600.
    pub maximum_age: u32,
    /// ARN of the queue, topic or function that then gets the event; `None` drops it.
    pub on_failure: Option<String>,
    /// ARN of the destination of successful invocations. We set none.
    pub on_success: Option<String>,
}

impl Default for Settings {
    /// Returns Lambda's behaviour for a function without a configuration.
    fn default() -> Self {
        Self { retries: 2, maximum_age: 21_600, on_failure: None, on_success: None }
    }
}

impl Settings {
    fn of(retries: Option<i32>, maximum_age: Option<i32>, destinations: Option<DestinationConfig>) -> Self {
        let default = Self::default();
        let (failure, success) = destinations.map(|one| (one.on_failure, one.on_success)).unwrap_or_default();
        let some = |destination: Option<String>| destination.filter(|arn| !arn.is_empty());
        Self {
            retries: retries.map_or(default.retries, natural),
            maximum_age: maximum_age.map_or(default.maximum_age, natural),
            on_failure: some(failure.and_then(|one| one.destination)),
            on_success: some(success.and_then(|one| one.destination)),
        }
    }

    fn destinations(&self) -> DestinationConfig {
        let failure = self.on_failure.as_ref().map(|arn| OnFailure::builder().destination(arn).build());
        let success = self.on_success.as_ref().map(|arn| OnSuccess::builder().destination(arn).build());
        DestinationConfig::builder().set_on_failure(failure).set_on_success(success).build()
    }
}

async fn live(session: &Session, function: &str) -> Result<Option<Settings>, Failure> {
    let call = session.aws.read.lambda.get_function_event_invoke_config().function_name(function);
    let answer = call.send().await.or_absent("lambda.GetFunctionEventInvokeConfig")?;
    Ok(answer.map(|answer| {
        Settings::of(answer.maximum_retry_attempts, answer.maximum_event_age_in_seconds, answer.destination_config)
    }))
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity::implied("event invoke", "EventInvokes", 64);

impl Manage for EventInvoke {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("retries").with_life(Life::EndsUncaught("on_failure")),
        plain("maximum_age").with_life(Life::EndsUncaught("on_failure")),
        plain("on_failure").with_life(Life::Catches),
        plain("on_success").shared(&[]),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Function, Kind::Queue];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::Function), &["lambda:Get*", "lambda:List*"]),
        reads(Target::Everything, &["lambda:ListFunctions"]),
        writes(Target::Own(Kind::Function), &["lambda:PutFunctionEventInvokeConfig"]),
        deletes(Target::Own(Kind::Function), &["lambda:DeleteFunctionEventInvokeConfig"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::text;
        Settings { retries: 1, maximum_age: 60, on_failure: Some(text()), on_success: Some(text()) }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        // It is part of a function that is ours.
        Ok(live(session, address.container()).await?.map(|settings| Live { settings, owner: Owner::Ours }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        // `Put` replaces all of it, whether it existed or not.
        let call = session.aws.write.lambda.put_function_event_invoke_config().function_name(address.container());
        let call = call.maximum_retry_attempts(wire(desired.retries));
        let call = call.maximum_event_age_in_seconds(wire(desired.maximum_age));
        let call = call.destination_config(desired.destinations());
        call.send().await.or_fail("lambda.PutFunctionEventInvokeConfig").map(drop)
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        Self::create(session, address, desired).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let call = session.aws.write.lambda.delete_function_event_invoke_config().function_name(address.container());
        call.send().await.or_absent("lambda.DeleteFunctionEventInvokeConfig").map(drop)
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let named = function::named(session).await?;
        let owned = named.iter().map(|(name, arn)| async move {
            let (function, live) = tokio::join!(function::owned(session, name, arn), live(session, name));
            let Some(function) = function?.filter(|function| function.stays.is_none()) else { return Ok(None) };
            Ok(live?.map(|_| Owned { address: Address::within(&function.address.name, QUALIFIER), ..function }))
        });
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        let husk = DestinationConfig::builder()
            .on_failure(OnFailure::builder().build())
            .on_success(OnSuccess::builder().build())
            .build();
        assert_eq!(Settings::of(Some(2), Some(21_600), Some(husk)), Settings::default());
        assert_eq!(Settings::of(None, None, None), Settings::default());
    }

    #[test]
    fn a_written_value_reads_back_equal() {
        let queue = "arn:aws:sqs:eu-west-1:123456789012:mail-failed".to_owned();
        let desired = Settings { on_failure: Some(queue), ..Settings::default() };
        assert_eq!(Settings::of(Some(2), Some(21_600), Some(desired.destinations())), desired);
    }

    #[test]
    fn one_real_change_is_seen() {
        let success =
            Settings { on_success: Some("arn:aws:sqs:eu-west-1:123456789012:a".to_owned()), ..Settings::default() };
        for live in [
            Settings::of(Some(1), None, None),
            Settings::of(None, Some(60), None),
            Settings::of(None, None, Some(success.destinations())),
        ] {
            assert_ne!(live, Settings::default());
        }
    }
}
