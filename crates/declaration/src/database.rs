//! `databases`: MySQL on RDS. Always private, encrypted, with a password that RDS makes and changes, and over TLS alone.

use std::collections::BTreeMap;

use super::{
    network::{self, NetworkPart},
    protection::{KMS_KEY, PROTECT_DATA, protect},
    reader::{Reader, Wrong},
    scalars, security_group,
    shape::{Field, Form, Holds, Shape, Word, words},
    tags::{TAGS, tags},
    tree::{Key, Node},
};

/// A database of RDS in a network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Database {
    /// Engine that the database runs.
    pub engine: DatabaseEngine,
    /// Version, major and minor or more: `8.4`.
    pub version: String,
    /// Class of its machine, as `db.t4g.micro`.
    pub class: String,
    /// Size of its disk, in GiB.
    pub storage: u32,
    /// Name of the schema that is made in it.
    pub name: String,
    /// Name of its user.
    pub user: String,
    /// Declared network in whose private subnets it is, by entry; `None` if the subnets are named.
    pub network: Option<String>,
    /// Subnets, in two availability zones at least.
    pub subnets: Vec<NetworkPart>,
    /// Security groups of the database.
    pub security_groups: Vec<NetworkPart>,
    /// `true` if a copy in another availability zone takes its place when its own fails.
    pub multi_az: bool,
    /// Days to every second of which it can be brought back; 0 if it cannot be.
    pub backups: u16,
    /// Time of the daily backup in UTC, `02:00-02:30`; `None` leaves it to AWS.
    pub backup_window: Option<String>,
    /// `true` if AWS installs corrections of the engine within its maintenance window.
    pub minor_upgrades: bool,
    /// `true` if AWS refuses to delete it.
    pub deletion_protection: bool,
    /// ARN of the KMS key that encrypts it; `None` is that of the stack.
    pub kms_key: Option<String>,
    /// `true` to delete or replace it only by name, `false` to protect it no longer; `None` leaves that to the kind.
    pub protect: Option<bool>,
    /// Tags of the database; they override the stack's.
    pub tags: BTreeMap<String, String>,
}

/// The engines of databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DatabaseEngine {
    /// MySQL.
    #[default]
    MySql,
}

impl DatabaseEngine {
    /// Returns RDS's word for it.
    pub fn of_rds(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
        }
    }
}

impl Word for DatabaseEngine {
    const WORDS: &'static [(&'static str, Self)] = &[("mysql", Self::MySql)];
}

impl Database {
    /// Returns the engine with its major version, as RDS names what parameters are for: `mysql8.4`.
    pub fn family(&self) -> String {
        let major: Vec<&str> = self.version.split('.').take(2).collect();
        format!("{}{}", self.engine.of_rds(), major.join("."))
    }
}

/// Numbers of days for which RDS keeps what it needs to bring a database back.
const BACKUPS: &[u16] = &[
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31, 32, 33, 34, 35,
];
/// Shortest time of a daily backup, in minutes (RDS's reference, `CreateDBInstance`).
const SHORTEST_WINDOW: u32 = 30;
/// The only major version that RDS makes and supports at its usual price: 8.0 costs a multiple since 2026-08, and 9 is a preview.
const VERSION: Form = Form { what: "`8.4`, or one of its versions such as `8.4.9`", pattern: "^8\\.4(\\.[0-9]+)?$" };
const CLASS: Form =
    Form { what: "the class of a database, such as `db.t4g.micro`", pattern: "^db\\.[a-z0-9-]+\\.[a-z0-9-]+$" };
const SCHEMA: Form = Form {
    what: "the name of a schema: a letter, and up to 63 letters, digits and `_`",
    pattern: "^[A-Za-z][A-Za-z0-9_]{0,63}$",
};
const USER: Form = Form {
    what: "the name of a user: a letter, and up to 15 letters, digits and `_`",
    pattern: "^[A-Za-z][A-Za-z0-9_]{0,15}$",
};
/// Form of a time of every day.
pub(super) const WINDOW: Form = Form {
    what: "a time of every day in UTC, `02:00-02:30`",
    pattern: "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$",
};
/// Users that RDS or MySQL have for themselves.
const TAKEN: &[&str] = &["mysql", "rdsadmin", "rdsrepladmin", "root", "sys"];
const SUBNETS: &str = "[subnet-0a1b2c3d, subnet-4e5f6a7b]";

