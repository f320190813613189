//! The configuration of the function `mail-events`, read once from its environment at the start.

use std::{collections::BTreeMap, time::Duration};

use contract::context::{self, Context, Produced};
use runtime::environment::{Aws, ConfigurationError, Reader};

use crate::kafka::{Mechanism, Security};

/// Variable: age of a mail up to which its item is waited for, in seconds.
const JOIN_SECONDS: &str = "JOIN_SECONDS";
/// Variable: how the function proves to the brokers whose it is.
const KAFKA_MECHANISM: &str = "KAFKA_MECHANISM";
/// Variable: certificates of the authorities of the brokers, as PEM.
const KAFKA_CA: &str = "KAFKA_CA";

/// Age of a mail up to which its item is waited for without a variable, in seconds.
const DEFAULT_JOIN: u64 = 60;
/// Largest age that can be configured, in seconds.
const LONGEST_JOIN: u64 = 300;
/// The hosts of this machine, which are reached without a network.
const LOCAL: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Context: the function's name and its stack.
    pub context: Context,
    /// Name in AWS of the table of mails.
    pub table: String,
    /// Topic that is written to.
    pub topic: Produced,
    /// How the brokers are reached.
    pub security: Security,
    /// Age of a mail up to which its item is waited for.
    pub join: Duration,
    /// Region and credentials of AWS.
    pub aws: Aws,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. Everything that is wrong is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let of_stack = reader.context().map(|context| {
            let table = only(&mut reader, &context.tables, "table", "queries");
            let topic = topic(&mut reader, &context);
            (context, table, topic)
        });
        let mechanism = reader.word(KAFKA_MECHANISM, &[("iam", Mechanism::Iam), ("oauthbearer", Mechanism::Token)]);
        let ca = reader.certificates(KAFKA_CA);
        let (join, aws) = (join(&mut reader), reader.aws());
        let all = of_stack.zip(mechanism).zip(join.zip(aws));
        let all = all.and_then(|(((context, table, topic), mechanism), (join, aws))| {
            let (table, topic) = (table?, topic?);
            let security = security(&topic, mechanism, ca);
            Some(Self { context, table, topic, security, join, aws })
        });
        reader.finish(all)
    }
}

/// Returns the only entry of what the context names.
fn only<T: Clone>(reader: &mut Reader<'_>, named: &BTreeMap<String, T>, what: &str, key: &'static str) -> Option<T> {
    let mut entries = named.iter();
    match (entries.next(), entries.next()) {
        (Some((_, one)), None) => return Some(one.clone()),
        (None, _) => {
            reader.problem(context::VARIABLE, format!("names no {what}: the function's `{key}` must name one"));
        }
        _ => {
            let all = named.keys().map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", ");
            let fault = format!("names more than one {what} ({all}): the function's `{key}` must name one");
            reader.problem(context::VARIABLE, fault);
        }
    }
    None
}

fn topic(reader: &mut Reader<'_>, context: &Context) -> Option<Produced> {
    let topic = only(reader, &context.produces, "topic of Kafka", "produces")?;
    let is_broker = |broker: &str| {
        let (host, port) = broker.rsplit_once(':').unwrap_or_default();
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if topic.topic.is_empty() || !brokers(&topic).all(is_broker) {
        let fault = "has a topic of Kafka that lacks its name, or brokers as `HOST:PORT` with commas between";
        reader.problem(context::VARIABLE, fault);
        return None;
    }
    Some(topic)
}

fn brokers(topic: &Produced) -> impl Iterator<Item = &str> {
    topic.bootstrap.split(',').map(str::trim)
}

/// Returns how the brokers are reached: by TLS and with a proof of the role, except on this machine, where none is asked for unless
/// certificates are given.
fn security(topic: &Produced, mechanism: Mechanism, ca: Option<String>) -> Security {
    let is_local = |broker: &str| broker.rsplit_once(':').is_some_and(|(host, _)| LOCAL.contains(&host));
    if ca.is_none() && brokers(topic).all(is_local) { Security::None } else { Security::Tls { mechanism, ca } }
}

fn join(reader: &mut Reader<'_>) -> Option<Duration> {
    let Some(value) = reader.optional(JOIN_SECONDS) else { return Some(Duration::from_secs(DEFAULT_JOIN)) };
    let is_number = value.trim().bytes().all(|letter| letter.is_ascii_digit());
    let seconds = value.trim().parse().ok().filter(|seconds| is_number && *seconds <= LONGEST_JOIN);
    if seconds.is_none() {
        reader.problem(JOIN_SECONDS, format!("is `{value}`; expected a number of seconds from 0 to {LONGEST_JOIN}"));
    }
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
