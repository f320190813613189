//! The context of a function: what it learns of its stack. `provision` writes it from the declaration; the function reads it at
//! its start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::webhook::Route;

/// The environment variable that holds a [`Context`] as JSON.
pub const VARIABLE: &str = "PROVISION_CONTEXT";

/// The facts that a function learns of its stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Name of the stack.
    pub stack: String,
    /// Stage; `None` if the declaration has no stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Entry name of the function itself.
    pub function: String,
    /// Places where the receipt rules that invoke this function store the mail before they do, each once. SES does not say which
    /// rule it was, so a mail is looked up in this order.
    #[serde(default, with = "groups")]
    pub mail: Vec<MailPlace>,
    /// Environment variable → name in Secrets Manager, for secrets that the function reads by itself.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Places where the function may write, each once. The last folder of the prefix tells the purpose: see [`UNMATCHED`],
    /// [`CALENDAR`] and [`STATE`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Place>,
    /// Queues that the function may send to: entry name → URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sends: BTreeMap<String, String>,
    /// Routes of APIs that invoke the function, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Tables that the function may query: entry name → name in AWS.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
    /// Topics of Kafka that the function may write to: `CLUSTER/TOPIC` as it is declared → where it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub produces: BTreeMap<String, Produced>,
    /// Topics of Kafka that the function makes where AWS makes none: `CLUSTER/TOPIC` as it is declared → how.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub creates: BTreeMap<String, Created>,
    /// Topics of Kafka that the function reads for whoever may invoke it, as in `produces`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub follows: BTreeMap<String, Produced>,
    /// Databases that the function may sign in to: entry name → where it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub databases: BTreeMap<String, Database>,
    /// Caches that the function may sign in to: entry name → where it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub caches: BTreeMap<String, Cache>,
}

/// A database that takes connections over TLS alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Name of its host, which stays the same when the machine behind it changes.
    pub host: String,
    /// TCP port of the database.
    pub port: u16,
    /// Name of the schema in it.
    pub name: String,
    /// Name of the user.
    pub user: String,
    /// ARN of the secret with its password, a JSON document with `username` and `password`. AWS changes the password every seven
    /// days, so that whoever is refused reads it again.
    pub secret: String,
}

/// A cache that speaks the protocol of Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// Name of the host that takes writes, which stays the same when another node does.
    pub host: String,
    /// TCP port of the cache.
    pub port: u16,
    /// `true` if connections use TLS.
    pub tls: bool,
    /// Name in Secrets Manager of the secret with its password; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A topic of Kafka that a function uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Produced {
    /// Brokers that take IAM: `host:port` with commas between, in their order by name, since AWS gives them in a changing order.
    pub bootstrap: String,
    /// Name of the topic in Kafka.
    pub topic: String,
}

/// A topic of Kafka that a function makes, and no larger than it says: whoever may ask for it decides nothing of that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Created {
    /// Topic and its cluster.
    #[serde(flatten)]
    pub place: Produced,
    /// Number of partitions of the topic.
    pub partitions: u32,
    /// Number of brokers that have each partition.
    pub replication: u32,
}

/// Folder of mails that are kept for a person.
pub const UNMATCHED: &str = "unmatched";
/// Folder of the calendar that people subscribe to.
pub const CALENDAR: &str = "calendar";

/// Folder of what a function has to remember.
pub const STATE: &str = "state";

impl Context {
    /// Returns every mention of a topic of Kafka, by `CLUSTER/TOPIC`.
    pub fn topics_of_kafka_mut(&mut self) -> impl Iterator<Item = (&String, &mut Produced)> {
        let created = self.creates.iter_mut().map(|(key, created)| (key, &mut created.place));
        self.produces.iter_mut().chain(created).chain(&mut self.follows)
    }

    /// Returns the place of what the function has to remember; `None` if the function may not write there.
    pub fn state(&self) -> Option<&Place> {
        self.place_for(STATE)
    }

