//! Fixed costs of a stack, those while nobody uses it: the one table of prices, and what a plan adds to them.
//!
//! US dollars a month in us-east-1, without taxes and free tiers; other regions differ by some percent. The table is here, so that a plan
//! asks nobody: [`DATED`] says how old it is.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Action, Address, Live, Owner};
use kinds::{Item, Kind, Plan, Read, Resource, Settings, Survey};

/// Month of AWS's price lists that the table is from.
pub const DATED: &str = "2026-08";

/// Prices of a broker with the size `large`, an hour. Source: AWS's price list of MSK, as in the advice of the agent toolkit of AWS,
/// 2026-08.
const BROKERS: &[(&str, f64)] = &[("kafka.m5", 0.21), ("kafka.m7g", 0.204), ("express.m7g", 0.408)];
/// Price of the smallest broker, which is in no family of the table, an hour.
const SMALLEST_BROKER: (&str, f64) = ("kafka.t3.small", 0.0456);
/// Price of a GiB of a broker's disk.
const BROKER_STORAGE: f64 = 0.10;
/// Prices of databases of MySQL in one zone, an hour. Source: AWS's price list of RDS for MySQL, 2026-08.
const DATABASES: &[(&str, f64)] = &[
    ("db.t3.micro", 0.017),
    ("db.t4g.micro", 0.016),
    ("db.t4g.small", 0.032),
    ("db.t4g.medium", 0.065),
    ("db.t4g.large", 0.129),
];
/// Price of a GiB of a database's disk in one zone. Source: the same.
const DATABASE_STORAGE: f64 = 0.115;
/// Prices of nodes of Valkey, an hour. Source: AWS's price list of `ElastiCache`, 2026-08.
const NODES: &[(&str, f64)] = &[("cache.t4g.micro", 0.0128), ("cache.t4g.small", 0.0256), ("cache.t4g.medium", 0.052)];
/// Factor of a node of Redis over one of Valkey. Source: the same.
const REDIS: f64 = 1.25;
/// Prices of servers with Linux, an hour, without their first disks, whose size a running one does not tell. Source: AWS's price list of EC2,
/// 2026-08.
const SERVERS: &[(&str, f64)] = &[
    ("t3.micro", 0.0104),
    ("t3.small", 0.0208),
    ("t3.medium", 0.0416),
    ("t4g.nano", 0.0042),
    ("t4g.micro", 0.0084),
    ("t4g.small", 0.0168),
    ("t4g.medium", 0.0336),
    ("t4g.large", 0.0672),
];
/// Price of a GiB of a volume of type gp3. Source: AWS's price list of EBS, 2026-08.
const VOLUME: f64 = 0.08;
/// Price of a NAT gateway, an hour, and of a public address, an hour. Source: AWS's price list of VPC, 2026-08.
const NAT_GATEWAY: f64 = 0.045;
const PUBLIC_ADDRESS: f64 = 0.005;
/// Price of a secret. Source: AWS's price list of Secrets Manager, 2025.
const SECRET: f64 = 0.40;
/// Price of an alarm on one metric of minutes. Source: AWS's price list of CloudWatch, 2025.
const ALARM: f64 = 0.10;
/// Hours of a month.
const MONTH: f64 = 730.0;

/// The fixed price of a resource: a month, while nobody uses it.
#[derive(Debug, Clone, PartialEq)]
pub enum Price {
    /// Nothing: what is paid for is its use.
    Nothing,
    /// That much, in US dollars.
    Dollars(f64),
    /// A price that is not in the table.
    Unknown {
        /// Item that has the price, in words: 3 of `kafka.m9g.large`.
        what: String,
        /// Page that tells it.
        page: &'static str,
    },
}

impl Price {
    fn of(dollars: Option<f64>, what: impl FnOnce() -> String, page: &'static str) -> Self {
        dollars.map_or_else(|| Self::Unknown { what: what(), page }, Self::Dollars)
    }

    /// Returns the price in words, or where it stands.
    pub fn describe(&self) -> String {
        match self {
            Self::Nothing => "nothing while nobody uses it".to_owned(),
            Self::Dollars(dollars) => format!("some {dollars:.0} US dollars a month, used or not"),
            Self::Unknown { what, page } => format!("a price that `{page}` has for {what}"),
        }
    }
}

/// Returns what brokers cost, with a disk of so many GiB each.
pub(crate) fn brokers(count: u32, instance: &str, storage: u32) -> Price {
    let hourly = if instance == SMALLEST_BROKER.0 { Some(SMALLEST_BROKER.1) } else { broker(instance) };
    let disk = if instance.starts_with("express.") { 0.0 } else { f64::from(storage) * BROKER_STORAGE };
    let dollars = hourly.map(|hourly| f64::from(count) * (hourly * MONTH + disk));
    Price::of(dollars, || format!("{count} of `{instance}`"), "https://aws.amazon.com/msk/pricing")
}