pub(super) static SHAPE: Shape = Shape {
    name: "database",
    keys: &[
        Field::new("engine", Holds::Word(words::<DatabaseEngine>), "Engine.").or("mysql"),
        Field::new(
            "version",
            Holds::Text(VERSION),
            "Version. AWS brings `8.4` to its corrections by itself; none goes back.",
        )
        .or("8.4"),
        Field::new("class", Holds::Text(CLASS), "Class of its machine. Another one restarts it.").or("db.t4g.micro"),
        Field::new("storage", Holds::Number(20, 65_536), "Disk, in GiB. It never shrinks.").or("20"),
        Field::new("name", Holds::Text(SCHEMA), "Schema that is made in it. Another name is another database.")
            .or("main"),
        Field::new(
            "user",
            Holds::Text(USER),
            "Its user, whose password AWS makes and changes every seven days. Another user is another database.",
        )
        .or("admin"),
        Field::new(
            "subnets",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "Subnets of one VPC, in two availability zones at least. Either these or `network` is required.",
        ),
        Field::new(
            "security_groups",
            security_group::GROUPS,
            "Its security groups: they let functions and servers in on port 3306.",
        )
        .required("[sg-0a1b2c3d]"),
        Field::new(
            "multi_az",
            Holds::Switch,
            "Have a copy in another availability zone that takes its place within two minutes, at twice the price.",
        )
        .or("false"),
        Field::new(
            "backups",
            Holds::OneOfDays(BACKUPS),
            "Days to every second of which it can be brought back; `0d` for none.",
        )
        .or("7d"),
        Field::new(
            "backup_window",
            Holds::Text(WINDOW),
            "Time of the daily backup in UTC, half an hour at least. Without it, AWS chooses one.",
        ),
        Field::new(
            "minor_upgrades",
            Holds::Switch,
            "Let AWS install corrections of the engine in its maintenance window.",
        )
        .or("true"),
        Field::new("deletion_protection", Holds::Switch, "Let AWS refuse every attempt to delete it.").or("true"),
        KMS_KEY,
        PROTECT_DATA,
        TAGS,
        network::NETWORK,
    ],
};

pub(super) fn read(reader: &mut Reader, key: &Key, node: &Node) -> Database {
    let fields = &reader.fields(node, &key.span, format!("database `{}`", key.name), &SHAPE);
    let given = |reader: &mut Reader, name: &str, read: fn(&str) -> Result<String, Wrong>| {
        let default = || SHAPE.keys.iter().find(|field| field.name == name).and_then(|field| field.default);
        reader.text(fields, name, read).unwrap_or_else(|| default().unwrap_or_default().to_owned())
    };
    let backups = reader.one_of_days(fields, "backups");
    let (network, subnets) = network::subnets(reader, fields);
    let database = Database {
        engine: reader.word(fields, "engine").unwrap_or_default(),
        version: given(reader, "version", version),
        class: given(reader, "class", class),
        storage: reader.number(fields, "storage").unwrap_or_default(),
        name: given(reader, "name", |text| word(text, 64)),
        user: given(reader, "user", user),
        network,
        subnets,
        security_groups: security_group::groups(reader, fields, "security_groups"),
        multi_az: reader.switch(fields, "multi_az").unwrap_or_default(),
        backups: backups.unwrap_or_default(),
        backup_window: reader.text(fields, "backup_window", |text| window(text, SHORTEST_WINDOW)),
        minor_upgrades: reader.switch(fields, "minor_upgrades").unwrap_or(true),
        deletion_protection: reader.switch(fields, "deletion_protection").unwrap_or(true),
        kms_key: reader.text(fields, "kms_key", scalars::kms_key),
        protect: protect(reader, fields),
        tags: tags(reader, fields),
    };
    let subnets = network::key(fields);
    if fields.get(subnets).is_none() {
        let message = format!("{} has neither `network` nor `subnets`", fields.subject);
        reader.diagnose(&fields.span, message, format!("add `subnets: {SUBNETS}`, or a declared network"));
    }
    if database.subnets.len() == 1 {
        let message = "RDS takes two subnets at least, in different availability zones";
        reader.diagnose(&fields.span_of(subnets), message, format!("write `subnets: {SUBNETS}`"));
    }
    if backups == Some(0) && database.backup_window.is_some() {
        let message = "there is no backup, so that `backup_window` has no effect";
        reader.diagnose(&fields.span_of("backup_window"), message, "remove it, or write `backups: 7d`");
    }
    database
}