    /// Returns the place of mails that are kept for a person; `None` if the function may not write there.
    pub fn unmatched(&self) -> Option<&Place> {
        self.place_for(UNMATCHED)
    }

    /// Returns the place of the calendar; `None` if the function may not write there.
    pub fn calendar(&self) -> Option<&Place> {
        self.place_for(CALENDAR)
    }

    /// Returns whether mails that are kept for a person belong below that prefix.
    pub fn is_unmatched(prefix: &str) -> bool {
        has_last_folder(prefix, UNMATCHED)
    }

    fn place_for(&self, folder: &str) -> Option<&Place> {
        self.writes.iter().find(|place| has_last_folder(&place.prefix, folder))
    }
}

fn has_last_folder(prefix: &str, folder: &str) -> bool {
    prefix.trim_end_matches('/').rsplit('/').next() == Some(folder)
}

/// A bucket and the prefix of the mails in it; the key is prefix + SES message id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailPlace {
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Prefix of the keys: empty, or ends with `/`.
    pub prefix: String,
    /// Names of the headers that a receipt rule adds to mails before it stores them here: they precede SES's own headers.
    pub added_headers: Vec<String>,
}

/// The form of places of mails: those of one bucket and with the same headers are one group, since Lambda takes 4 KB of environment
/// and a rule set may have 200 rules.
mod groups {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::MailPlace;

    /// Character between two prefixes; no prefix has it.
    const BETWEEN: char = '|';

    /// Places in one bucket.
    #[derive(Serialize, Deserialize)]
    struct Group {
        bucket: String,
        /// Prefix of all of them: the whole of it, or the folder that they share.
        prefix: String,
        /// Rests of their prefixes, if there are several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        below: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        added_headers: Vec<String>,
    }

    pub(super) fn serialize<S: Serializer>(places: &[MailPlace], serializer: S) -> Result<S::Ok, S::Error> {
        let mut groups: Vec<Vec<&MailPlace>> = Vec::new();
        for place in places {
            let key = (&place.bucket, &place.added_headers);
            let known =
                groups.iter_mut().find(|group| group.iter().any(|one| (&one.bucket, &one.added_headers) == key));
            match known {
                Some(group) => group.push(place),
                None => groups.push(vec![place]),
            }
        }
        serializer.collect_seq(groups.iter().filter_map(|group| grouped(group)))
    }