/// Returns the price of a broker of a family, an hour.
fn broker(instance: &str) -> Option<f64> {
    let (family, size) = instance.rsplit_once('.')?;
    let (_, price) = BROKERS.iter().find(|(of, _)| *of == family)?;
    let times = match size {
        "large" => 1.0,
        "xlarge" => 2.0,
        other => other.strip_suffix("xlarge")?.parse::<f64>().ok()? * 2.0,
    };
    Some(price * times)
}

/// Returns what a database costs, with a disk of so many GiB and the secret that RDS keeps for it.
pub(crate) fn database(class: &str, storage: u32, multi_az: bool) -> Price {
    let hourly = DATABASES.iter().find(|(of, _)| *of == class).map(|(_, price)| *price);
    let zones = if multi_az { 2.0 } else { 1.0 };
    let dollars = hourly.map(|hourly| zones * (hourly * MONTH + f64::from(storage) * DATABASE_STORAGE) + SECRET);
    Price::of(dollars, || format!("`{class}`"), "https://aws.amazon.com/rds/mysql/pricing")
}

/// Returns what a cache costs by its nodes.
pub(crate) fn cache(count: u32, node: &str, engine: &str) -> Price {
    let hourly = NODES.iter().find(|(of, _)| *of == node).map(|(_, price)| *price);
    let engine = if engine == "redis" { REDIS } else { 1.0 };
    let dollars = hourly.map(|hourly| f64::from(count) * hourly * engine * MONTH);
    Price::of(dollars, || format!("{count} of `{node}`"), "https://aws.amazon.com/elasticache/pricing")
}

/// Returns what a server costs, without its disks.
fn server(machine: &str) -> Price {
    let dollars = SERVERS.iter().find(|(of, _)| *of == machine).map(|(_, hourly)| hourly * MONTH);
    Price::of(dollars, || format!("`{machine}`"), "https://aws.amazon.com/ec2/pricing/on-demand")
}

/// Returns what a resource costs while nobody uses it. Every kind stands here: whoever adds one decides what it costs.
fn price(settings: &Settings) -> Price {
    match settings {
        Settings::Cluster(cluster) => brokers(cluster.brokers, &cluster.instance, cluster.storage),
        Settings::Database(one) => database(&one.class, one.storage, one.multi_az),
        Settings::Cache(one) => cache(one.replicas + 1, &one.node, &one.engine),
        Settings::Server(one) => server(&one.machine),
        Settings::Volume(one) => Price::Dollars(f64::from(one.size) * VOLUME),
        Settings::NatGateway(_) => of_each(Kind::NatGateway),
        Settings::Address(_) => of_each(Kind::Address),
        Settings::Secret(_) => of_each(Kind::Secret),
        Settings::Alarm(_) => of_each(Kind::Alarm),
        // What is kept in them is paid for, and that depends on their use.
        Settings::Bucket(_)
        | Settings::Queue(_)
        | Settings::AccessLog(_)
        | Settings::LogGroup(_)
        | Settings::Table(_)
        | Settings::KafkaTopic(_)
        // Requests, invocations and mails are paid for.
        | Settings::Function(_)
        | Settings::Api(_)
        | Settings::Topic(_)
        // The rest is paid for by nobody.
        | Settings::BucketStatement(_)
        | Settings::Role(_)
        | Settings::InstanceProfile(_)
        | Settings::EventInvoke(_)
        | Settings::Mapping(_)
        | Settings::Permission(_)
        | Settings::Subscription(_)
        | Settings::DatabaseSubnets(_)
        | Settings::DatabaseParameters(_)
        | Settings::CacheSubnets(_)
        | Settings::ReceiptRuleSet(_)
        | Settings::ReceiptRule(_)
        | Settings::ReceiptOrder(_)
        | Settings::Activation(_)
        | Settings::ReceiptFilter(_)
        | Settings::ConfigurationSet(_)
        | Settings::Feedback(_)
        | Settings::Network(_)
        | Settings::Subnet(_)
        | Settings::InternetGateway(_)
        | Settings::Endpoint(_)
        | Settings::RouteTable(_)
        | Settings::SecurityGroup(_) => Price::Nothing,
    }
}

/// Returns what each of a kind costs, where that does not depend on its settings.
fn of_each(kind: Kind) -> Price {
    match kind {
        Kind::NatGateway => Price::Dollars(NAT_GATEWAY * MONTH),
        Kind::Address => Price::Dollars(PUBLIC_ADDRESS * MONTH),
        Kind::Secret => Price::Dollars(SECRET),
        Kind::Alarm => Price::Dollars(ALARM),
        _ => Price::Nothing,
    }
}

/// Returns `true` for kinds whose settings tell what one costs.
pub fn depends_on_settings(kind: Kind) -> bool {
    matches!(kind, Kind::Cluster | Kind::Database | Kind::Cache | Kind::Server | Kind::Volume)
}

