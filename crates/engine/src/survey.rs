//! Reads AWS: every declared resource and every resource of this stack, at once.

use std::collections::{BTreeMap, BTreeSet};

use futures::{
    StreamExt,
    future::{Either, join},
    stream::FuturesUnordered,
};
use serde_json::Value;

use crate::{Address, Disorder, Failure, Id, Kind, Owned, Read, Resource};

/// The stack's live resources, by kind.
pub type OwnedByKind<K> = BTreeMap<K, BTreeSet<Owned>>;

/// The result of the survey.
#[derive(Debug, Clone)]
pub struct Survey<K: Kind> {
    /// Result of reading each declared address.
    pub read: BTreeMap<(K, Address), Read<K>>,
    /// The stack's live resources, declared or not.
    pub owned: OwnedByKind<K>,
    /// Descriptions of the data that undeclared resources hold, for those that must be kept.
    pub holds: BTreeMap<(K, Address), Result<String, Failure>>,
    /// Settings, as trees, of undeclared resources that others may use: what they lose is told.
    pub used: BTreeMap<(K, Address), Result<Value, Failure>>,
    /// Kinds that could not be listed.
    pub unlisted: BTreeMap<K, Failure>,
    /// Data that resources hold of which it was suspected that nobody declares them; `None` for none.
    pub looked_into: BTreeMap<(K, Address), Option<Result<String, Failure>>>,
}

impl<K: Kind> Default for Survey<K> {
    fn default() -> Self {
        Self {
            read: BTreeMap::new(),
            owned: BTreeMap::new(),
            holds: BTreeMap::new(),
            used: BTreeMap::new(),
            unlisted: BTreeMap::new(),
            looked_into: BTreeMap::new(),
        }
    }
}

/// The answer to one of the calls that run at once.
#[derive(Debug)]
enum Answer<K: Kind> {
    Read((K, Address), Read<K>),
    Owned(K, Result<Vec<Owned>, Failure>),
    Holds((K, Address), Option<Result<String, Failure>>),
}

/// Reads every named resource and lists everything of this stack: two round trips, however many resources there are. Of what is suspected
/// to be the stack's and not declared, it reads in the same time what may be lost with it.
pub async fn survey<K: Kind>(
    session: &K::Session,
    named: impl IntoIterator<Item = (K, Address)>,
    suspected: impl IntoIterator<Item = (K, Address)>,
) -> Survey<K> {
    let suspected: Vec<_> = suspected.into_iter().collect();
    let used = suspected.iter().filter(|(kind, _)| may_be_used(*kind)).cloned();
    let places: BTreeSet<_> = named.into_iter().chain(used).collect();
    let reads = places.into_iter().map(|place| Either::Left(read(session, place)));
    let lists = K::all()
        .iter()
        .map(|kind| Either::Right(Either::Left(async { Answer::Owned(*kind, kind.list_owned(session).await) })));
    let holds = suspected.into_iter().map(|(kind, address)| {
        Either::Right(Either::Right(async move {
            let holds = kind.holds_data(session, &address).await.transpose();
            Answer::Holds((kind, address), holds)
        }))
    });
    let answers: FuturesUnordered<_> = reads.chain(lists).chain(holds).collect();
    let mut survey = Survey::default();
    survey.note(answers.collect().await);
    survey
}

impl<K: Kind> Survey<K> {
    /// Reads declared resources whose address was unknown when the survey began, and the data that undeclared resources
    /// hold. The address of a rule, for example, is known only when SES has named the active rule set.
    pub async fn complete(&mut self, session: &K::Session, declared: &[Resource<K>]) {
        let places = declared.iter().map(|resource| (resource.id.kind, resource.address.clone()));
        let rest: Vec<_> = places.filter(|place| !self.read.contains_key(place)).collect();
        let answers: FuturesUnordered<_> = rest.into_iter().map(|place| read(session, place)).collect();
        self.note(answers.collect().await);
        let undeclared = undeclared(declared, &self.owned);
        (self.holds, self.used) = join(self.holdings(session, &undeclared), self.uses(session, &undeclared)).await;
    }

