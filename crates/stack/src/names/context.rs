//! The context of a function: the names of what it may use. It follows from the receipt rules, APIs and topics too, and not from the
//! function's own entry alone.

use std::collections::BTreeMap;

use contract::{
    context::{Cache, Context, Created, Database, MailPlace, Produced},
    webhook::Route,
};
use declaration::{Action, Declaration, KafkaTopic, SecretReference};
use kinds::{
    Kind, elasticache, kafka,
    rds::{self, instance::MYSQL_PORT},
};

use super::Names;

impl Names {
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
            creates: self.created(declaration, entry),
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

    /// Returns the topics of Kafka that a function makes, with what stands for their brokers.
    fn created(&self, declaration: &Declaration, entry: &str) -> BTreeMap<String, Created> {
        let created = |(key, place): (String, Produced)| {
            let (cluster, topic) = key.split_once('/')?;
            let KafkaTopic { partitions, replication } = *declaration.clusters.get(cluster)?.topics.get(topic)?;
            Some((key, Created { place, partitions, replication }))
        };
        self.topics_of_kafka(declaration, entry, "creates").into_iter().filter_map(created).collect()
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use kinds::Id;

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
            let names = names.with_found(&Id::new(Kind::Queue, "jobs"), "work");
            let sends = names.function_context(declaration, "receiver").sends;
            assert_eq!(sends["jobs"], format!("https://{host}/123456789012/work"));
        }
    }
}