/// The sum of some prices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sum {
    /// US dollars a month, of what has a price in the table.
    pub dollars: f64,
    /// Items without a price in the table, each with the page that tells its price.
    pub unknown: BTreeSet<(String, &'static str)>,
}

impl Sum {
    fn add(&mut self, price: Price) {
        match price {
            Price::Nothing => {}
            Price::Dollars(dollars) => self.dollars += dollars,
            Price::Unknown { what, page } => drop(self.unknown.insert((what, page))),
        }
    }
}

/// The fixed costs of a stack a month, before a plan and after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    /// Costs before the plan.
    pub now: Sum,
    /// Costs once the plan is applied.
    pub then: Sum,
}

/// Settings of live resources, by kind and address.
pub type LiveSettings = BTreeMap<(Kind, Address), Settings>;

/// Returns what the stack costs before and after a plan. What is no longer declared is in no survey: `undeclared` has it, where its settings
/// tell its price. What could not be read is not counted.
pub fn of(plan: &Plan, survey: &Survey, resources: &[Resource], undeclared: &LiveSettings) -> Costs {
    let desired: BTreeMap<_, _> = resources.iter().map(|one| (&one.id, &one.settings)).collect();
    let live = |item: &Item| {
        let place = (item.id.kind, item.address.clone());
        match survey.read.get(&place) {
            Some(Read::Present(Live { settings, owner: Owner::Ours | Owner::Nobody })) => Some(price(settings)),
            Some(_) => None,
            None if item.is_declared => None,
            None => Some(undeclared.get(&place).map_or_else(|| of_each(item.id.kind), price)),
        }
    };
    let mut costs = Costs::default();
    for item in plan.items() {
        if let Some(live) = live(item) {
            costs.now.add(live);
        }
        let then = match item.action {
            Action::Delete | Action::Unreadable { .. } | Action::Foreign { .. } => None,
            Action::Unchanged | Action::Keep { .. } => live(item),
            Action::Create | Action::Change { .. } | Action::Replace { .. } => {
                desired.get(&item.id).copied().map(price)
            }
        };
        if let Some(then) = then {
            costs.then.add(then);
        }
    }
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(price: &Price) -> Option<String> {
        match price {
            Price::Dollars(dollars) => Some(format!("{dollars:.2}")),
            _ => None,
        }
    }

    #[test]
    fn what_is_known_is_told_and_what_is_not_says_where_it_stands() {
        for (price, expected) in [
            (brokers(3, "kafka.m7g.large", 100), Some("476.76")),
            (brokers(3, "kafka.m7g.2xlarge", 100), Some("1817.04")),
            (brokers(3, "kafka.t3.small", 100), Some("129.86")),
            (brokers(3, "express.m7g.large", 100), Some("893.52")),
            (brokers(3, "kafka.m9g.large", 100), None),
            (brokers(3, "kafka.m7g.huge", 100), None),
            (database("db.t4g.micro", 20, false), Some("14.38")),
            (database("db.t4g.micro", 20, true), Some("28.36")),
            (database("db.r9g.large", 20, false), None),
            (cache(1, "cache.t4g.micro", "valkey"), Some("9.34")),
            (cache(2, "cache.t4g.micro", "redis"), Some("23.36")),
            (cache(1, "cache.r9g.large", "valkey"), None),
            (server("t4g.micro"), Some("6.13")),
            (server("t9.micro"), None),
        ] {
            assert_eq!(dollars(&price).as_deref(), expected, "{price:?}");
            let words = price.describe();
            assert_eq!(words.contains("https://aws.amazon.com/"), expected.is_none(), "{words}");
        }
    }

    #[test]
    fn every_kind_has_a_price_or_is_known_to_cost_nothing_by_itself() {
        // What is kept in them, or asked of them, is paid for, or nobody pays for them.
        let free = [
            Kind::Bucket,
            Kind::BucketStatement,
            Kind::Queue,
            Kind::Role,
            Kind::AccessLog,
            Kind::LogGroup,
            Kind::Function,
            Kind::EventInvoke,
            Kind::Api,
            Kind::Mapping,
            Kind::Permission,
            Kind::Topic,
            Kind::Subscription,
            Kind::Table,
            Kind::KafkaTopic,
            Kind::DatabaseSubnets,
            Kind::DatabaseParameters,
            Kind::CacheSubnets,
            Kind::ReceiptRuleSet,
            Kind::ReceiptRule,
            Kind::ReceiptOrder,
            Kind::Activation,
            Kind::ReceiptFilter,
            Kind::ConfigurationSet,
            Kind::Feedback,
            Kind::Network,
            Kind::Subnet,
            Kind::InternetGateway,
            Kind::RouteTable,
            Kind::SecurityGroup,
            Kind::Endpoint,
            Kind::InstanceProfile,
        ];
        for kind in Kind::ALL {
            let has_price = depends_on_settings(*kind) || of_each(*kind) != Price::Nothing;
            assert_ne!(has_price, free.contains(kind), "{kind:?}");
        }
    }
}
