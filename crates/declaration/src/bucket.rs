//! `buckets`: storage of mails and other objects. Always private, encrypted, TLS only; its content stays on `down`.

use std::{collections::BTreeMap, time::Duration};

use super::{
    diagnostic::Diagnostic,
    expiry::{self, EXPIRE, Expiry},
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds, Kind, Shape},
    tags::{TAGS, tags},
    tree::{Key, Node, Value},
};

/// A bucket: always private, encrypted, TLS only.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bucket {
    /// Name in AWS of an existing bucket, of which only our statements in its policy are managed; nothing else is declared for
    /// it. `None` for a bucket that the stack creates.
    pub existing: Option<String>,
    /// Ages at which objects are deleted. [`Declaration::expiry`](crate::Declaration::expiry) has them by prefix.
    pub expire: Expiry,
    /// `true` if overwritten and deleted versions are kept.
    pub versioning: bool,
    /// Age at which overwritten and deleted versions are removed, in whole days; `None` is the age of the objects.
    pub expire_noncurrent: Option<Duration>,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the bucket; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// Objects of a bucket, as a right names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Entry name of the bucket.
    pub bucket: String,
    /// Prefix of the objects' keys: empty for all of them, or ends with `/`.
    pub prefix: String,
    /// Prefixes that mails were stored with earlier, newest first: what is there stays readable.
    pub formerly: Vec<String>,
}

impl Place {
    /// Returns the prefix and the earlier ones.
    pub fn prefixes(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.prefix).chain(&self.formerly)
    }
}

pub(super) static SHAPE: Shape = Shape {
    name: "bucket",
    keys: &[
        Field::new(
            "existing",
            Holds::Text(scalars::BUCKET),
            "Name in AWS of an existing bucket. Only our own statement in its policy is managed.",
        ),
        EXPIRE,
        Field::new("versioning", Holds::Switch, "Keep versions that are overwritten or deleted.").or("false"),
        Field::new(
            "expire_noncurrent",
            Holds::Days,
            "Time after which overwritten and deleted versions are removed, of all objects. Without it, those that `expire` are \
             removed in the same time.",
        ),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
    ],
};

static PLACE: Shape = Shape {
    name: "place",
    keys: &[
        Field::new("bucket", Holds::Reference(Kind::Bucket), "The bucket.").required("mail"),
        Field::new("prefix", Holds::Text(scalars::PREFIX), "Prefix of the objects' keys. Empty means all objects.")
            .or(""),
    ],
};

static READ_PLACE: Shape = Shape {
    name: "read_place",
    keys: &[
        Field::new("bucket", Holds::Reference(Kind::Bucket), "The bucket.").required("mail"),
        Field::new("prefix", Holds::Text(scalars::PREFIX), "Prefix of the objects' keys. Empty means all objects.")
            .or(""),
        Field::new(
            "formerly",
            Holds::List(&Holds::Text(scalars::PREFIX)),
            "Prefixes that mails were stored with before `prefix`: they stay readable, and `replay` finds them.",
        ),
    ],
};

/// Lists of places to read from: a bucket's entry, or `{bucket: mail, prefix: in/, formerly: [inbound/]}`.
pub(super) const READ_PLACES: Holds =
    Holds::List(&Holds::AnyOf(&[Holds::Reference(Kind::Bucket), Holds::Mapping(&READ_PLACE)]));

/// Lists of places: a bucket's entry, or `{bucket: mail, prefix: inbound/}`.
pub(super) const PLACES: Holds = Holds::List(&Holds::AnyOf(&[Holds::Reference(Kind::Bucket), Holds::Mapping(&PLACE)]));

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Bucket {
    let fields = reader.fields(node, &key.span, format!("bucket `{}`", key.name), &SHAPE);
    let versioning = reader.switch(&fields, "versioning");
    let bucket = Bucket {
        existing: reader.text(&fields, "existing", scalars::bucket),
        expire: expiry::read(reader, &fields),
        versioning: versioning.unwrap_or_default(),
        expire_noncurrent: reader.duration(&fields, "expire_noncurrent"),
        kms_key: reader.text(&fields, "kms_key", scalars::kms_key),
        protect: protect(reader, &fields),
        tags: tags(reader, &fields),
    };
    if bucket.existing.is_some() {
        for name in ["expire", "versioning", "expire_noncurrent", "kms_key", "protect", "tags"] {
            if let Some((key, _)) = fields.entry(name) {
                let message = format!("a bucket that exists stays as it is: `{name}` cannot be declared for it");
                reader.diagnose(&key.span, message, "remove one of them");
            }
        }
    } else if let (Some((key, _)), false) = (fields.entry("expire_noncurrent"), versioning != Some(false)) {
        let message = "`expire_noncurrent` needs `versioning: true`: without it nothing is kept";
        reader.diagnose(&key.span, message, "add `versioning: true`, or take this away");
    }
    bucket
}

/// Returns the places that a key of a function names, each once.
pub(super) fn places(reader: &mut Reader, fields: &Fields<'_>, name: &str) -> Vec<Place> {
    let example = reader.declared(Kind::Bucket).first().cloned().unwrap_or_else(|| "mail".to_owned());
    let mut places: Vec<Place> = Vec::new();
    for item in reader.items(fields, name, &example) {
        let Some(place) = place(reader, item, name) else { continue };
        let covers = |other: &Place| other.bucket == place.bucket && place.prefix.starts_with(&other.prefix);
        if let Some(other) = places.iter().find(|other| covers(other)) {
            let message = if other.prefix == place.prefix {
                format!("`{}` is there twice in `{name}`", place.bucket)
            } else {
                format!("`{}{}` is part of an earlier entry of `{name}`", place.bucket, shown(&place.prefix))
            };
            reader.report(Diagnostic::new(item.span.clone(), message));
        }
        places.push(place);
    }
    places
}

fn shown(prefix: &str) -> String {
    if prefix.is_empty() { String::new() } else { format!("/{prefix}") }
}

fn place(reader: &mut Reader, node: &Node, name: &str) -> Option<Place> {
    if let Value::Map(_) = node.value {
        let shape = if name == "reads" { &READ_PLACE } else { &PLACE };
        let fields = reader.fields(node, &node.span, format!("an item of `{name}`"), shape);
        let prefix = reader.text(&fields, "prefix", scalars::prefix).unwrap_or_default();
        let formerly = formerly(reader, &fields, &prefix);
        return Some(Place { bucket: reader.reference(&fields, "bucket")?, prefix, formerly });
    }
    Some(Place { bucket: reader.refer(node, name, Kind::Bucket)?, prefix: String::new(), formerly: Vec::new() })
}

/// Returns the earlier prefixes of a place, each once.
fn formerly(reader: &mut Reader, fields: &Fields<'_>, prefix: &String) -> Vec<String> {
    let mut earlier: Vec<String> = Vec::new();
    for item in reader.items(fields, "formerly", "inbound/") {
        let read = reader.scalar(item, "formerly", scalars::PREFIX.what, scalars::prefix);
        let Some(former) = read else { continue };
        if former == *prefix || earlier.contains(&former) {
            reader.report(Diagnostic::new(item.span.clone(), format!("`{former}` is there twice")));
        }
        earlier.push(former);
    }
    earlier
}
