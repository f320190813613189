//! Names and ARNs of the stack's resources in AWS. The names of entries' resources come from here only.
//!
//! A bucket, cluster or network declared as `existing` has the declared name; those of existing secrets come from [`Names::secret`].
//! Otherwise a resource with the stack's tag and an entry's tag is that entry's resource, whatever its name. For an entry without such a
//! resource, and for resources of the stack itself, the name is derived from stack, stage, entry, account and region.

mod context;

use std::collections::BTreeMap;

use aws::Realm;
use contract::{context::Place, partition::Partition};
use declaration::{Declaration, SecretReference, SecretSource};
use engine::{Disorder, Stack};
use kinds::{Id, Kind, Survey, Tagged, s3::bucket};

use crate::moves::moves;

/// The names and ARNs of a stack's resources: of existing ones, of those that were found by their tags, and of those that `up` creates.
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
    /// Account and region of the stack.
    realm: Realm,
    /// Names of resources that were found by their tags, by kind and entry.
    found: BTreeMap<(Kind, String), String>,
    /// New entry of each renamed entry, by kind and old entry.
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
        let clusters = declaration
            .clusters
            .iter()
            .filter_map(|(entry, cluster)| Some((entry.clone(), cluster.existing()?.to_owned())));
        let networks = declaration
            .networks
            .iter()
            .filter_map(|(entry, network)| Some((entry.clone(), network.existing()?.to_owned())));
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

    /// Returns the names according to AWS's index of tags, which may be seconds behind. If several resources have the
    /// tags of one entry, the one tagged with its present name is taken, then the one that is named as derived from the entry in its tags.
    /// [`Names::as_surveyed`] returns an error for such resources instead.
    #[must_use]
    pub fn as_listed(&self, tagged: &Tagged) -> Self {
        let mut names = Self { found: BTreeMap::new(), moved_from: BTreeMap::new(), ..self.clone() };
        let mut ranks: BTreeMap<(Kind, String), (bool, bool)> = BTreeMap::new();
        for (kind, entry, name) in tagged.entries() {
            let current = self.current_entry(kind, entry);
            let rank = (current == entry, name == self.derived(kind, entry));
            if ranks.get(&(kind, current.clone())).is_none_or(|best| rank > *best) {
                ranks.insert((kind, current), rank);
                names.record(kind, entry, name);
            }
        }
        names
    }

    /// Returns the names according to the tags of the live resources.
    ///
    /// # Errors
    ///
    /// If two resources have the tags of one entry, or if one has those of an entry and another one those that the entry had before it was
    /// renamed.
    pub fn as_surveyed(&self, survey: &Survey) -> Result<Self, Disorder> {
        let surveyed = survey.names_by_entry()?;
        let mut names = self.clone();
        // A kind that could not be listed keeps the names that were known before.
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

    /// Returns these names with the resource of this name recorded as the entry's.
    #[must_use]
    pub fn with_found(&self, id: &Id, name: &str) -> Self {
        let mut names = self.clone();
        names.record(id.kind, &id.entry, name);
        names
    }

    /// Records the name of a resource under the entry in its tags. Implied entries always have the derived name, and are not recorded.
    fn record(&mut self, kind: Kind, entry: &str, name: &str) {
        if is_implied(entry) {
            return;
        }
        let key = (kind, self.current_entry(kind, entry));
        if key.1 == entry {
            self.moved_from.remove(&key);
        } else {
            self.moved_from.insert(key.clone(), entry.to_owned());
        }
        self.found.insert(key, name.to_owned());
    }

    /// Returns the new entry of a renamed one, and any other entry as it is.
    fn current_entry(&self, kind: Kind, entry: &str) -> String {
        self.moves.get(&(kind, entry.to_owned())).map_or(entry, String::as_str).to_owned()
    }

    /// Returns the names of a kind's resources that were found by their tags, whether or not their entries are declared.
    pub(crate) fn found(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.found.iter().filter(move |((found, _), _)| *found == kind).map(|(_, name)| name.as_str())
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

    /// Returns the name of an entry's resource of a kind. The "name" of an existing cluster is its ARN, that of an existing network its id,
    /// and that of a found resource with an id that AWS chose, such as a subnet, this id.
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

    /// Returns the label of an entry's resource in names of parts of other resources that exist because of it, such as the permission by which
    /// a topic invokes a function. It follows from the resource's name in AWS, so that the part keeps its name when the entry is renamed: it is
    /// the name after the stack's prefix or, for any other name, an underscore, with which no entry begins, and the name.
    pub fn label(&self, kind: Kind, entry: &str) -> String {
        let name = self.name(kind, entry);
        match name.strip_prefix(&format!("{}-", self.stack.prefix())) {
            Some(part) => part.to_owned(),
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

    /// Returns the ARN of an entry's resource of a kind. For clusters of Kafka, see [`Names::cluster_arn`].
    pub fn arn(&self, kind: Kind, entry: &str) -> String {
        self.arn_of(kind, &self.name(kind, entry))
    }

    /// Returns the ARN of a resource of a kind by its name in AWS.
    pub fn arn_of(&self, kind: Kind, name: &str) -> String {
        kind.identity().arn_of(&self.realm, &self.stack, name)
    }

    /// Returns the ARN of a cluster of Kafka. For one of the stack's own it is a pattern, since the ARN ends with an id that AWS chooses.
    pub fn cluster_arn(&self, entry: &str) -> String {
        let own = || format!("{}/*", self.arn(Kind::Cluster, entry));
        self.existing_clusters.get(entry).cloned().unwrap_or_else(own)
    }

    /// Returns the ARN of a topic of Kafka, which contains the name and the id of its cluster; a pattern if that of the cluster is one.
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

    /// Returns a place for each prefix of the declared places, with the name of its bucket in AWS instead of the entry.
    pub fn places(&self, declared: &[declaration::Place]) -> Vec<Place> {
        let by_prefix = |place: &declaration::Place| {
            let bucket = self.name(Kind::Bucket, &place.bucket);
            place.prefixes().map(|prefix| Place { bucket: bucket.clone(), prefix: prefix.clone() }).collect::<Vec<_>>()
        };
        declared.iter().flat_map(by_prefix).collect()
    }
}

/// Returns `true` for an entry that no declaration names: it is the stack's own, such as the bucket for artefacts, or another entry implies it,
/// such as the permissions of a function. Such an entry contains a dot, as no declared entry does, and its resource has the derived name.
pub fn is_implied(entry: &str) -> bool {
    entry.contains('.')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::{ENTRY_TAG, STACK_TAG};
    use kinds::tagged::Listed;

    use super::*;

    #[test]
    fn every_section_of_entries_is_that_of_one_kind() {
        let sections: Vec<&str> = Kind::ALL.iter().filter_map(|kind| kind.identity().section).collect();
        for section in declaration::sections() {
            assert_eq!(sections.iter().filter(|of_kind| **of_kind == section).count(), 1, "{section}");
        }
        // Rules and filters are lists.
        let others = sections.into_iter().filter(|section| !declaration::sections().contains(section));
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

    /// The index may still have a resource that the entry had before it was renamed.
    #[test]
    fn a_resource_with_the_tags_of_the_new_entry_is_not_moved() {
        let source = b"stack: shop\nregion: eu-west-1\nqueues: {orders: {}}\nmoved: {queue/old: queue/orders}\n";
        let checked = Declaration::parse(Path::new("infra.yaml"), source, None).unwrap();
        let names = Names::new(&checked.declarations[0], "123456789012");
        let listed = |resources: &[(&str, &str)]| {
            let tags = |entry: &str| {
                [(STACK_TAG, names.stack().id()), (ENTRY_TAG, entry.to_owned())]
                    .map(|(key, value)| (key.to_owned(), value))
            };
            let index = resources.iter().map(|(name, entry)| {
                (format!("arn:aws:sqs:eu-west-1:123456789012:{name}"), tags(entry).into_iter().collect())
            });
            let listed = Listed { index: Ok(index.collect()), roles: Ok(Vec::new()) };
            names.as_listed(&Tagged::new(listed, names.realm(), names.stack()))
        };
        let id = Id::new(Kind::Queue, "orders");
        for (resources, name, moved_from) in [
            (&[("by-hand", "old")][..], "by-hand", Some("old")),
            (&[("shop-orders", "orders")], "shop-orders", None),
            (&[("by-hand", "old"), ("shop-orders", "orders")], "shop-orders", None),
            (&[("by-hand", "orders"), ("shop-old", "old")], "by-hand", None),
            (&[("a-hand", "orders"), ("shop-orders", "orders")], "shop-orders", None),
            (&[("shop-orders", "orders"), ("z-hand", "orders")], "shop-orders", None),
            (&[("a-hand", "old"), ("shop-old", "old")], "shop-old", Some("old")),
        ] {
            let listed = listed(resources);
            let told = (listed.name(Kind::Queue, "orders"), listed.moved_from(&id));
            assert_eq!(told, (name.to_owned(), moved_from), "{resources:?}");
        }
        let adopted = listed(&[("by-hand", "old")]).with_found(&id, "other");
        assert_eq!((adopted.name(Kind::Queue, "orders").as_str(), adopted.moved_from(&id)), ("other", None));
    }
}
