//! Names of the stack's resources in AWS: the one place that knows names and ARNs of what is declared.
//!
//! What has the tags of the stack and of an entry is that entry's resource, whatever its name; where nothing has them, the name is
//! derived from stack, stage, entry, account and region.
//!
//! Functions' contexts are derived here too, since they follow from the receipt rules and not from the function's own entry.

use std::collections::BTreeMap;

use aws::Realm;
use contract::{
    context::{Cache, Context, Database, MailPlace, Place, Produced},
    partition::Partition,
    webhook::Route,
};
use declaration::{Action, Declaration, SecretReference, SecretSource};
use engine::{Disorder, Stack};
use kinds::{
    Id, Kind, Survey, Tagged, elasticache, kafka,
    rds::{self, instance::MYSQL_PORT},
    s3::bucket,
};

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
    /// Entries that are for resources of other entries before, by kind and the entry of before.
    moves: BTreeMap<(Kind, String), String>,
    /// Entries whose tags the resources found still have, by kind and the entry of now.
    moved_from: BTreeMap<(Kind, String), String>,
}

impl Names {
    /// Returns the names of a stack in an account.
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

    /// Returns the names with those that AWS's index of tags gives, which may be a little behind. Of two for one entry, the derived
    /// one counts: what is right is told by [`Names::as_surveyed`].
    #[must_use]
    pub fn as_listed(&self, tagged: &Tagged) -> Self {
        let mut names = Self { found: BTreeMap::new(), moved_from: BTreeMap::new(), ..self.clone() };
        for (kind, entry, name) in tagged.entries() {
            let to = self.moves.get(&(kind, entry.to_owned())).map_or(entry, String::as_str);
            let derived = self.derived(kind, entry);
            if !names.found.contains_key(&(kind, to.to_owned())) || name == derived {
                names.note(kind, entry, name);
            }
        }
        names
    }

