//! Servers, which EC2 calls instances: one for each entry.
//!
//! A server is one instance and no scaling group: it keeps its address and its disk for data, it says itself why it does not start, and
//! the group's own tags, template and launches would be three more things to compare. What a group of one does for a machine that fails,
//! EC2 does for an instance, too: it is recovered on other hardware, with its id, its address and its disks.

mod beside;
mod parts;
mod wire;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub use wire::{DEVICE, PREPARES, prepared};
pub use worker::{MOST_USER_DATA, WORKER, Worker, user_data};

use serde::Serialize;

use crate::{
    Condition, Input, Kind, Manage, Session,
    ec2::{self, SERVER, find_now, make, read as read_member, with_id, with_ids, without_id, write, write_tags},
    identity::{Identity, Output},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{
    ArnForm,
    query::{Call, Element},
};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Life, Live, Owned, Slow, Tags, depends, immutable, plain, stays,
};

/// The kind of servers, which EC2 calls instances.
#[derive(Debug)]
pub struct Server;

/// The managed settings of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Image that it is made from: its id, or the public parameter that names the newest one. It counts only when the server is made.
    #[serde(skip)]
    pub image: Input<String>,
    /// Its own disk, in GiB. It counts only when the server is made.
    #[serde(skip)]
    pub disk: Input<u32>,
    /// Script of its first start.
    #[serde(skip)]
    pub first_start: Input<String>,
    /// Entries that the script of its first start prepares, as [`prepared`] reads it: another text that prepares the same is for servers
    /// to come.
    pub prepares: BTreeMap<String, String>,
    /// The worker that it runs, as it is told in its user data; empty for none. What stands for hosts of databases and caches is in its
    /// context, as in that of a function.
    pub worker: Worker,
    /// Processor, as images tell it: `x86_64` or `arm64`.
    pub architecture: String,
    /// Type of the machine, as `t3.micro`.
    pub machine: String,
    /// Id of its subnet, or what stands for it.
    pub subnet: String,
    /// Ids of its security groups, or what stands for them.
    pub security_groups: BTreeSet<String>,
    /// Name of the key pair whose holders may sign in; `None` for none.
    pub key: Option<String>,
    /// Name of its instance profile; `None` if it has none.
    pub profile: Option<String>,
    /// `true` if whoever reads its metadata needs a token (`IMDSv2`): a page that it is made to fetch has none.
    pub needs_token: bool,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Id of its disk for data, or what stands for it; `None` if it has none.
    pub volume: Option<String>,
    /// Id of its public address, or what stands for it; `None` if it has none of its own.
    pub address: Option<String>,
    /// `true` if it runs.
    pub is_running: bool,
    /// State in AWS's word.
    #[serde(skip)]
    pub state: Input<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
    /// Parts that others added.
    #[serde(flatten)]
    pub children: Children,
}

impl Settings {
    /// Takes over the code of the worker that runs, where both have one and none was built.
    pub fn take_live_code(&mut self, live: &Self) {
        for name in ["code_sha256", "key"] {
            if let (Some(declared), Some(live)) = (self.worker.get_mut(name), live.worker.get(name)) {
                declared.clone_from(live);
            }
        }
    }
}

/// A machine runs within a minute, as its guide says.
const MAKING: Slow = Slow { seconds: 120, why: "EC2 starts the machine" };
const ENDING: Slow = Slow { seconds: 180, why: "EC2 stops the machine" };
const CHANGING: Slow = Slow { seconds: 240, why: "EC2 stops the machine and starts it as another type" };
const ROLLING: Slow = Slow { seconds: 240, why: "EC2 stops the machine and starts it with the worker as declared" };

/// The identity of this kind. The name in its ARN is its id.
pub const IDENTITY: Identity = Identity {
    section: Some("servers"),
    arn: Some(ArnForm("ec2:{region}:{account}:instance/{name}")),
    output: Output::Name,
    ..Identity::implied("server", "Servers", 255)
};

