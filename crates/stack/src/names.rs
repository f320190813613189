//! Names of the stack's resources in AWS: the one place that knows names and ARNs of what is declared.
//!
//! A resource with the tags of the stack and of an entry is that entry's resource, whatever its name; where nothing has them, the name is
//! derived from stack, stage, entry, account and region.

mod context;

use std::collections::BTreeMap;

use aws::Realm;
use contract::{context::Place, partition::Partition};
use declaration::{Declaration, SecretReference, SecretSource};
use engine::{Disorder, Stack};
use kinds::{Id, Kind, Survey, Tagged, s3::bucket};

use crate::moves::moves;

/// Names and ARNs: those that were found by tags, and derived ones.
#[derive(Debug, Clone)]
pub struct Names {
    /// The stack, in its stage and region.
    stack: Stack,
    /// Names of existing buckets, by entry.
    existing_buckets: BTreeMap<String, String>,
    /// ARNs of existing clusters of Kafka, by entry.
    existing_clusters: BTreeMap<String, String>,
    /// Ids of existing networks, by entry.
    existing_networks: BTreeMap<String, String>,
    realm: Realm,
    /// Names of resources that were found by their tags.
    found: BTreeMap<(Kind, String), String>,
    /// New entry of each renamed one, by kind and old entry.
    moves: BTreeMap<(Kind, String), String>,
    /// Old entry that the tags of a live resource still name, by kind and new entry.
    moved_from: BTreeMap<(Kind, String), String>,
}

impl Names {
    /// Returns the names of a stack in an account.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use declaration::Declaration;
    /// use kinds::Kind;
    /// use stack::Names;
    ///
    /// let source = "stack: shop\nregion: eu-west-1\nqueues: {orders: {}}\nstages: {test: {}, live: {}}\n";
    /// let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), Some("test")).unwrap();
    /// let names = Names::new(&checked.declarations[0], "123456789012");
    /// assert_eq!(names.name(Kind::Queue, "orders"), "shop-test-orders");
    /// assert_eq!(names.arn(Kind::Queue, "orders"), "arn:aws:sqs:eu-west-1:123456789012:shop-test-orders");
    /// ```
    pub fn new(declaration: &Declaration, account: &str) -> Self {
        let stack = Self::stack_of(declaration);
        let existing =
            declaration.buckets.iter().filter_map(|(entry, bucket)| Some((entry, bucket.existing.as_ref()?)));
        let clusters =
            declaration.clusters.iter().filter_map(|(entry, one)| Some((entry.clone(), one.existing()?.to_owned())));
        let networks =
            declaration.networks.iter().filter_map(|(entry, one)| Some((entry.clone(), one.existing()?.to_owned())));
        Self {
            stack,
            existing_clusters: clusters.collect(),
            existing_networks: networks.collect(),
            existing_buckets: existing.map(|(entry, name)| (entry.clone(), name.clone())).collect(),
            realm: Realm { region: declaration.region.clone(), account: account.to_owned() },
            found: BTreeMap::new(),
            moves: moves(declaration),
            moved_from: BTreeMap::new(),
        }
    }

    /// Returns the names with those that AWS's index of tags gives, which may be seconds behind. Of two resources of one entry the one with
    /// the derived name counts here; [`Names::as_surveyed`] makes them an error.
    #[must_use]
    pub fn as_listed(&self, tagged: &Tagged) -> Self {
        let mut names = Self { found: BTreeMap::new(), moved_from: BTreeMap::new(), ..self.clone() };
        for (kind, entry, name) in tagged.entries() {
            let to = self.moves.get(&(kind, entry.to_owned())).map_or(entry, String::as_str);
            let derived = self.derived(kind, entry);
            if !names.found.contains_key(&(kind, to.to_owned())) || name == derived {
                names.record(kind, entry, name);
            }
        }
        names
    }

