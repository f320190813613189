//! An account in memory, with the checks that AWS makes, behind the engine's own interface: the engine applies plans to it as to AWS.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::Value;

use super::working::Way;
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Protection, Slow, Widening};
use kinds::{Kind, Settings, ses::activation};

/// Name of somebody's rule set.
pub(super) const COMPANY: &str = "company";

/// A resource's place: its kind and its address.
pub(super) type Place = (Kind, Address);

/// The fault of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The write of this number, from 1, is refused.
    Before(usize),
    /// The write of this number, from 1, is done, and its answer lost.
    After(usize),
}

/// The content of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) live: BTreeMap<Place, Settings>,
    /// Name of the active rule set; `None` if there is none.
    pub(super) active: Option<String>,
    /// Entries of the stack's resources, as their tags would tell.
    pub(super) entries: BTreeMap<Place, String>,
    /// Number of writes so far.
    pub(super) writes: usize,
    pub(super) fault: Option<Fault>,
    /// Ways of mail that must be there after every write.
    pub(super) watched: Vec<Way>,
    /// The first way of mail that was not there, and the write after which.
    pub(super) broken: Option<String>,
}

/// A simulated account, which looks at the watched ways of mail after each write.
#[derive(Debug, Default)]
pub(super) struct Account(pub(super) Mutex<State>);

impl Account {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a write, unless a fault keeps it from being made; then looks at what is watched.
    fn write(&self, what: &str, write: impl FnOnce(&mut State) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut state = self.state();
        state.writes += 1;
        let number = state.writes;
        if state.fault == Some(Fault::Before(number)) {
            return Err(Failure::found(what, Class::Other, "the fault"));
        }
        write(&mut state)?;
        let missing = state.watched.iter().find_map(|way| way.missing(&state));
        if let Some(missing) = missing.filter(|_| state.broken.is_none()) {
            state.broken = Some(format!("after {what}: {missing}"));
        }
        if state.fault == Some(Fault::After(number)) {
            return Err(Failure::found(what, Class::Other, "the fault"));
        }
        Ok(())
    }
}

fn refused(words: impl Into<String>) -> Failure {
    Failure::found("memory", Class::Invalid, words)
}

impl State {
    /// Returns `true` if a rule set is there; somebody's always is.
    fn has_set(&self, name: &str) -> bool {
        name == COMPANY || self.live.contains_key(&(Kind::ReceiptRuleSet, Address::of(name)))
    }

    /// Fails as AWS does if something that the resource names is missing.
    fn check(&self, place: &Place, settings: &Settings) -> Result<(), Failure> {
        let function = |name: &str| self.live.contains_key(&(Kind::Function, Address::of(name)));
        let container = place.1.container();
        match settings {
            Settings::Permission(_) | Settings::EventInvoke(_) if !function(container) => {
                Err(refused(format!("no function {container}")))
            }
            Settings::ReceiptRule(rule) => {
                if !self.has_set(container) {
                    return Err(refused(format!("no set {container}")));
                }
                super::working::unusable(self, container, &place.1.name, rule).map_or(Ok(()), |why| Err(refused(why)))
            }
            Settings::Activation(_) if !self.has_set(&place.1.name) => Err(refused("no set to activate")),
            _ => Ok(()),
        }
    }

    /// Returns `true` if a rule set is active, or has rules.
    fn is_used(&self, set: &str) -> bool {
        let is_in = |(kind, address): &Place| *kind == Kind::ReceiptRule && address.container() == set;
        self.active.as_deref() == Some(set) || self.live.keys().any(is_in)
    }

    fn put(&mut self, place: &Place, settings: &Settings) -> Result<(), Failure> {
        self.check(place, settings)?;
        if place.0 == Kind::Activation {
            self.active = Some(place.1.name.clone());
        }
        self.live.insert(place.clone(), settings.clone());
        Ok(())
    }

    fn remove(&mut self, place: &Place) -> Result<(), Failure> {
        let name = &place.1.name;
        match place.0 {
            Kind::Function => self.live.retain(|(_, address), _| address.container.as_ref() != Some(name)),
            Kind::ReceiptRuleSet if self.is_used(name) => return Err(refused("the set is in use")),
            Kind::Activation => self.active = Some(COMPANY.to_owned()).filter(|_| self.active.as_ref() == Some(name)),
            _ => {}
        }
        self.live.remove(place);
        Ok(())
    }
}

/// A kind of resource in an account in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InMemory(pub(super) Kind);

