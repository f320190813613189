//! The sink `netbox`: notices become events, impacts and notifications; what is for a person becomes a notification without an event.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use super::{
    client::{Among, Client, NewNotification, StoredNotification},
    converge::{Attempts, converge},
    fields,
    ids::EventId,
    letter, plan,
    records::{Fault, Records},
    stored::StoredProvider,
    wanted::{Circuits, Wanted},
};
use crate::{
    maintenance::{outcome::Notice, providers::genericprovider},
    pipeline::{
        letter::Letter,
        sink::{Case, Delivered, Sink, SinkError},
    },
};

/// A NetBox that takes notices.
#[derive(Debug)]
pub struct NetBox {
    /// Its API.
    pub client: Client,
    /// Our slug of a provider, or the name that its calendars give → NetBox's slug or name of it.
    pub providers: BTreeMap<String, String>,
}

/// What a notice has come to so far.
#[derive(Debug, Default)]
struct Progress {
    events: BTreeSet<EventId>,
    made: BTreeSet<EventId>,
    concerns: Vec<String>,
}

impl From<Fault> for SinkError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(reason) | Fault::Rejected(reason) => Self::Refused(reason),
            Fault::Conflict(reason) | Fault::Transient(reason) | Fault::Unavailable(reason) => Self::Transient(reason),
        }
    }
}

impl Sink for NetBox {
    fn until(&self, deadline: SystemTime) {
        self.client.until(deadline);
    }

    async fn deliver(&self, letter: &Letter, notice: &Notice) -> Result<Delivered, SinkError> {
        let all = Wanted::of(notice, letter.received_at).map_err(|error| SinkError::Refused(error.to_string()))?;
        let mut progress = Progress::default();
        for wanted in &all {
            match self.maintenance(notice, wanted).await {
                Ok(settled) => {
                    progress.events.extend(settled.events.iter().map(|event| event.id));
                    progress.made.extend(settled.made);
                    progress.concerns.extend(settled.concerns);
                }
                Err(Fault::Refused(reason)) => progress.concerns.push(reason),
                Err(other) => return Err(other.into()),
            }
        }
        self.link(letter, &progress).await?;
        if progress.concerns.is_empty() {
            return Ok(Delivered::Whole);
        }
        let reason = progress.concerns.join("; ");
        self.hand_over(letter, &Case { reason: &reason, suggestion: &notice.maintenances }).await?;
        Ok(Delivered::ForPerson { reason })
    }

    async fn hand_over(&self, letter: &Letter, case: &Case<'_>) -> Result<(), SinkError> {
        let mail = letter::for_person(letter, case);
        let plain = letter::notification(letter, None).body;
        // The same mail has been here if it stands in the queue, whatever was said of it then, or has been worked through since.
        let handed_over = |found: &StoredNotification| letter::is_of(found.body(), &plain);
        let mut attempts = Attempts::default();
        loop {
            let written = async {
                if self.client.any_notification(&mail, Among::Unlinked, handed_over).await?
                    || self.client.any_notification(&mail, Among::Received(mail.received_at), handed_over).await?
                {
                    return Ok(());
                }
                self.client.notify(std::slice::from_ref(&mail)).await
            };
            match written.await {
                Ok(()) => return Ok(()),
                Err(fault) => self.client.pause(attempts.after(fault)?).await,
            }
        }
    }
}

impl NetBox {
    async fn maintenance(&self, notice: &Notice, wanted: &Wanted) -> Result<plan::Settled, Fault> {
        let mut attempts = Attempts::default();
        let (provider, circuits) = loop {
            match self.known(notice, wanted).await {
                Ok(known) => break known,
                Err(fault) => self.client.pause(attempts.after(fault)?).await,
            }
        };
        converge(&self.client, &plan::Case { wanted, provider: &provider, circuits: &circuits }).await
    }