    /// Returns the names that the tags of the live resources give. Two resources of one entry are an error.
    pub fn as_surveyed(&self, survey: &Survey) -> Result<Self, Disorder> {
        let surveyed = survey.names_by_entry()?;
        let mut names = self.clone();
        // Of a kind that could not be listed, the names are those that were known before.
        names.found.retain(|(kind, _), _| !surveyed.contains_key(kind));
        names.moved_from.retain(|(kind, _), _| !surveyed.contains_key(kind));
        for (kind, by_entry) in surveyed {
            for (entry, name) in &by_entry {
                let to = self.moves.get(&(kind, entry.clone()));
                if let Some((to, other)) = to.and_then(|to| Some((to, by_entry.get(to)?))) {
                    let ids = [entry, to].map(|entry| Id::new(kind, entry).to_string());
                    return Err(Disorder::Moved { ids, names: [name.clone(), other.clone()] });
                }
                names.record(kind, entry, name);
            }
        }
        Ok(names)
    }

    /// Returns the names as if a resource had the tags of an entry.
    #[must_use]
    pub fn with(&self, id: &Id, name: &str) -> Self {
        let mut names = self.clone();
        names.record(id.kind, &id.entry, name);
        names
    }

    /// Records the name of a resource under the entry in its tags.
    fn record(&mut self, kind: Kind, entry: &str, name: &str) {
        // No entry of a declaration has a dot: this is one of the stack's own things, which are found by their names.
        if is_of_the_stack_itself(entry) {
            return;
        }
        let now = self.moves.get(&(kind, entry.to_owned())).cloned();
        let key = (kind, now.clone().unwrap_or_else(|| entry.to_owned()));
        if now.is_some() {
            self.moved_from.insert(key.clone(), entry.to_owned());
        }
        self.found.insert(key, name.to_owned());
    }

    /// Returns the old entry of a renamed one, if the tags of the live resource still name it.
    pub fn moved_from(&self, id: &Id) -> Option<&str> {
        self.moved_from.get(&(id.kind, id.entry.clone())).map(String::as_str)
    }

    /// Returns `true` if a resource with the tags of the entry was found.
    pub fn is_found(&self, id: &Id) -> bool {
        self.found.contains_key(&(id.kind, id.entry.clone()))
    }

    /// Returns the stack of a declaration, in its stage and region.
    pub fn stack_of(declaration: &Declaration) -> Stack {
        let Declaration { stack, stage, region, .. } = declaration;
        Stack { name: stack.clone(), stage: stage.clone(), region: region.clone() }
    }

    /// Returns the stack, in its stage and region.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Returns the region and the account of the stack.
    pub fn realm(&self) -> &Realm {
        &self.realm
    }

    /// Returns the account, as 12 digits.
    pub fn account(&self) -> &str {
        &self.realm.account
    }

    /// Returns the name of an entry's resource of a kind; that of a cluster that exists is its ARN, that of a network its id.
    pub fn name(&self, kind: Kind, entry: &str) -> String {
        let existing = match kind {
            Kind::Bucket => self.existing_buckets.get(entry),
            Kind::Cluster => self.existing_clusters.get(entry),
            Kind::Network => self.existing_networks.get(entry),
            _ => None,
        };
        match existing {
            Some(existing) => existing.clone(),
            None => self.found.get(&(kind, entry.to_owned())).cloned().unwrap_or_else(|| self.derived(kind, entry)),
        }
    }

    /// Returns the name of a part of another resource that exists for an entry's resource, such as a statement or a permission. It is made
    /// of the resource's name in AWS, so that it stays when the entry is renamed; where the stack has named the resource, that is the entry.
    pub fn part(&self, kind: Kind, entry: &str) -> String {
        let name = self.name(kind, entry);
        match name.strip_prefix(&format!("{}-", self.stack.prefix())) {
            Some(part) => part.to_owned(),
            // No entry has an underscore.
            None => format!("_{name}"),
        }
    }

    /// Returns the new entry of each renamed resource, by kind and old entry.
    pub fn moves(&self) -> &BTreeMap<(Kind, String), String> {
        &self.moves
    }

    /// Returns the name that `up` gives to a new resource of an entry.
    pub fn derived(&self, kind: Kind, entry: &str) -> String {
        kind.identity().name_of(&self.stack, self.account(), entry)
    }

    /// Returns the ARN of an entry's resource of a kind.
    pub fn arn(&self, kind: Kind, entry: &str) -> String {
        self.arn_of(kind, &self.name(kind, entry))
    }

    /// Returns the ARN of a resource of a kind by its name in AWS.
    pub fn arn_of(&self, kind: Kind, name: &str) -> String {
        kind.identity().arn_of(&self.realm, &self.stack, name)
    }

