//! Event source mappings as their two ends see them: functions, and sources of events such as queues.

use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use futures::future::try_join_all;

use crate::{Session, children::if_offered, own_tags};
use aws::{ArnForm, OrFail};
use engine::{Class, Failure, STACK_TAG, Tags};

/// Form of their ARNs. The name is the id that AWS gives.
pub(crate) const ARN: ArnForm = ArnForm("lambda:{region}:{account}:event-source-mapping:{name}");

/// Returns the ARN of an event source mapping.
pub(crate) fn arn(session: &Session, uuid: &str) -> String {
    session.aws.realm.arn(ARN, "", uuid).into()
}

/// One end of event source mappings.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'name> {
    /// Mappings that feed the function of this name.
    Function(&'name str),
    /// Mappings that take from the source of this ARN.
    Arn(&'name str),
}

/// Returns the event source mappings of a function, or of a source of events, with those that are being deleted.
pub(crate) async fn all_mappings(
    session: &Session,
    end: Source<'_>,
) -> Result<Vec<EventSourceMappingConfiguration>, Failure> {
    let call = session.aws.read.lambda.list_event_source_mappings();
    let call = match end {
        Source::Function(name) => call.function_name(name),
        Source::Arn(arn) => call.event_source_arn(arn),
    };
    let mut pages = call.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("lambda.ListEventSourceMappings"))? else { break };
        found.extend(page.event_source_mappings.unwrap_or_default());
    }
    Ok(found)
}

/// Returns the event source mappings of a function, or of a source of events. One that is being deleted takes nothing any more.
pub(crate) async fn mappings(
    session: &Session,
    end: Source<'_>,
) -> Result<Vec<EventSourceMappingConfiguration>, Failure> {
    let mut found = all_mappings(session, end).await?;
    found.retain(|one| one.state.as_deref() != Some("Deleting"));
    Ok(found)
}

/// Returns those that are not the stack's: its own are resources of their own.
pub(crate) async fn mappings_of_others(
    session: &Session,
    end: Source<'_>,
) -> Result<Vec<EventSourceMappingConfiguration>, Failure> {
    let tagged = mappings(session, end).await?.into_iter().map(|one| async move {
        let tags = mapping_tags(session, one.uuid.as_deref().unwrap_or_default()).await?;
        Ok::<_, Failure>((tags.get(STACK_TAG) != Some(&session.stack.id())).then_some(one))
    });
    Ok(try_join_all(tagged).await?.into_iter().flatten().collect())
}

/// Returns the tags of an event source mapping; none if it does not exist.
pub(crate) async fn mapping_tags(session: &Session, uuid: &str) -> Result<Tags, Failure> {
    let arn = arn(session, uuid);
    let answer = session.aws.read.lambda.list_tags().resource(arn).send().await;
    let answer = if_offered(answer.or_fail("lambda.ListTags"))?;
    Ok(own_tags(answer.and_then(|answer| answer.tags).unwrap_or_default()))
}

/// Deletes an event source mapping of a function, or of a source. The right to do so names functions, and of a mapping that is gone IAM
/// knows none: a refusal is believed if the mapping is there.
pub(crate) async fn delete_mapping(session: &Session, end: Source<'_>, uuid: &str) -> Result<(), Failure> {
    let call = session.aws.write.lambda.delete_event_source_mapping().uuid(uuid);
    match call.send().await.or_absent("lambda.DeleteEventSourceMapping") {
        Err(failure) if failure.class == Class::Denied => {
            let is_there = mappings(session, end).await?.iter().any(|one| one.uuid.as_deref() == Some(uuid));
            if is_there { Err(failure) } else { Ok(()) }
        }
        answer => answer.map(drop),
    }
}