    /// Returns `true` if a live resource of this stack, declared or not, has this address.
    pub fn owns(&self, kind: K, address: &Address) -> bool {
        self.owned.get(&kind).is_some_and(|owned| owned.iter().any(|owned| owned.address == *address))
    }

    /// Returns the names of the resources that the tags of this stack's entries are on, whatever names they are. A kind
    /// that could not be listed is missing. Two with the tags of one entry are an error: nobody but a person knows which of them it is.
    pub fn names_by_entry(&self) -> Result<BTreeMap<K, BTreeMap<String, String>>, Disorder> {
        let mut names: BTreeMap<K, BTreeMap<String, String>> = BTreeMap::new();
        for (kind, owned) in self.owned.iter().filter(|(kind, _)| kind.has_tags()) {
            let by_entry = names.entry(*kind).or_default();
            for one in owned.iter().filter(|one| one.stays.is_none()) {
                if let Some(other) = by_entry.insert(one.entry.clone(), one.address.name.clone()) {
                    let id = Id::new(*kind, one.entry.clone()).to_string();
                    return Err(Disorder::SameEntry { id, names: [other, one.address.name.clone()] });
                }
            }
        }
        Ok(names)
    }

    fn note(&mut self, answers: Vec<Answer<K>>) {
        for answer in answers {
            match answer {
                Answer::Read(place, read) => {
                    self.read.insert(place, read);
                }
                Answer::Holds(place, holds) => {
                    self.looked_into.insert(place, holds);
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

async fn read<K: Kind>(session: &K::Session, (kind, address): (K, Address)) -> Answer<K> {
    let read = match kind.read(session, &address).await {
        Ok(Some(live)) => Read::Present(live),
        Ok(None) => Read::Absent,
        Err(failure) => Read::Unreadable(failure),
    };
    Answer::Read((kind, address), read)
}

/// Returns the stack's live resources that are not declared.
fn undeclared<K: Kind>(declared: &[Resource<K>], owned: &OwnedByKind<K>) -> Vec<(K, Address)> {
    let is_declared = |kind: K, address: &Address| {
        declared.iter().any(|resource| resource.id.kind == kind && resource.address == *address)
    };
    let all = owned.iter().flat_map(|(kind, owned)| owned.iter().map(|owned| (*kind, owned.address.clone())));
    all.filter(|(kind, address)| !is_declared(*kind, address)).collect()
}

/// Returns `true` if others may use resources of a kind: what they lose is told.
fn may_be_used<K: Kind>(kind: K) -> bool {
    kind.fields().iter().any(|field| field.child.is_some_and(|child| child.is_used))
}

impl<K: Kind> Survey<K> {
    /// Reads the data that undeclared resources hold, if it was not read with the rest.
    async fn holdings(
        &self,
        session: &K::Session,
        undeclared: &[(K, Address)],
    ) -> BTreeMap<(K, Address), Result<String, Failure>> {
        let asked: FuturesUnordered<_> = undeclared
            .iter()
            .map(|place| async move {
                let holds = match self.looked_into.get(place) {
                    Some(holds) => holds.clone(),
                    None => place.0.holds_data(session, &place.1).await.transpose(),
                };
                holds.map(|holds| (place.clone(), holds))
            })
            .collect();
        asked.filter_map(std::future::ready).collect().await
    }

    /// Reads the undeclared resources that others may use, if they were not read with the rest.
    async fn uses(
        &self,
        session: &K::Session,
        undeclared: &[(K, Address)],
    ) -> BTreeMap<(K, Address), Result<Value, Failure>> {
        let asked: FuturesUnordered<_> = undeclared
            .iter()
            .filter(|(kind, _)| may_be_used(*kind))
            .map(|place| async move {
                let live = match self.read.get(place) {
                    Some(Read::Present(live)) => Ok(Some(live.clone())),
                    Some(Read::Absent) => Ok(None),
                    Some(Read::Unreadable(failure)) => Err(failure.clone()),
                    None => place.0.read(session, &place.1).await,
                };
                Some((place.clone(), live.transpose()?.map(|live| K::tree(&live.settings))))
            })
            .collect();
        asked.filter_map(std::future::ready).collect().await
    }
}
