//! The sink `netbox`: notices become events, impacts and notifications; what is for a person becomes a notification without an event,
//! or, where the plugin takes none, is kept in S3.

use std::{
    cell::Cell,
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use contract::probe::Check;
use jiff::{Timestamp, Unit};

use super::{
    case::PlanInput,
    claim::{Claim, Claimant},
    client::{Among, Client, NewNotification, changelog_message},
    converge::Attempts,
    fields,
    ids::{EventId, ProviderId},
    link::{Linked, Mailbox, Target, link},
    mark::{Mark, Role},
    memory::{Memory, converge_and_remember},
    notification,
    records::{Fault, Records},
    resolve::provider_and_circuits,
    settings::Settings,
    settled::Settled,
    stored::StoredEvent,
};
use crate::pipeline::{
    arrived_mail::ArrivedMail,
    held::{Held, Purpose, Retention},
    sink::{Delivered, Handover, Sink, SinkError},
    unmatched::Unmatched,
};
use carriers::providers::{self, genericprovider};
use notice::outcome::Notice;
use runtime::{Deadline, S3, SecretSource, environment::Aws};
use schedule::Announcement;

/// Lambda's limit on a timeout.
const LONGEST_INVOCATION: Duration = Duration::from_mins(15);
/// Margin for what NetBox may still be doing at the deadline, and for clocks that differ.
const AFTERMATH: Duration = Duration::from_secs(10);

/// A NetBox that takes notices.
#[derive(Debug)]
pub struct NetBox {
    /// Client of NetBox's API.
    pub client: Client,
    /// Our slug of a provider, or the name that its calendars give → NetBox's slug or name of it.
    pub providers: BTreeMap<String, String>,
    /// Custom field of circuits with other names of them; `None` if there is none.
    pub aliases: Option<String>,
    /// Place for mails that a person has to see, if NetBox takes none without an event.
    pub unmatched: Option<Unmatched<S3>>,
    /// Memory of events; `None` if NetBox's record of changes has to do.
    pub memory: Option<Memory<S3>>,
    /// Name of this instance of the function, which delivers one mail at a time.
    instance: String,
}

/// Accumulated result of one delivery.
#[derive(Debug, Default)]
struct Progress {
    targets: Vec<Target>,
    concerns: Vec<String>,
    remarks: Vec<String>,
    conflicts: Vec<String>,
}

/// A mail on its way to NetBox.
struct Outgoing<'mail> {
    client: &'mail Client,
    mail: NewNotification,
    /// The same mail for a person, with the reason; `None` if nobody has to look at it.
    for_person: Option<NewNotification>,
    /// The reason, and the place where the mail is kept if NetBox does not take it.
    kept: KeptForPerson<'mail>,
    /// Copies of the mail in NetBox and in the place in S3 so far.
    held: Cell<Held>,
}

/// A mail that is kept in S3.
#[derive(Clone, Copy)]
struct KeptForPerson<'mail> {
    arrived: &'mail ArrivedMail,
    handover: Handover<'mail>,
    unmatched: Option<&'mail Unmatched<S3>>,
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
    fn until(&self, deadline: Deadline) {
        self.client.until(deadline);
    }

    async fn check(&self) -> Vec<Check> {
        let what = format!("NetBox at {}", self.client.address());
        vec![Check::of(what, self.client.check().await.map_err(|fault| fault.to_string()))]
    }

    /// A plugin that is seen to take no mail without an event leaves it to the place in S3, which takes any.
    fn can_hold(&self, arrived: &ArrivedMail, purpose: Purpose) -> Held {
        let is_kept = purpose == Purpose::HandOver && self.unmatched.is_some() && !self.client.has_queue();
        Held::expected(is_kept || notification::has_room_for(arrived.source.as_ref()))
    }

    async fn deliver(&self, arrived: &ArrivedMail, notice: &Notice) -> Result<Delivered, SinkError> {
        let all =
            Announcement::of(notice, arrived.received_at).map_err(|error| SinkError::Refused(error.to_string()))?;
        let source = notification::source(arrived, Some(notice.recognised.provider.slug));
        let mut mail = notification::of_event(arrived);
        mail.message = changelog_message(mail.mark.role.reason(), &source);
        let claimant = self.claimant(&mail, source);
        let mut attempts = Attempts::default();
        let mut conflicts = Vec::new();
        loop {
            // Boxed, since the compiler limits the depth of nested futures.
            let mut progress = Box::pin(self.maintenances(notice, &all, &claimant)).await?;
            conflicts.append(&mut progress.conflicts);
            let reason = progress.concerns.join("; ");
            let handover = Handover { reason: &reason, suggestion: &notice.maintenances };
            // Its object stays, since a person has to look at the mail.
            let for_person =
                (!reason.is_empty()).then(|| notification::for_person(arrived, &handover, Retention::Stays));
            let kept = KeptForPerson { arrived, handover, unmatched: self.unmatched.as_ref() };
            let outgoing =
                Outgoing { client: &self.client, mail: mail.clone(), for_person, kept, held: Cell::default() };
            let targets = std::mem::take(&mut progress.targets);
            let (event, is_first) =
                (targets.first().map(|target| target.event.id), targets.iter().all(|target| target.is_new));
            match Box::pin(link(&self.client, &outgoing, &claimant, targets)).await? {
                Linked::Whole => {
                    // An earlier delivery of it may have been put before a person.
                    if reason.is_empty() && (!is_first || arrived.is_late()) {
                        Box::pin(self.close_entry(&mail, event)).await?;
                    }
                    let Progress { concerns, remarks, .. } = progress;
                    return Ok(Delivered { held: outgoing.held.get(), concerns, remarks, conflicts });
                }
                Linked::Moved => {
                    let fault = Fault::Conflict("an event was merged into another".to_owned());
                    self.client.pause(attempts.after(fault)?).await;
                }
            }
        }
    }

    async fn hand_over(&self, arrived: &ArrivedMail, handover: &Handover<'_>) -> Result<Held, SinkError> {
        let for_person = Some(notification::for_person(arrived, handover, arrived.retention));
        let kept = KeptForPerson { arrived, handover: *handover, unmatched: self.unmatched.as_ref() };
        let mail = notification::of_event(arrived);
        let outgoing = Outgoing { client: &self.client, mail, for_person, kept, held: Cell::default() };
        let mut attempts = Attempts::default();
        loop {
            match outgoing.hand_over().await {
                Ok(()) => return Ok(outgoing.held.get()),
                Err(fault) => self.client.pause(attempts.after(fault)?).await,
            }
        }
    }

    async fn settle(&self, arrived: &ArrivedMail) -> Result<(), SinkError> {
        match &self.unmatched {
            Some(unmatched) => unmatched.close(arrived).await,
            None => Ok(()),
        }
    }
}

