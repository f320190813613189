//! The interface between the engine and a kind of resource.

use std::{
    fmt::Debug,
    future::Future,
    time::{Duration, SystemTime},
};

use serde::Serialize;
use serde_json::Value;

use crate::{Address, Children, Failure, Field, Holds, Live, Owned, Protection, Slow, Widening};

/// A kind of resource: one value of an enum over all kinds. Its order is that in which resources are shown.
pub trait Kind: Copy + Ord + Debug + Serialize + Send + Sync + 'static {
    /// The AWS clients, and everything else that the calls of a step need.
    type Session: Sync;
    /// The settings of one resource, of any kind.
    type Settings: Clone + PartialEq + Debug + Send + Sync;

    /// Returns every kind, in their order.
    fn all() -> &'static [Self];

    /// Returns the kind's name in a plan, before an entry's name.
    fn name(self) -> &'static str;

    /// Returns the kind's name as a person types it: `log-group`.
    fn typed(self) -> String {
        self.name().replace(' ', "-")
    }

    /// Returns every field of the kind's settings.
    fn fields(self) -> &'static [Field];

    /// Returns `true` if resources of this kind carry tags, which tell whose they are and for which entry.
    fn has_tags(self) -> bool {
        self.fields().iter().any(|field| field.covers("tags"))
    }

    /// Returns the kinds that a resource of this kind may refer to: they are created before it and deleted after it.
    fn refers_to(self) -> &'static [Self];

    /// Returns settings as a tree, whose paths are those of the fields.
    fn tree(settings: &Self::Settings) -> Value;

    /// Reads a resource; `None` only if AWS says that it does not exist.
    fn read(
        self,
        session: &Self::Session,
        address: &Address,
    ) -> impl Future<Output = Result<Option<Live<Self::Settings>>, Failure>> + Send;

    /// Creates a resource with all its settings.
    fn create(
        settings: &Self::Settings,
        session: &Self::Session,
        address: &Address,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Changes a live resource into the desired one.
    fn update(
        settings: &Self::Settings,
        session: &Self::Session,
        address: &Address,
        live: &Self::Settings,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes a resource; succeeds if it does not exist.
    fn delete(self, session: &Self::Session, address: &Address) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes over into the desired settings the protections of a live one that are not declared, and returns them.
    fn keep_protections(desired: &mut Self::Settings, live: &Self::Settings) -> Vec<Protection>;

    /// Returns the children among the settings; `None` (the default) for a kind that has none.
    fn children(_settings: &mut Self::Settings) -> Option<&mut Children> {
        None
    }

    /// Corrects how harmful the children of a live resource are, by the desired settings: some are harmless only under the live ones.
    fn judge_children(_live: &mut Self::Settings, _desired: &Self::Settings) {}

    /// Returns the settings that a change passes through so that nothing is interrupted: everything works under them that works under the
    /// live or the desired ones, since they give the rights of both and have the recipients of both. Returns the desired settings if
    /// those take nothing away.
    fn interim(desired: &Self::Settings, live: &Self::Settings) -> Self::Settings;

    /// Returns how long a resource of this kind cannot be used at least while it is replaced; `None` if that interrupts nothing. A plan tells
    /// the time that its end and the new one's creation take, if that is longer.
    fn interruption(self) -> Option<Duration>;

    /// Returns the rights that the desired settings give and the live ones do not; all of them, if there are no live ones.
    fn widenings(live: Option<&Self::Settings>, desired: &Self::Settings) -> Vec<Widening>;

    /// Returns how long it usually takes to create a resource, or to change the live one, if that takes minutes.
    fn slow(live: Option<&Self::Settings>, desired: &Self::Settings) -> Option<Slow>;

    /// Returns the beginning of the placeholder that stands for an id of this kind in the settings of other resources; `None` (the default) for
    /// a kind whose resources have names, which stay when a resource is replaced, and no ids that AWS chooses.
    fn stands_for_id(self) -> Option<String> {
        None
    }

    /// Returns how long it usually takes to delete a resource, if that takes minutes; `None` (the default) if it takes seconds.
    fn ends_in(self) -> Option<Slow> {
        None
    }

    /// Returns what AWS is still doing with a live resource whose settings show the change as done, in words; `None` if it is done.
    fn under_way(_live: &Self::Settings) -> Option<&'static str> {
        None
    }

    /// Forgets what was read before, so that the next read is a new one.
    fn forget(session: &Self::Session) -> impl Future<Output = ()> + Send;

    /// Returns the time at which a live resource was created or last changed, if AWS gives it: other services may not see a young resource yet.
    fn created_at(live: &Self::Settings) -> Option<SystemTime>;

    /// Returns how a resource of this kind holds data that is lost with it. That depends on the entry: zips of code, for example, can be
    /// made again.
    fn holds(self, entry: &str) -> Holds;

    /// Returns what an undeclared resource holds now (data, or other people's items); `None` if it holds nothing.
    fn holds_data(
        self,
        session: &Self::Session,
        address: &Address,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send;

    /// Lists this stack's resources of the kind, declared or not.
    fn list_owned(self, session: &Self::Session) -> impl Future<Output = Result<Vec<Owned>, Failure>> + Send;
}
