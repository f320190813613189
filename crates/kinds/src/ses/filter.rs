//! Receipt IP address filters: SES asks them before any rule, for all mail of an account in a region, whosever rules it is for. A mail
//! from a blocked address is refused in the SMTP dialogue, and no rule sees it. Where two contradict each other, the one that allows counts.
//!
//! SES cannot change a filter. So a changed one is made under a passing name first, and nothing is let in or refused in between that was
//! not before or will not be afterwards; what an interruption leaves of that name is found as the stack's own, and deleted.

use std::net::IpAddr;

use aws_sdk_ses::types::{ReceiptFilter, ReceiptFilterPolicy, ReceiptIpFilter};
use ipnet::IpNet;
use serde::Serialize;

use super::{action::unbuilt, is_own_filter, snapshot};
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Naming},
    rights::{Right, Target, deletes, reads, writes},
};
use aws::OrFail;
use engine::{Address, Failure, Field, Holds, Live, Owned, Owner, Stack, plain};

/// Receipt IP address filters, named `STACK_STAGE_ENTRY`: SES takes no dot in their names.
#[derive(Debug)]
pub struct Filter;

/// The managed settings of a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Treatment of mail from these addresses.
    pub policy: Policy,
    /// Addresses in [`range`]'s form.
    pub cidr: String,
}

/// The treatment of mail by the address that it comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// SES refuses mail from there.
    #[default]
    Block,
    /// Takes it, even if another filter blocks it.
    Allow,
    /// A treatment that SES has introduced since.
    Unknown,
}

/// Returns addresses in their normal form, `192.0.2.0/24`: SES takes a single address too, and one with the bits of a host. A text that
/// is neither stays as it is.
///
/// ```
/// use kinds::ses::filter::range;
///
/// assert_eq!(range("192.0.2.7/24"), "192.0.2.0/24");
/// assert_eq!(range("192.0.2.7"), "192.0.2.7/32");
/// assert_eq!(range("everybody"), "everybody");
/// ```
pub fn range(text: &str) -> String {
    let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map_or_else(|_| text.to_owned(), |net| net.trunc().to_string())
}

impl Settings {
    fn from_aws(filter: &ReceiptFilter) -> Self {
        let Some(it) = &filter.ip_filter else { return Self::default() };
        let policy = match it.policy {
            ReceiptFilterPolicy::Block => Policy::Block,
            ReceiptFilterPolicy::Allow => Policy::Allow,
            _ => Policy::Unknown,
        };
        Self { policy, cidr: range(&it.cidr) }
    }

    fn to_aws(&self, name: &str) -> Result<ReceiptFilter, Failure> {
        let policy = match self.policy {
            Policy::Block => ReceiptFilterPolicy::Block,
            Policy::Allow => ReceiptFilterPolicy::Allow,
            Policy::Unknown => return Err(unbuilt("this version does not know the policy of the filter")),
        };
        let filter = ReceiptIpFilter::builder().policy(policy).cidr(&self.cidr).build().map_err(unbuilt)?;
        ReceiptFilter::builder().name(name).ip_filter(filter).build().map_err(unbuilt)
    }
}

/// Reads all filters of the account in the region.
pub(super) async fn all(session: &Session) -> Result<Vec<ReceiptFilter>, Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.read.ses.list_receipt_filters().send().await.or_fail("ses.ListReceiptFilters")?;
    Ok(answer.filters.unwrap_or_default())
}

async fn create(session: &Session, name: &str, desired: &Settings) -> Result<(), Failure> {
    let filter = desired.to_aws(name)?;
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.write.ses.create_receipt_filter().filter(filter).send().await;
    session.receipt.forget().await;
    answer.or_fail("ses.CreateReceiptFilter").map(drop)
}

async fn delete(session: &Session, name: &str) -> Result<(), Failure> {
    session.aws.receipt_rules.pass().await;
    let answer = session.aws.write.ses.delete_receipt_filter().filter_name(name).send().await;
    session.receipt.forget().await;
    answer.or_absent("ses.DeleteReceiptFilter").map(drop)
}

/// Returns the name under which a filter is while the one of its own name is replaced: one of the same stack, and of no entry.
fn passing(stack: &Stack, name: &str) -> String {
    let entry = IDENTITY.entry_of(stack, name).unwrap_or(name);
    IDENTITY.name_of(stack, "", &format!("{entry}--new"))
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("receipt_filters"),
    naming: Naming::Joined('_'),
    ..Identity::implied("receipt filter", "ReceiptFilters", 64)
};

impl Manage for Filter {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("policy"), plain("cidr")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ses:ListReceipt*"]),
        writes(Target::Everything, &["ses:CreateReceiptFilter"]),
        deletes(Target::Everything, &["ses:DeleteReceiptFilter"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        Settings { policy: Policy::Allow, cidr: "192.0.2.0/24".to_owned() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let snapshot = snapshot(session).await?;
        let filters = snapshot.filters.as_ref().map_err(Clone::clone)?;
        let owner = if is_own_filter(&session.stack, &address.name) {
            Owner::Ours
        } else {
            Owner::Other("a filter of this stack has a name that begins with the stack's".to_owned())
        };
        let filter = filters.iter().find(|filter| filter.name == address.name);
        Ok(filter.map(|filter| Live { settings: Settings::from_aws(filter), owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        create(session, &address.name, desired).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, _: &Settings) -> Result<(), Failure> {
        let (name, passing) = (&address.name, passing(&session.stack, &address.name));
        // One of an earlier run may be there, for other addresses.
        delete(session, &passing).await?;
        create(session, &passing, desired).await?;
        delete(session, name).await?;
        create(session, name, desired).await?;
        delete(session, &passing).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        delete(session, &address.name).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let snapshot = snapshot(session).await?;
        let filters = snapshot.filters.as_ref().map_err(Clone::clone)?;
        let owned = filters.iter().filter_map(|filter| {
            let entry = IDENTITY.entry_of(&session.stack, &filter.name)?;
            Some(Owned::new(entry, Address::of(&filter.name)))
        });
        Ok(owned.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passing_name_is_of_the_same_stack_and_of_no_entry() {
        for (name, stage) in [
            ("mail", None),
            ("mail", Some("prod")),
            ("a-name-of-thirty-two-characters", Some("a-stage-of-a-long-name")),
        ] {
            let stack =
                Stack { name: name.to_owned(), stage: stage.map(str::to_owned), region: "eu-west-1".to_owned() };
            for entry in ["x", "office", "an-entry-of-thirty-two-characters"] {
                let name = IDENTITY.name_of(&stack, "123456789012", entry);
                let passing = passing(&stack, &name);
                assert!(passing.len() <= 64 && passing != name, "{passing}");
                let of = IDENTITY.entry_of(&stack, &passing).unwrap_or_else(|| panic!("{passing}"));
                // No entry of a declaration has two hyphens in a row.
                assert!(of.contains("--"), "{of}");
                assert!(passing.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{passing}");
            }
        }
    }
}