impl Mailbox for Outgoing<'_> {
    async fn holds(&self, event: EventId) -> Result<bool, Fault> {
        let found = self.client.find_notification(&self.mail, Among::Event(event)).await?;
        Ok(found.is_some_and(|body| self.holds_body(&body)))
    }

    async fn store(&self, events: &[EventId]) -> Result<(), Fault> {
        let mails: Vec<_> =
            events.iter().map(|event| NewNotification { event: Some(*event), ..self.mail.clone() }).collect();
        // As many at once as one request can hold.
        let at_once = (fields::LARGEST_NOTIFICATION / (fields::escaped_length(&self.mail.body) + 4096)).max(1);
        for some in mails.chunks(at_once) {
            self.client.notify(some).await?;
        }
        self.holds_body(&self.mail.body);
        Ok(())
    }

    async fn hand_over(&self) -> Result<(), Fault> {
        let Some(mail) = &self.for_person else { return Ok(()) };
        if self.client.has_queue() {
            match self.queue(mail).await {
                // The plugin has shown that it takes none.
                Err(Fault::Refused(_) | Fault::Rejected(_)) if !self.client.has_queue() => {}
                other => return other,
            }
        }
        let held = self.kept.keep().await?;
        self.held.set(self.held.get().and(held));
        Ok(())
    }
}

impl KeptForPerson<'_> {
    async fn keep(&self) -> Result<Held, Fault> {
        let Some(unmatched) = self.unmatched else {
            return Err(Fault::Unavailable(
                "NetBox's plugin takes no mail without an event, and the function's `writes` names no prefix that ends in \
                 `unmatched/`, where it would be kept; declare `writes: [{bucket: mail, prefix: unmatched/}]`"
                    .to_owned(),
            ));
        };
        unmatched.keep(self.arrived, &self.handover).await.map_err(|error| match error {
            SinkError::Transient(reason) => Fault::Unavailable(reason),
            SinkError::Refused(reason) => Fault::Refused(reason),
        })
    }
}

impl Outgoing<'_> {
    /// Puts the mail into NetBox's queue of what a person has to look at, once.
    async fn queue(&self, mail: &NewNotification) -> Result<(), Fault> {
        // The mail has been here before if it is in the queue, whatever was said of it then, or has been worked through since.
        for among in [Among::Unlinked, Among::Received(mail.received_at)] {
            if let Some(body) = self.client.find_notification(mail, among).await? {
                self.holds_body(&body);
                return Ok(());
            }
        }
        self.client.notify(std::slice::from_ref(mail)).await?;
        self.holds_body(&mail.body);
        Ok(())
    }

    /// Records that NetBox has a notification of the mail, with that body; returns `true`.
    fn holds_body(&self, body: &str) -> bool {
        self.held.set(self.held.get().and(notification::held(self.kept.arrived, body)));
        true
    }
}

impl NetBox {
    /// Takes out of NetBox's queue what an earlier delivery of the mail has put there: nothing of it is left to look at.
    async fn close_entry(&self, mail: &NewNotification, event: Option<EventId>) -> Result<(), SinkError> {
        let Some(event) = event.filter(|_| self.client.has_queue()) else { return Ok(()) };
        let mark = Mark { role: Role::ForPerson, ..mail.mark.clone() };
        let entry = NewNotification { mark, body: String::new(), ..mail.clone() };
        let mut attempts = Attempts::default();
        while let Err(fault) = self.client.take_from_queue(&entry, event).await {
            self.client.pause(attempts.after(fault)?).await;
        }
        Ok(())
    }