    /// Returns the ARN of a cluster of Kafka; of the stack's own it is a pattern, since AWS chooses the id behind the name.
    pub fn cluster_arn(&self, entry: &str) -> String {
        let own = || format!("{}/*", self.arn(Kind::Cluster, entry));
        self.existing_clusters.get(entry).cloned().unwrap_or_else(own)
    }

    /// Returns the ARN of a topic of Kafka: it has the name and the id of its cluster.
    pub fn kafka_topic_arn(&self, cluster: &str, topic: &str) -> String {
        format!("{}/{topic}", self.cluster_arn(cluster).replacen(":cluster/", ":topic/", 1))
    }

    /// Returns the ARN of a receipt rule in a set.
    pub fn rule_arn(&self, set: &str, entry: &str) -> String {
        self.rule_arn_of(set, &self.name(Kind::ReceiptRule, entry))
    }

    /// Returns the ARN of a receipt rule in a set by its name in AWS, or by a pattern of names.
    pub fn rule_arn_of(&self, set: &str, name: &str) -> String {
        let form = Kind::ReceiptRule.identity().arn;
        form.map(|form| self.realm.arn_within(form, &self.stack.id(), set, name).into()).unwrap_or_default()
    }

    /// Returns the name of the bucket for artefacts.
    pub fn artifacts(&self) -> String {
        bucket::artifacts_name(&self.stack, self.account())
    }

    /// Returns a secret's name in Secrets Manager.
    pub fn secret(&self, declaration: &Declaration, reference: &SecretReference) -> String {
        match reference {
            SecretReference::Existing(name) => name.clone(),
            SecretReference::Declared(entry) => match declaration.secrets.get(entry).map(|secret| &secret.source) {
                Some(SecretSource::Existing(name)) => name.clone(),
                _ => self.name(Kind::Secret, entry),
            },
        }
    }

    /// Returns the URL of a queue by its name in AWS.
    pub fn queue_url(&self, name: &str) -> String {
        let host = Partition::endpoint("sqs", &self.realm.region);
        format!("https://{host}/{}/{name}", self.realm.account)
    }

    /// Returns places with the names of their buckets in AWS.
    pub fn places(&self, declared: &[declaration::Place]) -> Vec<Place> {
        let places = |place: &declaration::Place| {
            let bucket = self.name(Kind::Bucket, &place.bucket);
            place.prefixes().map(|prefix| Place { bucket: bucket.clone(), prefix: prefix.clone() }).collect::<Vec<_>>()
        };
        declared.iter().flat_map(places).collect()
    }
}

/// Returns `true` for the entries of resources that the stack has for itself and nobody declares, such as the bucket for artefacts. They
/// always have their derived names.
pub fn is_of_the_stack_itself(entry: &str) -> bool {
    entry.contains('.')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_section_of_entries_is_that_of_one_kind() {
        let of_kinds: Vec<&str> = Kind::ALL.iter().filter_map(|kind| kind.identity().section).collect();
        for section in declaration::sections() {
            assert_eq!(of_kinds.iter().filter(|of_kind| **of_kind == section).count(), 1, "{section}");
        }
        // Rules are a list, since their order counts.
        let others = of_kinds.into_iter().filter(|section| !declaration::sections().contains(section));
        assert_eq!(others.collect::<Vec<_>>(), ["receipt_rules", "receipt_filters"]);
    }

    #[test]
    fn names_and_arns_are_those_of_the_region() {
        let source = b"stack: circuits\nregion: cn-north-1\nqueues: {failed: {}}\n";
        let checked = Declaration::parse(Path::new("infra.yaml"), source, None).unwrap();
        let names = Names::new(&checked.declarations[0], "123456789012");
        assert_eq!(names.arn(Kind::Queue, "failed"), "arn:aws-cn:sqs:cn-north-1:123456789012:circuits-failed");
        assert_eq!(
            names.arn(Kind::LogGroup, "reader"),
            "arn:aws-cn:logs:cn-north-1:123456789012:log-group:/aws/lambda/circuits-reader"
        );
        let rule = names.rule_arn("office", "all");
        assert_eq!(rule, "arn:aws-cn:ses:cn-north-1:123456789012:receipt-rule-set/office:receipt-rule/circuits.all");
    }
}