fn at_work(name: &str, state: &str) -> Failure {
    Failure::found("ec2.DescribeInstances", Class::InProgress, format!("the server `{name}` is {state}"))
}

/// Makes a change of one attribute: EC2 takes one in a call.
async fn modify(session: &Session, id: &str, attribute: &str, value: &str) -> Result<(), Failure> {
    let call = Call::new("ModifyInstanceAttribute").with("InstanceId", id).with(&format!("{attribute}.Value"), value);
    write(session, Kind::Server, call).await
}

impl Manage for Server {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        immutable("prepares.*", "a server runs the script of its first start once"),
        plain("worker.*"),
        immutable("architecture", "what is on its own disk is for one processor"),
        plain("machine"),
        immutable("subnet", "EC2 cannot move a server to another subnet"),
        plain("security_groups"),
        immutable("key", "EC2 gives a server its key when it makes it"),
        plain("profile"),
        plain("needs_token"),
        plain("deletion_protection").with_life(Life::Keeps),
        plain("volume"),
        plain("address"),
        plain("is_running"),
        plain("tags.*"),
        depends("interfaces.*", "an interface of the server"),
        stays("disks.*", "a disk of the server"),
    ];

    /// Its own disk goes when it is replaced. Who removes a server, or ends the stack, has said that it goes.
    const HOLDS: Holds = Holds::Passing;

    const REFERS_TO: &'static [Kind] = &[
        Kind::Subnet,
        Kind::SecurityGroup,
        Kind::InstanceProfile,
        Kind::Volume,
        Kind::Address,
        Kind::InternetGateway,
        Kind::RouteTable,
        Kind::NatGateway,
        Kind::Endpoint,
        Kind::Bucket,
        Kind::LogGroup,
        Kind::Queue,
        Kind::Cluster,
        Kind::Database,
        Kind::Cache,
    ];

    const RIGHTS: &'static [Right] = &[
        reads(
            Target::Everything,
            &[
                "ec2:DescribeAddresses",
                "ec2:DescribeIamInstanceProfileAssociations",
                "ec2:DescribeInstanceAttribute",
                "ec2:DescribeInstanceTypeOfferings",
                "ec2:DescribeInstances",
            ],
        ),
        writes(
            Target::Own(Kind::Server),
            &[
                "ec2:AssociateAddress",
                "ec2:AssociateIamInstanceProfile",
                "ec2:AttachVolume",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:DetachVolume",
                "ec2:DisassociateAddress",
                "ec2:DisassociateIamInstanceProfile",
                "ec2:ModifyInstanceAttribute",
                "ec2:ModifyInstanceMetadataOptions",
                "ec2:ReplaceIamInstanceProfileAssociation",
                "ec2:RunInstances",
                "ec2:StartInstances",
                "ec2:StopInstances",
            ],
        ),
        writes(Target::Own(Kind::Volume), &["ec2:AttachVolume", "ec2:DetachVolume"]),
        writes(Target::Own(Kind::Address), &["ec2:AssociateAddress", "ec2:DisassociateAddress"]),
        writes(Target::Own(Kind::Subnet), &["ec2:RunInstances"]),
        writes(Target::Own(Kind::SecurityGroup), &["ec2:ModifyInstanceAttribute", "ec2:RunInstances"]),
        writes(Target::Launch, &["ec2:RunInstances"]),
        writes(Target::ExistingGroups, &["ec2:ModifyInstanceAttribute"]),
        writes(Target::ExistingAddresses, &["ec2:AssociateAddress", "ec2:DisassociateAddress"]),
        writes(Target::Artifacts, &["s3:PutObject"]),
        writes(Target::Images, &["ssm:GetParameters"]),
        deletes(Target::Own(Kind::Server), &["ec2:ModifyInstanceAttribute", "ec2:TerminateInstances"]),
    ];

    const INTERRUPTION: Option<Duration> = Some(Duration::from_mins(3));

    const ENDS_IN: Option<Slow> = Some(ENDING);

    fn stands_for_id() -> Option<String> {
        Some(ec2::stands_for_id(Kind::Server))
    }

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        match live {
            Some(live) if live.machine != desired.machine => Some(CHANGING),
            Some(live) if live.worker != desired.worker => Some(ROLLING),
            Some(live) if live.is_running => None,
            _ => Some(MAKING),
        }
    }

    fn condition(live: &Settings) -> Condition {
        match live.state.as_str() {
            "running" => Condition::Well,
            "stopped" => Condition::Failed("somebody stopped it".to_owned()),
            state => Condition::Pending(format!("it is {state}")),
        }
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text, texts};
        Settings {
            image: Input(text()),
            disk: Input(8),
            first_start: Input(text()),
            prepares: crate::registered::map(),
            worker: crate::registered::map(),
            architecture: text(),
            machine: text(),
            subnet: text(),
            security_groups: texts(),
            key: Some(text()),
            profile: Some(text()),
            needs_token: true,
            deletion_protection: true,
            volume: Some(text()),
            address: Some(text()),
            is_running: true,
            state: Input(text()),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some((member, owner)) = read_member(session, SERVER, address).await? else { return Ok(None) };
        let id = member.text(SERVER.id);
        let attribute = |name: &'static str| async move {
            let call = Call::new("DescribeInstanceAttribute").with("InstanceId", id).with("Attribute", name);
            session.aws.read.ec2.call(&call).await
        };
        let addresses = async {
            let call = Call::new("DescribeAddresses").filter("instance-id", [id]);
            session.aws.read.ec2.pages(call, "addressesSet").await
        };
        let (script, protection, addresses) =
            tokio::try_join!(attribute("userData"), attribute("disableApiTermination"), addresses)?;
        let mut settings = wire::settings(&member);
        let user_data = wire::decoded(script.text("userData/value"));
        settings.prepares = wire::prepared_by_decoded(user_data.as_deref());
        settings.worker = worker::without_places(session, worker::told(user_data.as_deref())).await?;
        settings.deletion_protection = protection.is("disableApiTermination/value");
        let public = addresses.iter().find(|one| one.text("instanceId") == id);
        settings.address = public.map(|one| one.text("allocationId").to_owned());
        if let Some(address) = &mut settings.address {
            *address = without_id(session, address).await?;
        }
        settings.children = beside::children(session, &member).await?;
        settings.volume = own_volume(session, &member).await?;
        settings.subnet = without_id(session, &settings.subnet).await?;
        settings.security_groups = ec2::without_ids(session, &settings.security_groups).await?;
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        // Two at once would do the work of one twice.
        if not_gone(session, &address.name).await?.is_some_and(|member| state(&member) == "shutting-down") {
            return Err(at_work(&address.name, "shutting down, and goes before another one comes"));
        }
        let subnet = with_id(session, &desired.subnet).await?;
        let groups = with_ids(session, &desired.security_groups).await?;
        let call = wire::run(desired, &worker::ready(session, desired).await?, &subnet, &groups);
        let place = "instancesSet/item/instanceId";
        make(session, SERVER, address, call, (place, &desired.tags)).await.map_err(wire::not_yet_known)?;
        // What is given to a machine that runs is given by the next attempt.
        Err(at_work(&address.name, "pending"))
    }

    /// Changes what differs. What takes the machine's rest comes first.
    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let gone = || SERVER.gone(&address.name);
        let member = find_now(session, SERVER, &address.name).await?.ok_or_else(gone)?;
        let (id, state) = (member.text(SERVER.id), state(&member));
        if !["running", "stopped"].contains(&state) {
            return Err(at_work(&address.name, state));
        }
        let is_other = (desired.machine != live.machine, desired.worker != live.worker);
        if is_other != (false, false) && state == "running" {
            if is_other.0 {
                offered(session, &member, &desired.machine).await?;
            }
            if is_other.1 {
                // Whatever may be missing is told while the machine runs.
                worker::ready(session, desired).await?;
            }
            write(session, Kind::Server, Call::new("StopInstances").with("InstanceId.1", id)).await?;
            return Err(at_work(&address.name, "stopping"));
        }
        if state == "stopped" {
            if is_other.1 {
                worker::change(session, id, desired).await?;
            }
            start(session, id, (&live.machine, &desired.machine)).await?;
            return Err(at_work(&address.name, "pending"));
        }
        parts::change(session, &member, desired, live).await?;
        write_tags(session, Kind::Server, id, &desired.tags, &live.tags).await?;
        beside::ensure_not_opened(&member, desired, live)
    }

    /// Deletes a server, and succeeds when it is gone: its disk, its address and its groups stay as long as it is there.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(member) = not_gone(session, &address.name).await? else { return Ok(()) };
        let id = member.text(SERVER.id).to_owned();
        if state(&member) != "shutting-down" {
            // Whoever deletes a protected one has named it.
            modify(session, &id, "DisableApiTermination", "false").await?;
            let call = Call::new("TerminateInstances").with("InstanceId.1", &id);
            ec2::delete(session, SERVER, address, call).await?;
        }
        match not_gone(session, &id).await? {
            Some(_) => Err(at_work(&address.name, "shutting down")),
            None => Ok(()),
        }
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        ec2::list_owned(session, SERVER).await
    }
}

