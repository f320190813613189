//! AWS's index of tags: what has the stack's tag, under whatever name.
//!
//! Most services list their resources without tags, and by the beginning of a name at most. One call to the index
//! (`GetResources`, filtered by the stack's tag) gives those whose names begin otherwise, with their tags. It lags behind by seconds,
//! so it says where to look and no more: whose a resource is, and for which entry, is read from the resource itself. Roles are not in
//! it; they are found by the stack's path.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::TagFilter;

use crate::{Kind, iam::role, own_tags};
use aws::{Clients, OrFail, Realm};
use engine::{Address, ENTRY_TAG, Failure, STACK_TAG, Stack, Tags};

/// The right to read the index, which has no resources.
pub const RIGHT: &str = "tag:GetResources";
/// Maximum number of resources in a page of the index.
const PAGE: i32 = 100;

/// The answers about what has the stack's tag.
#[derive(Debug)]
pub struct Listed {
    /// The index: ARNs with their tags.
    pub index: Result<Vec<(String, Tags)>, Failure>,
    /// Names of the roles in the stack's path.
    pub roles: Result<Vec<String>, Failure>,
}

/// Resources with the stack's tag, as the index had them when the stack was opened.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// Tags by kind and name; the failure, if the index could not be read.
    found: Result<BTreeMap<(Kind, String), Tags>, Failure>,
    /// Names of the roles in the stack's path, whose entries only their own tags tell.
    roles: Vec<String>,
}

/// Reads what is there, under whatever name.
pub async fn list(clients: &Clients, stack: &Stack) -> Listed {
    let (index, roles) = tokio::join!(index(clients, stack), role::in_path(clients, stack));
    Listed { index, roles }
}

/// Returns the ARNs with the stack's tag from the index of Resource Groups, each with its tags.
pub async fn index(clients: &Clients, stack: &Stack) -> Result<Vec<(String, Tags)>, Failure> {
    let filter = TagFilter::builder().key(STACK_TAG).values(stack.id()).build();
    let call = clients.tagging.get_resources().tag_filters(filter).resources_per_page(PAGE);
    let mut pages = call.into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let resources = page.or_fail("tagging.GetResources")?.resource_tag_mapping_list.unwrap_or_default();
        listed.extend(resources.into_iter().filter_map(|one| {
            let tags = one.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
            Some((one.resource_arn?, own_tags(tags)))
        }));
    }
    Ok(listed)
}

impl Tagged {
    /// Returns the resources of an answer that are of our kinds.
    pub fn new(listed: Listed, realm: &Realm, stack: &Stack) -> Self {
        let is_ours = |(_, tags): &(String, Tags)| tags.get(STACK_TAG) == Some(&stack.id());
        let known = |(arn, tags): (String, Tags)| {
            let named = |kind: &Kind| Some((*kind, kind.identity().name_in(realm, stack, &arn)?));
            Some((Kind::ALL.iter().find_map(named)?, tags))
        };
        let found = listed.index.map(|index| index.into_iter().filter(is_ours).filter_map(known).collect());
        // If they cannot be listed now, they cannot be when the account is compared, which tells it.
        Self { found, roles: listed.roles.unwrap_or_default() }
    }

    /// Returns the addresses of the roles in the stack's path: read at once, they cost no further round trip if one has a name of its own.
    pub fn roles(&self) -> impl Iterator<Item = (Kind, Address)> {
        self.roles.iter().map(|name| (Kind::Role, Address::of(name)))
    }

    /// Returns why the index could not be read; `None` if it was.
    pub fn failure(&self) -> Option<&Failure> {
        self.found.as_ref().err()
    }

    /// Returns the names of a kind that lists by the beginning of the stack's names leave out.
    pub(crate) fn named_otherwise(&self, kind: Kind, stack: &Stack) -> Result<Vec<String>, Failure> {
        let found = self.found.as_ref().map_err(Clone::clone)?;
        let of_kind = found.keys().filter(|(of, name)| *of == kind && !kind.identity().is_given_by(stack, name));
        Ok(of_kind.map(|(_, name)| name.clone()).collect())
    }

    /// Returns the names of a kind's resources.
    pub(crate) fn named(&self, kind: Kind) -> Result<Vec<String>, Failure> {
        let found = self.found.as_ref().map_err(Clone::clone)?;
        Ok(found.keys().filter(|(of, _)| *of == kind).map(|(_, name)| name.clone()).collect())
    }

    /// Returns the tags that the index has of a resource.
    pub(crate) fn tags(&self, kind: Kind, name: &str) -> Option<&Tags> {
        self.found.as_ref().ok()?.get(&(kind, name.to_owned()))
    }

    /// Returns the entry of each resource that has one: kind, entry, name.
    pub fn entries(&self) -> impl Iterator<Item = (Kind, &str, &str)> {
        let found = self.found.iter().flatten();
        found.filter_map(|((kind, name), tags)| Some((*kind, tags.get(ENTRY_TAG)?.as_str(), name.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_index_is_known_by_its_arn() {
        let realm = Realm { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() };
        let stack = Stack { name: "mail".to_owned(), stage: None, region: realm.region.clone() };
        let regional = |rest: &str| format!("arn:aws:{rest}");
        for (arn, expected) in [
            ("s3:::old-mails", Some((Kind::Bucket, "old-mails"))),
            ("sqs:eu-west-1:123456789012:old", Some((Kind::Queue, "old"))),
            ("lambda:eu-west-1:123456789012:function:old", Some((Kind::Function, "old"))),
            ("logs:eu-west-1:123456789012:log-group:/aws/old", Some((Kind::LogGroup, "/aws/old"))),
            ("logs:eu-west-1:123456789012:log-group:/aws/old:*", Some((Kind::LogGroup, "/aws/old"))),
            ("sns:eu-west-1:123456789012:old", Some((Kind::Topic, "old"))),
            ("secretsmanager:eu-west-1:123456789012:secret:old/token-Ab1-9z", Some((Kind::Secret, "old/token"))),
            ("cloudwatch:eu-west-1:123456789012:alarm:old alarm", Some((Kind::Alarm, "old alarm"))),
            ("sqs:eu-central-1:123456789012:old", None),
            ("sqs:eu-west-1:210987654321:old", None),
            ("dynamodb:eu-west-1:123456789012:table/old", Some((Kind::Table, "old"))),
            (
                "kafka:eu-west-1:123456789012:cluster/old/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f-7",
                Some((Kind::Cluster, "old")),
            ),
            ("ses:eu-west-1:123456789012:configuration-set/old", Some((Kind::ConfigurationSet, "old"))),
            ("ses:eu-west-1:123456789012:identity/example.com", None),
        ] {
            let tags = [(STACK_TAG, stack.id()), (ENTRY_TAG, "entry".to_owned())];
            let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let tagged =
                Tagged::new(Listed { index: Ok(vec![(regional(arn), tags)]), roles: Ok(Vec::new()) }, &realm, &stack);
            let expected: Vec<_> = expected.into_iter().map(|(kind, name)| (kind, "entry", name)).collect();
            assert_eq!(tagged.entries().collect::<Vec<_>>(), expected, "{arn}");
        }
    }
}
