//! What is in AWS: every declared resource, and all that is this stack's, read at once.

use std::collections::BTreeMap;

use futures::{StreamExt, stream::FuturesUnordered};

use super::{OwnedByKind, Read, Resource};
use crate::{
    aws::Failure,
    kinds::{Address, Kind, Session},
};

/// What was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Survey {
    /// What is at each declared address.
    pub(crate) read: BTreeMap<(Kind, Address), Read>,
    /// What is this stack's, declared or not.
    pub(crate) owned: OwnedByKind,
    /// What those that are not declared hold, where that is a reason to keep them.
    pub(crate) holds: BTreeMap<(Kind, Address), Result<String, Failure>>,
    /// Kinds that could not be listed.
    pub(crate) unlisted: BTreeMap<Kind, Failure>,
}

/// Whether data of things that are not declared goes with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Data {
    /// What holds data stays.
    Keep,
    /// It goes, because somebody said so.
    Delete,
}

/// One of the questions that are asked at once, answered.
enum Answer {
    Read((Kind, Address), Read),
    Owned(Kind, Result<Vec<crate::kinds::Owned>, Failure>),
}

/// Reads all declared resources, and lists what is ours beside it.
pub(crate) async fn survey(session: &Session, declared: &[Resource], data: Data) -> Survey {
    let reads = declared.iter().map(|resource| {
        let (kind, address) = (resource.id.kind, resource.address.clone());
        futures::future::Either::Left(async move {
            let read = match kind.read(session, &address).await {
                Ok(Some(live)) => Read::Present(live),
                Ok(None) => Read::Absent,
                Err(failure) => Read::Unreadable(failure),
            };
            Answer::Read((kind, address), read)
        })
    });
    let lists = Kind::ALL.iter().map(|kind| {
        futures::future::Either::Right(async move { Answer::Owned(*kind, kind.list_owned(session).await) })
    });
    let mut answers: FuturesUnordered<_> = reads.chain(lists).collect();
    let mut survey = Survey::default();
    while let Some(answer) = answers.next().await {
        match answer {
            Answer::Read(place, read) => {
                survey.read.insert(place, read);
            }
            Answer::Owned(kind, Ok(owned)) => {
                survey.owned.insert(kind, owned.into_iter().collect());
            }
            Answer::Owned(kind, Err(failure)) => {
                survey.unlisted.insert(kind, failure);
            }
        }
    }
    if data == Data::Keep {
        survey.holds = holdings(session, declared, &survey.owned).await;
    }
    survey
}

/// What those that are not declared hold.
async fn holdings(
    session: &Session,
    declared: &[Resource],
    owned: &OwnedByKind,
) -> BTreeMap<(Kind, Address), Result<String, Failure>> {
    let is_declared = |kind: Kind, address: &Address| {
        declared.iter().any(|resource| resource.id.kind == kind && resource.address == *address)
    };
    let all = owned.iter().flat_map(|(kind, owned)| owned.iter().map(|owned| (*kind, owned.address.clone())));
    let undeclared = all.filter(|(kind, address)| !is_declared(*kind, address));
    let asked: FuturesUnordered<_> = undeclared
        .map(|(kind, address)| async move {
            let holds = kind.holds_data(session, &address).await.transpose();
            holds.map(|holds| ((kind, address), holds))
        })
        .collect();
    asked.filter_map(std::future::ready).collect().await
}