    fn grouped(places: &[&MailPlace]) -> Option<Group> {
        let (first, others) = places.split_first()?;
        let mut prefix = first.prefix.as_str();
        let mut below = None;
        if !others.is_empty() {
            for place in places {
                while !place.prefix.starts_with(prefix) || !(prefix.is_empty() || prefix.ends_with('/')) {
                    let shorter = prefix.char_indices().next_back().map_or(0, |(end, _)| end);
                    prefix = prefix.get(..shorter).unwrap_or_default();
                }
            }
            let rests: Vec<&str> = places.iter().filter_map(|place| place.prefix.strip_prefix(prefix)).collect();
            below = Some(rests.join(&BETWEEN.to_string()));
        }
        let (bucket, added_headers) = (first.bucket.clone(), first.added_headers.clone());
        Some(Group { bucket, prefix: prefix.to_owned(), below, added_headers })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<MailPlace>, D::Error> {
        let mut places = Vec::new();
        for Group { bucket, prefix, below, added_headers } in Vec::<Group>::deserialize(deserializer)? {
            for rest in below.as_deref().unwrap_or_default().split(BETWEEN) {
                let prefix = format!("{prefix}{rest}");
                places.push(MailPlace { bucket: bucket.clone(), prefix, added_headers: added_headers.clone() });
            }
        }
        Ok(places)
    }
}

/// A bucket and a prefix in it below which a function may write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Prefix of the keys; ends with `/`.
    pub prefix: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_mails_are_written_once_a_bucket_and_read_as_they_were() {
        let place = |bucket: &str, prefix: &str, header: &str| MailPlace {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            added_headers: Some(header.to_owned()).into_iter().filter(|header| !header.is_empty()).collect(),
        };
        for (mail, json) in [
            (vec![], "[]"),
            (vec![place("a", "in/", "")], r#"[{"bucket":"a","prefix":"in/"}]"#),
            (vec![place("a", "", ""), place("a", "in/", "")], r#"[{"bucket":"a","prefix":"","below":"|in/"}]"#),
            (vec![place("a", "in/", ""), place("a", "in/b/", "")], r#"[{"bucket":"a","prefix":"in/","below":"|b/"}]"#),
            (
                vec![place("a", "in-1/", ""), place("a", "in-2/", "")],
                r#"[{"bucket":"a","prefix":"","below":"in-1/|in-2/"}]"#,
            ),
            (
                vec![place("a", "in/b/", "X"), place("a", "in/bc/", "X"), place("b", "c/", "")],
                r#"[{"bucket":"a","prefix":"in/","below":"b/|bc/","added_headers":["X"]},{"bucket":"b","prefix":"c/"}]"#,
            ),
        ] {
            let context = Context { mail: mail.clone(), ..Context::default() };
            let text = serde_json::to_string(&context).unwrap();
            assert!(text.contains(&format!(r#""mail":{json},"#)), "{text}");
            assert_eq!(serde_json::from_str::<Context>(&text).unwrap().mail, mail);
        }
    }

    #[test]
    fn tables_and_topics_are_left_out_where_there_are_none() {
        let empty = serde_json::to_string(&Context::default()).unwrap();
        assert!(!empty.contains("tables") && !empty.contains("produces"), "{empty}");
        let json = r#"{"stack":"s","function":"f","tables":{"mails":"s-mails"},
            "produces":{"events/messages":{"bootstrap":"b-1:9098,b-2:9098","topic":"messages"}}}"#;
        let context: Context = serde_json::from_str(json).unwrap();
        assert_eq!(context.tables["mails"], "s-mails");
        let produced = Produced { bootstrap: "b-1:9098,b-2:9098".to_owned(), topic: "messages".to_owned() };
        assert_eq!(context.produces["events/messages"], produced);
        assert_eq!(serde_json::from_str::<Context>(&serde_json::to_string(&context).unwrap()).unwrap(), context);
    }

    #[test]
    fn databases_and_caches_are_left_out_where_there_are_none() {
        let empty = serde_json::to_string(&Context::default()).unwrap();
        assert!(!empty.contains("databases") && !empty.contains("caches"), "{empty}");
        let json = r#"{"stack":"s","function":"f",
            "databases":{"mails":{"host":"mails.example","port":3306,"name":"mails","user":"worker","secret":"arn:aws:s"}},
            "caches":{"seen":{"host":"seen.example","port":6379,"tls":true}}}"#;
        let context: Context = serde_json::from_str(json).unwrap();
        assert_eq!((context.databases["mails"].port, context.databases["mails"].user.as_str()), (3306, "worker"));
        assert_eq!((context.caches["seen"].tls, &context.caches["seen"].secret), (true, &None));
        assert_eq!(serde_json::from_str::<Context>(&serde_json::to_string(&context).unwrap()).unwrap(), context);
    }

    #[test]
    fn the_last_folder_of_a_prefix_says_what_it_is_for() {
        let json = r#"{"stack":"s","function":"f","writes":[{"bucket":"a","prefix":"calendar/old/"},
            {"bucket":"b","prefix":"carriers/unmatched/"},{"bucket":"c","prefix":"calendar/"}]}"#;
        let context: Context = serde_json::from_str(json).unwrap();
        assert_eq!(context.unmatched().map(|place| place.bucket.as_str()), Some("b"));
        assert_eq!(context.calendar().map(|place| place.bucket.as_str()), Some("c"));
        assert_eq!(Context::default().calendar(), None);
    }
}