/// Returns one of the stack's that is not gone yet, one that is on its way out, too.
async fn not_gone(session: &Session, name: &str) -> Result<Option<Element>, Failure> {
    if let Some(found) = find_now(session, SERVER, name).await? {
        return Ok(Some(found));
    }
    let call = Call::new(SERVER.describe)
        .filter(&format!("tag:{}", engine::STACK_TAG), [session.stack.id()])
        .filter("instance-state-name", ["shutting-down"]);
    let reservations = session.aws.read.ec2.pages(call, SERVER.list).await?;
    ec2::find_among(session, SERVER, &SERVER.members(reservations), name)
}

/// Returns the state of a server in AWS's word.
fn state(member: &Element) -> &str {
    member.text("instanceState/name")
}

/// Returns what stands for the stack's disk for data that a server has, under whatever name it is attached; `None` if it has none. A disk of
/// somebody else stays where it is.
async fn own_volume(session: &Session, member: &Element) -> Result<Option<String>, Failure> {
    let mut found = None;
    for (device, id) in wire::disks(member) {
        let text = without_id(session, id).await?;
        if text != id && (found.is_none() || device == DEVICE) {
            found = Some(text);
        }
    }
    Ok(found)
}

/// Fails if the zone of a server does not offer a type: it would be stopped for nothing.
async fn offered(session: &Session, member: &Element, machine: &str) -> Result<(), Failure> {
    let zone = member.text("placement/availabilityZone");
    let call = Call::new("DescribeInstanceTypeOfferings")
        .with("LocationType", "availability-zone")
        .filter("location", [zone])
        .filter("instance-type", [machine]);
    if session.aws.read.ec2.pages(call, "instanceTypeOfferingSet").await?.is_empty() {
        let words = format!("EC2 has no `{machine}` in {zone}; choose another type, or another zone");
        return Err(Failure::found("ec2.DescribeInstanceTypeOfferings", Class::Invalid, words));
    }
    Ok(())
}

/// Starts a server that is stopped, as another type where that differs. What EC2 refuses for good leaves the server running as it was.
async fn start(session: &Session, id: &str, (live, desired): (&str, &str)) -> Result<(), Failure> {
    let start = || write(session, Kind::Server, Call::new("StartInstances").with("InstanceId.1", id));
    if live == desired {
        return start().await;
    }
    let changed = match modify(session, id, "InstanceType", desired).await {
        Ok(()) => start().await,
        failed => failed,
    };
    let Err(failure) = changed else { return Ok(()) };
    if wire::may_pass(&failure) {
        return Err(failure);
    }
    modify(session, id, "InstanceType", live).await?;
    start().await?;
    let message = format!("{}; the server runs as `{live}` again", failure.message);
    Err(Failure { class: Class::Other, message, ..failure })
}
