//! What is in AWS: every declared resource, and all that is this stack's, read at once.

use std::collections::BTreeMap;

use futures::{StreamExt, future::Either, stream::FuturesUnordered};

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

/// One of the questions that are asked at once, answered.
#[derive(Debug)]
enum Answer {
    Read((Kind, Address), Read),
    Owned(Kind, Result<Vec<crate::kinds::Owned>, Failure>),
}

/// Reads all that is named, and lists what is ours beside it: two round trips, whatever there is.
pub(crate) async fn survey(session: &Session, named: impl IntoIterator<Item = (Kind, Address)>) -> Survey {
    let reads = named.into_iter().map(|place| Either::Left(read(session, place)));
    let lists =
        Kind::ALL.iter().map(|kind| Either::Right(async { Answer::Owned(*kind, kind.list_owned(session).await) }));
    let answers: FuturesUnordered<_> = reads.chain(lists).collect();
    let mut survey = Survey::default();
    survey.note(answers.collect().await);
    survey
}

impl Survey {
    /// Reads what is declared and was not named when the survey began, and what those hold that are not declared. Where a
    /// rule stands is only known when SES has said which set is active.
    pub(crate) async fn complete(&mut self, session: &Session, declared: &[Resource]) {
        let places = declared.iter().map(|resource| (resource.id.kind, resource.address.clone()));
        let rest: Vec<_> = places.filter(|place| !self.read.contains_key(place)).collect();
        let answers: FuturesUnordered<_> = rest.into_iter().map(|place| read(session, place)).collect();
        self.note(answers.collect().await);
        self.holds = holdings(session, declared, &self.owned).await;
    }

    /// Whether something is there that is this stack's, declared or not.
    pub(crate) fn owns(&self, kind: Kind, address: &Address) -> bool {
        self.owned.get(&kind).is_some_and(|owned| owned.iter().any(|owned| owned.address == *address))
    }

    fn note(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            match answer {
                Answer::Read(place, read) => {
                    self.read.insert(place, read);
                }
                Answer::Owned(kind, Ok(owned)) => {
                    self.owned.insert(kind, owned.into_iter().collect());
                }
                Answer::Owned(kind, Err(failure)) => {
                    self.unlisted.insert(kind, failure);
                }
            }
        }
    }
}

async fn read(session: &Session, (kind, address): (Kind, Address)) -> Answer {
    let read = match kind.read(session, &address).await {
        Ok(Some(live)) => Read::Present(live),
        Ok(None) => Read::Absent,
        Err(failure) => Read::Unreadable(failure),
    };
    Answer::Read((kind, address), read)
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