    /// The provider and its circuits, by what they are called exactly.
    async fn known(&self, notice: &Notice, wanted: &Wanted) -> Result<(StoredProvider, Circuits), Fault> {
        let cids: BTreeSet<&str> = wanted.circuits().collect();
        let names = self.names(notice, wanted);
        if let Some(slug) = names.first().filter(|name| is_slug(name)) {
            let found = if cids.is_empty() { None } else { self.client.circuits_of_slug(slug, &cids).await? };
            if let Some(found) = found {
                return Ok(found);
            }
            if let Some(provider) = self.client.provider_by_slug(slug).await? {
                // It has none of the circuits, or there are none to look for.
                return Ok((provider, Circuits::new()));
            }
        }
        for name in &names {
            let mut found = self.client.providers_by_name(name).await?;
            if found.len() > 1 && found.iter().filter(|provider| provider.name == *name).count() == 1 {
                found.retain(|provider| provider.name == *name);
            }
            match &found[..] {
                [] => {}
                [provider] => {
                    let circuits = self.client.circuits_of(provider.id, &cids).await?;
                    return Ok((provider.clone(), circuits));
                }
                several => {
                    let slugs: Vec<_> = several.iter().map(|provider| format!("`{}`", provider.slug)).collect();
                    return Err(Fault::Refused(format!(
                        "NetBox has several providers named `{name}` ({}): `NETBOX_PROVIDERS` can say which one is meant",
                        slugs.join(", ")
                    )));
                }
            }
        }
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", fields::cut(name, fields::LONGEST_NAME))).collect();
        Err(Fault::Refused(format!(
            "NetBox has no provider with the slug or name {}: add it, or say in `NETBOX_PROVIDERS` which one is meant",
            names.join(" or ")
        )))
    }

    /// What the provider may be called: as configured, else by our slug, then by name. A calendar of somebody unknown has a name only.
    fn names(&self, notice: &Notice, wanted: &Wanted) -> Vec<String> {
        let provider = notice.recognised.provider;
        let announced = notice.maintenances.iter().find(|maintenance| maintenance.id() == wanted.id);
        let announced = announced.and_then(|maintenance| maintenance.announced_provider());
        let is_generic = provider.slug == genericprovider::PROVIDER.slug;
        let mut keys = (!is_generic).then_some(provider.slug).into_iter().chain(announced);
        if let Some(mapped) = keys.find_map(|key| self.providers.get(key)) {
            return vec![mapped.clone()];
        }
        let known = [provider.slug, provider.name].into_iter().filter(|_| !is_generic);
        known.chain(announced.filter(|_| is_generic)).map(str::to_owned).collect()
    }

    /// Gives every event the mail, once.
    async fn link(&self, letter: &Letter, progress: &Progress) -> Result<(), Fault> {
        let mut attempts = Attempts::default();
        let mut first = true;
        loop {
            match self.link_missing(letter, progress, first).await {
                Ok(()) => return Ok(()),
                Err(fault) => self.client.pause(attempts.after(fault)?).await,
            }
            first = false;
        }
    }

    async fn link_missing(&self, letter: &Letter, progress: &Progress, first: bool) -> Result<(), Fault> {
        let mail = letter::notification(letter, None);
        let is_same = |found: &StoredNotification| letter::is_same(found.body(), &mail.body);
        let mut missing = Vec::new();
        for event in &progress.events {
            // An event that has just been made has no mails yet.
            let is_new = first && progress.made.contains(event);
            if is_new || !self.client.any_notification(&mail, Among::Event(*event), is_same).await? {
                missing.push(*event);
            }
        }
        let mails: Vec<_> =
            missing.iter().map(|event| NewNotification { event: Some(*event), ..mail.clone() }).collect();
        // As many at once as one request can hold.
        let at_once = (fields::LARGEST_NOTIFICATION / (fields::escaped_length(&mail.body) + 4096)).max(1);
        for some in mails.chunks(at_once) {
            self.client.notify(some).await?;
        }
        Ok(())
    }
}

fn is_slug(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
}