    /// Returns the names as the tags of the live resources are. Two resources of one entry are an error.
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
                names.note(kind, entry, name);
            }
        }
        Ok(names)
    }

    /// Returns the names as if a resource had the tags of an entry.
    #[must_use]
    pub fn with(&self, id: &Id, name: &str) -> Self {
        let mut names = self.clone();
        names.note(id.kind, &id.entry, name);
        names
    }

    /// Notes the name of a resource by the entry in its tags.
    fn note(&mut self, kind: Kind, entry: &str, name: &str) {
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

    /// Returns the entry that an entry's resource was for before, if it still has its tag.
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

    /// Returns what names something that is for an entry's resource in another one: a statement, a permission. It follows from the
    /// resource's name in AWS, so that it stays when the entry is renamed: the entry's own name for what the stack has named.
    pub fn part(&self, kind: Kind, entry: &str) -> String {
        let name = self.name(kind, entry);
        match name.strip_prefix(&format!("{}-", self.stack.prefix())) {
            Some(part) => part.to_owned(),
            // No entry has an underscore.
            None => format!("_{name}"),
        }
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

    /// Returns the context that a function finds in its environment.
    pub fn function_context(&self, declaration: &Declaration, entry: &str) -> Context {
        let declared = declaration.functions.get(entry).into_iter().flat_map(|function| &function.secrets);
        let secrets = declared.map(|(variable, secret)| (variable.clone(), self.secret(declaration, secret))).collect();
        Context {
            stack: self.stack.name.clone(),
            stage: declaration.stage.clone(),
            function: entry.to_owned(),
            mail: self.mail_places(declaration, entry),
            secrets,
            writes: declaration.functions.get(entry).map(|function| self.places(&function.writes)).unwrap_or_default(),
            sends: self.queue_urls(declaration, entry),
            routes: routes(declaration, entry),
            tables: self.tables(declaration, entry),
            produces: self.topics_of_kafka(declaration, entry, "produces"),
            creates: self.topics_of_kafka(declaration, entry, "creates"),
            follows: self.topics_of_kafka(declaration, entry, "follows"),
            databases: self.databases(declaration, entry),
            caches: self.caches(declaration, entry),
        }
    }

    /// Returns the names of the tables that a function may query, by entry.
    fn tables(&self, declaration: &Declaration, entry: &str) -> BTreeMap<String, String> {
        let tables = declaration.functions.get(entry).into_iter().flat_map(|function| &function.queries);
        tables.map(|table| (table.clone(), self.name(Kind::Table, table))).collect()
    }

    /// Returns the topics of Kafka of a key of a function, with what stands for their brokers.
    fn topics_of_kafka(&self, declaration: &Declaration, entry: &str, key: &str) -> BTreeMap<String, Produced> {
        let topics = declaration.functions.get(entry).into_iter().flat_map(declaration::Function::topics_of_kafka);
        let topics = topics.filter(|(of, _)| *of == key).map(|(_, topic)| topic);
        let produced = |key: &String| {
            let (cluster, topic) = key.split_once('/')?;
            let bootstrap = kafka::brokers_of(&self.name(Kind::Cluster, cluster));
            Some((key.clone(), Produced { bootstrap, topic: topic.to_owned() }))
        };
        topics.filter_map(produced).collect()
    }

    /// Returns the databases that a function may sign in to, by entry, with what stands for their hosts and secrets.
    fn databases(&self, declaration: &Declaration, entry: &str) -> BTreeMap<String, Database> {
        let databases = declaration.functions.get(entry).into_iter().flat_map(|function| &function.databases);
        let database = |entry: &String| {
            let declared = declaration.databases.get(entry)?;
            let name = self.name(Kind::Database, entry);
            let database = Database {
                host: rds::host_of(&name),
                port: MYSQL_PORT,
                name: declared.name.clone(),
                user: declared.user.clone(),
                secret: rds::secret_of(&name),
            };
            Some((entry.clone(), database))
        };
        databases.filter_map(database).collect()
    }

    /// Returns the caches that a function may sign in to, by entry, with what stands for their hosts.
    fn caches(&self, declaration: &Declaration, entry: &str) -> BTreeMap<String, Cache> {
        let caches = declaration.functions.get(entry).into_iter().flat_map(|function| &function.caches);
        let cache = |entry: &String| {
            let declared = declaration.caches.get(entry)?;
            let secret = self.secret(declaration, &SecretReference::Declared(declared.auth.clone()));
            let host = elasticache::host_of(&self.name(Kind::Cache, entry));
            Some((entry.clone(), Cache { host, port: declared.port, tls: true, secret: Some(secret) }))
        };
        caches.filter_map(cache).collect()
    }

    /// Returns the URLs of the queues that a function may send to, by entry.
    fn queue_urls(&self, declaration: &Declaration, entry: &str) -> BTreeMap<String, String> {
        let queues = declaration.functions.get(entry).into_iter().flat_map(|function| &function.sends);
        queues.map(|queue| (queue.clone(), self.queue_url(&self.name(Kind::Queue, queue)))).collect()
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

    /// Returns the places where the rules that invoke a function store the mail before they do, as far as the function may
    /// read them.
    fn mail_places(&self, declaration: &Declaration, entry: &str) -> Vec<MailPlace> {
        let reads = declaration.functions.get(entry).map_or(&[][..], |function| &function.reads);
        let may_read = |bucket: &str, prefix: &str| {
            reads.iter().any(|place| place.bucket == bucket && prefix.starts_with(&place.prefix))
        };
        let mut places = Vec::new();
        for rule in &declaration.receipt_rules {
            let invokes = |action: &Action| matches!(action, Action::Invoke { function, .. } if function == entry);
            let Some(last) = rule.actions.iter().rposition(invokes) else { continue };
            let mut added_headers: Vec<String> = Vec::new();
            for action in rule.actions.iter().take(last) {
                match action {
                    Action::AddHeader { name, .. } => added_headers.push(name.clone()),
                    Action::Store { bucket, prefix, .. } if may_read(bucket, prefix) => {
                        self.add_place(&mut places, bucket, prefix, &added_headers);
                    }
                    _ => {}
                }
            }
        }
        self.add_former(&mut places, reads);
        places
    }

    /// Adds the places where mails were stored earlier, behind those where they are now, with the same headers.
    fn add_former(&self, places: &mut Vec<MailPlace>, reads: &[declaration::Place]) {
        for read in reads {
            let bucket = self.name(Kind::Bucket, &read.bucket);
            let is_now = |place: &&MailPlace| place.bucket == bucket && place.prefix.starts_with(&read.prefix);
            let Some(now) = places.iter().find(is_now) else { continue };
            let headers = now.added_headers.clone();
            for former in &read.formerly {
                self.add_place(places, &read.bucket, former, &headers);
            }
        }
    }

    /// Adds a place by the name of its bucket in AWS; of a place that is listed already, only the headers are added.
    fn add_place(&self, places: &mut Vec<MailPlace>, bucket: &str, prefix: &str, added_headers: &[String]) {
        let bucket = self.name(Kind::Bucket, bucket);
        let known = places.iter_mut().find(|place| place.bucket == bucket && place.prefix == prefix);
        let Some(place) = known else {
            places.push(MailPlace { bucket, prefix: prefix.to_owned(), added_headers: added_headers.to_vec() });
            return;
        };
        let new: Vec<_> = added_headers.iter().filter(|name| !place.added_headers.contains(name)).cloned().collect();
        place.added_headers.extend(new);
    }
}

/// Returns the routes that invoke a function, each once: those of several APIs are the same then.
fn routes(declaration: &Declaration, entry: &str) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let declared = declaration.apis.values().flat_map(|api| &api.routes);
    for route in declared.filter(|route| route.invoke == entry) {
        let route = Route {
            route: route.route.as_str().to_owned(),
            authentication: route.authentication.clone(),
            sources: route.sources.clone(),
        };
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    routes
}

/// Returns `true` for the entries of what the stack has for itself, such as the bucket for artefacts: it always has its derived name.
pub fn is_of_the_stack_itself(entry: &str) -> bool {
    entry.contains('.')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Returns the places of mails in the context of a function of this declaration.
    fn told(function: &str) -> Vec<String> {
        const SOURCE: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}, audit: {}, archive: {existing: example-archive}}
functions:
  reader: {crate: maintenance, bin: reader, reads: [{bucket: mail, prefix: inbound/}, archive]}
  counter: {crate: maintenance, bin: counter}
receipt_rules:
  - name: all
    actions:
      - {store: audit}
      - {store: mail, prefix: inbound/}
      - {store: mail, prefix: other/}
      - {store: archive}
      - {invoke: reader}
      - {invoke: counter}
stages: {prod: {}}
";
        let checked = Declaration::parse(Path::new("infra.yaml"), SOURCE.as_bytes(), Some("prod")).unwrap();
        let declaration = &checked.declarations[0];
        let context = Names::new(declaration, "123456789012").function_context(declaration, function);
        context.mail.into_iter().map(|place| format!("{}/{}", place.bucket, place.prefix)).collect()
    }

    #[test]
    fn a_function_is_told_of_those_mails_alone_that_it_may_read() {
        assert_eq!(told("reader"), ["circuits-prod-mail-123456789012-eu-west-1/inbound/", "example-archive/"]);
        assert_eq!(told("counter"), Vec::<String>::new());
    }

    #[test]
    fn a_function_is_told_of_earlier_places_behind_those_of_now() {
        let source = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}}