    /// Creates the sink from its settings. Nothing is read or connected before the first mail needs it.
    pub fn open(settings: Settings, aws: &Aws, store: &S3) -> Self {
        let token = SecretSource::at(settings.token, aws);
        let client = Client::new(settings.url.expose(), settings.ca, token).with_plugin(settings.plugin);
        let unmatched = settings.unmatched.map(|place| Unmatched { store: store.clone(), place });
        let memory = settings.state.map(|place| Memory { store: store.clone(), place });
        Self { aliases: settings.aliases, memory, ..Self::new(client, settings.providers).with_unmatched(unmatched) }
    }

    /// Returns a NetBox that takes notices; `providers` as in [`NetBox::providers`].
    pub fn new(client: Client, providers: BTreeMap<String, String>) -> Self {
        let instance = format!("{:016x}", fastrand::u64(..));
        Self { client, providers, aliases: None, unmatched: None, memory: None, instance }
    }

    /// Sets the place of mails that NetBox does not take.
    #[must_use]
    pub fn with_unmatched(mut self, unmatched: Option<Unmatched<S3>>) -> Self {
        self.unmatched = unmatched;
        self
    }

    /// Returns the claim of this delivery, which lasts until this invocation is over and everything that it has sent has been answered.
    fn claimant(&self, mail: &NewNotification, source: String) -> Claimant {
        let left = self.client.left().min(LONGEST_INVOCATION) + AFTERMATH;
        let until = SystemTime::now() + left;
        let until = Timestamp::try_from(until).unwrap_or(Timestamp::MAX).round(Unit::Second).unwrap_or(Timestamp::MAX);
        Claimant { mail: mail.mark.mail.clone(), claim: Claim { by: self.instance.clone(), until }, source }
    }

    /// Brings every maintenance of a notice into NetBox.
    async fn maintenances(
        &self,
        notice: &Notice,
        all: &[Announcement],
        claimant: &Claimant,
    ) -> Result<Progress, SinkError> {
        let mut progress = Progress::default();
        for announcement in all {
            match self.maintenance(notice, announcement, claimant).await {
                Ok((provider, settled)) => {
                    let target = |event: &StoredEvent| Target {
                        provider,
                        event: event.clone(),
                        is_new: settled.made.contains(&event.id),
                        elsewhere: settled.elsewhere.clone(),
                    };
                    progress.targets.extend(settled.events.iter().map(target));
                    progress.concerns.extend(settled.concerns);
                    progress.remarks.extend(settled.remarks);
                    let id = fields::line(&announcement.id);
                    progress.conflicts.extend(settled.conflicts.iter().map(|conflict| format!("`{id}`: {conflict}")));
                }
                Err(Fault::Refused(reason)) => progress.concerns.push(reason),
                Err(other) => return Err(other.into()),
            }
        }
        Ok(progress)
    }

    async fn maintenance(
        &self,
        notice: &Notice,
        announcement: &Announcement,
        claimant: &Claimant,
    ) -> Result<(ProviderId, Settled), Fault> {
        let mut attempts = Attempts::default();
        let names = self.names(notice, announcement);
        let (provider, circuits) = loop {
            match provider_and_circuits(&self.client, &names, self.aliases.as_deref(), announcement).await {
                Ok(known) => break known,
                Err(fault) => self.client.pause(attempts.after(fault)?).await,
            }
        };
        let input = PlanInput { announcement, provider: &provider, circuits: &circuits, claimant };
        Ok((provider.id, Box::pin(converge_and_remember(&self.client, self.memory.as_ref(), &input)).await?))
    }

    /// Returns the names by which NetBox may know the provider: the configured one, else our slug, then its name. A calendar of somebody
    /// unknown has a name only.
    fn names(&self, notice: &Notice, announcement: &Announcement) -> Vec<String> {
        let provider = notice.recognised.provider;
        let announced = notice.maintenances.iter().find(|maintenance| maintenance.id() == announcement.id);
        let announced = announced.and_then(|maintenance| maintenance.announced_provider());
        let is_generic = provider.slug == genericprovider::PROVIDER.slug;
        // A known carrier's calendar speaks for no other known provider.
        let announced = announced
            .filter(|name| is_generic || providers::named(name).is_none_or(|named| named.slug == provider.slug));
        let mut keys = (!is_generic).then_some(provider.slug).into_iter().chain(announced);
        if let Some(mapped) = keys.find_map(|key| self.providers.get(key)) {
            return vec![mapped.clone()];
        }
        let known = [provider.slug, provider.name].into_iter().filter(|_| !is_generic);
        known.chain(announced.filter(|_| is_generic)).map(str::to_owned).collect()
    }
}