fn version(text: &str) -> Result<String, Wrong> {
    let numbers: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match numbers.as_deref() {
        Some([8, 4] | [8, 4, _]) => Ok(text.to_owned()),
        Some([5, ..] | [8, 0, ..]) => {
            Err(Wrong::default().hint("write `8.4`: AWS no longer supports that one, or at a multiple of its price"))
        }
        _ => Err(Wrong::default().hint("write `8.4`: AWS supports it until the middle of 2029")),
    }
}

fn class(text: &str) -> Result<String, Wrong> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    match parts[..] {
        ["db", "t1" | "t2" | "m1" | "m2" | "m3" | "r3", _] => {
            Err(Wrong::default().hint("write `db.t4g.micro`: AWS no longer makes databases of that class"))
        }
        ["db", family, size] if is_part(family) && is_part(size) => Ok(text.to_owned()),
        _ => Err(Wrong::default()),
    }
}

fn word(text: &str, longest: usize) -> Result<String, Wrong> {
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_word && text.len() <= longest { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

fn user(text: &str) -> Result<String, Wrong> {
    if TAKEN.contains(&text.to_ascii_lowercase().as_str()) {
        return Err(Wrong::expected("a user that the database does not have for itself").hint("write `admin`"));
    }
    word(text, 16)
}

/// Parses a time of every day, of some minutes at least. It may end on the next day.
pub(super) fn window(text: &str, shortest: u32) -> Result<String, Wrong> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
        let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let both = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    let Some((from, to)) = both else {
        let hint = "a day of the week is for maintenance, not for this: write `02:00-03:00`";
        let has_day = text.starts_with(|first: char| first.is_ascii_alphabetic());
        return Err(if has_day { Wrong::default().hint(hint) } else { Wrong::default() });
    };
    let length = (to + 24 * 60 - from) % (24 * 60);
    if length < shortest {
        return Err(Wrong::expected(format!("{shortest} minutes or longer")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_aws_would_refuse_is_refused_with_what_is_meant() {
        for (read, good, bad) in [
            (
                version as fn(&str) -> Result<String, Wrong>,
                &["8.4", "8.4.9"][..],
                &["8", "8.0.11", "5.7.44", "9.1", "x", ""][..],
            ),
            (class, &["db.t4g.micro", "db.r8g.2xlarge"], &["db.t2.micro", "t4g.micro", "db.t4g", "db..micro", ""]),
            (user, &["admin", "keeper_1"], &["root", "RDSADMIN", "1a", "a-b", "seventeen_letters", ""]),
            (
                |text| window(text, 30),
                &["02:00-02:30", "23:45-00:15"],
                &["02:00-02:29", "2:00-3:00", "24:00-01:00", "sun:23:15-mon:03:15", "02:00", "02:00-02:00", ""],
            ),
        ] {
            for text in good {
                assert_eq!(read(text).ok().as_deref(), Some(*text));
            }
            for text in bad {
                assert!(read(text).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn the_family_is_engine_and_major_version() {
        for version in ["8.4", "8.4.9"] {
            assert_eq!(Database { version: version.to_owned(), ..Database::default() }.family(), "mysql8.4");
        }
    }
}