functions: {reader: {crate: maintenance, bin: reader, reads: [{bucket: mail, prefix: in/, formerly: [inbound/, mails/]}]}}
receipt_rules: [{name: all, actions: [{store: mail, prefix: in/}, {invoke: reader}]}]
";
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let declaration = &checked.declarations[0];
        let context = Names::new(declaration, "123456789012").function_context(declaration, "reader");
        let prefixes: Vec<&str> = context.mail.iter().map(|place| place.prefix.as_str()).collect();
        assert_eq!(prefixes, ["in/", "inbound/", "mails/"]);
    }

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
    fn a_function_is_told_of_its_queues_and_routes() {
        for (region, host) in
            [("eu-west-1", "sqs.eu-west-1.amazonaws.com"), ("cn-north-1", "sqs.cn-north-1.amazonaws.com.cn")]
        {
            let source = format!(
                "\
stack: egress
region: {region}
queues: {{jobs: {{redrive: {{queue: dead}}}}, dead: {{}}}}
functions:
  receiver: {{crate: receiver, sends: [jobs], secrets: {{KEY: a/key}}}}
  other: {{crate: other, secrets: {{KEY: a/key}}}}
apis:
  one: {{routes: [{{route: 'POST /in/{{token}}', invoke: receiver, authentication: {{scheme: path, secret: KEY}}}},
    {{route: POST /b, invoke: other, authentication: {{scheme: github, secret: KEY}}}}]}}
  two: {{stage: v2, routes: [{{route: 'POST /in/{{token}}', invoke: receiver, authentication: {{scheme: path, secret: KEY}}}},
    {{route: PUT /c, invoke: receiver, authentication: {{scheme: bearer, secret: KEY}}, sources: [203.0.113.0/24]}}]}}
"
            );
            let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
            let declaration = &checked.declarations[0];
            let names = Names::new(declaration, "123456789012");
            let context = names.function_context(declaration, "receiver");
            let queue = format!("https://{host}/123456789012/egress-jobs");
            assert_eq!(context.sends, BTreeMap::from([("jobs".to_owned(), queue)]));
            let routes: Vec<_> =
                context.routes.iter().map(|route| (route.route.as_str(), route.sources.len())).collect();
            assert_eq!(routes, [("POST /in/{token}", 0), ("PUT /c", 1)]);
            let other = names.function_context(declaration, "other");
            assert_eq!((other.sends.len(), other.routes.len()), (0, 1));
            // A queue that keeps the name of an earlier entry is sent to by that name.
            let names = names.with(&Id::new(Kind::Queue, "jobs"), "work");
            let sends = names.function_context(declaration, "receiver").sends;
            assert_eq!(sends["jobs"], format!("https://{host}/123456789012/work"));
        }
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