impl Serialize for InMemory {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

static ALL: LazyLock<Vec<InMemory>> = LazyLock::new(|| Kind::ALL.iter().copied().map(InMemory).collect());
static REFERS_TO: LazyLock<BTreeMap<Kind, Vec<InMemory>>> = LazyLock::new(|| {
    Kind::ALL.iter().map(|kind| (*kind, kind.refers_to().iter().copied().map(InMemory).collect())).collect()
});

impl engine::Kind for InMemory {
    type Session = Account;
    type Settings = Settings;

    fn all() -> &'static [Self] {
        &ALL
    }

    fn name(self) -> &'static str {
        self.0.name()
    }

    fn fields(self) -> &'static [Field] {
        self.0.fields()
    }

    fn refers_to(self) -> &'static [Self] {
        &REFERS_TO[&self.0]
    }

    fn tree(settings: &Settings) -> Value {
        settings.tree()
    }

    fn holds(self, entry: &str) -> Holds {
        self.0.holds(entry)
    }

    async fn read(self, account: &Account, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let state = account.state();
        let place = (self.0, address.clone());
        let settings = match self.0 {
            Kind::Activation => state.has_set(&address.name).then(|| {
                let active = state.active.as_ref() == Some(&address.name);
                activation::Settings { active, ..activation::Settings::default() }.into()
            }),
            // An order is gone with its set.
            Kind::ReceiptOrder if !state.has_set(&address.name) => None,
            _ => state.live.get(&place).cloned(),
        };
        Ok(settings.map(|settings| Live { settings, owner: Owner::Ours }))
    }

    async fn create(settings: &Settings, account: &Account, address: &Address) -> Result<(), Failure> {
        let place = (settings.kind(), address.clone());
        account.write(&format!("create {} {address:?}", settings.kind().name()), |state| {
            if state.live.contains_key(&place) && place.0 != Kind::Activation {
                return Err(Failure::found("memory", Class::Exists, "it exists"));
            }
            state.put(&place, settings)
        })
    }

    async fn update(settings: &Settings, account: &Account, address: &Address, _: &Settings) -> Result<(), Failure> {
        let place = (settings.kind(), address.clone());
        account.write(&format!("update {} {address:?}", settings.kind().name()), |state| state.put(&place, settings))
    }

    async fn delete(self, account: &Account, address: &Address) -> Result<(), Failure> {
        let place = (self.0, address.clone());
        account.write(&format!("delete {} {address:?}", self.0.name()), |state| state.remove(&place))
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        <Kind as engine::Kind>::keep_protections(desired, live)
    }

    fn interim(desired: &Settings, live: &Settings) -> Settings {
        <Kind as engine::Kind>::interim(desired, live)
    }

    fn interruption(self) -> Option<Duration> {
        <Kind as engine::Kind>::interruption(self.0)
    }

    fn widenings(live: Option<&Settings>, desired: &Settings) -> Vec<Widening> {
        <Kind as engine::Kind>::widenings(live, desired)
    }

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        <Kind as engine::Kind>::slow(live, desired)
    }

    async fn forget(_: &Account) {}

    fn created_at(live: &Settings) -> Option<SystemTime> {
        <Kind as engine::Kind>::created_at(live)
    }

    async fn holds_data(self, _: &Account, _: &Address) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    async fn list_owned(self, account: &Account) -> Result<Vec<Owned>, Failure> {
        let state = account.state();
        let places: BTreeSet<&Address> = match self.0 {
            Kind::ReceiptOrder => BTreeSet::new(),
            Kind::Activation => {
                let keys = state
                    .live
                    .keys()
                    .filter(|(kind, address)| *kind == self.0 && state.active.as_ref() == Some(&address.name));
                keys.map(|(_, address)| address).collect()
            }
            // Rules in somebody's inactive set are found again when it is active.
            Kind::ReceiptRule => {
                let seen = |set: &str| set != COMPANY || state.active.as_deref() == Some(COMPANY);
                let keys = state.live.keys().filter(|(kind, address)| *kind == self.0 && seen(address.container()));
                keys.map(|(_, address)| address).collect()
            }
            _ => state.live.keys().filter(|(kind, _)| *kind == self.0).map(|(_, address)| address).collect(),
        };
        let entry = |address: &Address| state.entries.get(&(self.0, address.clone())).cloned().unwrap_or_default();
        Ok(places.into_iter().map(|address| Owned::new(entry(address), address.clone())).collect())
    }
}
