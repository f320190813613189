//! What costs money while nobody uses it, told before it is made: the one table of prices.
//!
//! US dollars in us-east-1, without taxes and free tiers. Other regions differ by some percent.

use std::path::Path;

use super::Finding;
use crate::Names;
use declaration::{Brokers, ClusterSource, Database, Declaration};
use kinds::{Id, Kind};

/// Prices of a broker with the size `large`, an hour. Source: AWS's price list of MSK, as in the advice of the agent toolkit of AWS,
/// 2026-08.
const BROKERS: &[(&str, f64)] = &[("kafka.m5", 0.21), ("kafka.m7g", 0.204), ("express.m7g", 0.408)];
/// Price of the smallest broker, which is in no family of the table, an hour.
const SMALLEST_BROKER: (&str, f64) = ("kafka.t3.small", 0.0456);
/// Price of a GiB of a broker's disk, a month.
const BROKER_STORAGE: f64 = 0.10;
/// Prices of databases of MySQL in one zone, an hour. Source: AWS's price list of RDS for MySQL, 2026-08.
const DATABASES: &[(&str, f64)] = &[("db.t3.micro", 0.017), ("db.t4g.micro", 0.016), ("db.t4g.small", 0.032)];
/// Price of a GiB of a database's disk in one zone, a month. Source: the same.
const DATABASE_STORAGE: f64 = 0.115;
/// Price of a secret, a month. Source: AWS's price list of Secrets Manager, 2025.
const SECRET: f64 = 0.40;
/// Hours of a month.
const MONTH: f64 = 730.0;

/// Returns what brokers cost a month while nobody uses them; `None` for a type whose price is not known.
fn brokers(brokers: &Brokers) -> Option<f64> {
    let hourly = if brokers.instance == SMALLEST_BROKER.0 {
        SMALLEST_BROKER.1
    } else {
        let (family, size) = brokers.instance.rsplit_once('.')?;
        let (_, price) = BROKERS.iter().find(|(of, _)| *of == family)?;
        let times = match size {
            "large" => 1.0,
            "xlarge" => 2.0,
            other => other.strip_suffix("xlarge")?.parse::<f64>().ok()? * 2.0,
        };
        price * times
    };
    let disk = if brokers.instance.starts_with("express.") { 0.0 } else { f64::from(brokers.storage) * BROKER_STORAGE };
    Some(f64::from(brokers.brokers) * (hourly * MONTH + disk))
}

/// Returns what a database costs a month while nobody uses it; `None` for a class whose price is not known.
fn database(database: &Database) -> Option<f64> {
    let (_, hourly) = DATABASES.iter().find(|(class, _)| *class == database.class)?;
    let zones = if database.multi_az { 2.0 } else { 1.0 };
    Some(zones * (hourly * MONTH + f64::from(database.storage) * DATABASE_STORAGE) + SECRET)
}

/// Returns a price in words, or where it stands.
fn told(price: Option<f64>, what: &str, page: &str) -> String {
    price.map_or_else(
        || format!("a price that `{page}` has for {what}"),
        |price| format!("some {price:.0} US dollars a month, used or not"),
    )
}

/// Returns a finding about the price of everything that is not there yet.
pub(super) fn prices((file, declaration): (&Path, &Declaration), names: &Names) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (entry, cluster) in &declaration.clusters {
        let ClusterSource::Created(own) = &cluster.source else { continue };
        if names.is_found(&Id::new(Kind::Cluster, entry)) {
            continue;
        }
        let place = declaration.places.show(file, &["clusters", entry]);
        let what = format!("{} of `{}`", own.brokers, own.instance);
        let price = told(brokers(own), &what, "https://aws.amazon.com/msk/pricing");
        findings.push(Finding::warns(
            format!("{place}: cluster `{entry}` costs {price}, and takes half an hour to be made"),
            "name one that is there, `existing: ARN`, if you have one: a topic in it costs nothing",
        ));
    }
    for (entry, declared) in &declaration.databases {
        if names.is_found(&Id::new(Kind::Database, entry)) {
            continue;
        }
        let place = declaration.places.show(file, &["databases", entry]);
        let price =
            told(database(declared), &format!("`{}`", declared.class), "https://aws.amazon.com/rds/mysql/pricing");
        findings.push(Finding::warns(
            format!("{place}: database `{entry}` costs {price}, and takes a quarter of an hour to be made"),
            "nothing, if that is what you want: `db.t4g.micro` with 20 GiB is the least",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brokers_cost_is_told_where_it_is_known() {
        let of =
            |instance: &str| Brokers { brokers: 3, storage: 100, instance: instance.to_owned(), ..Brokers::default() };
        let told = |instance: &str| brokers(&of(instance)).map(|price| format!("{price:.0}"));
        assert_eq!(told("kafka.m7g.large").as_deref(), Some("477"));
        assert_eq!(told("kafka.m7g.2xlarge").as_deref(), Some("1817"));
        assert_eq!(told("kafka.t3.small").as_deref(), Some("130"));
        assert_eq!(told("express.m7g.large").as_deref(), Some("894"));
        assert_eq!(told("kafka.m9g.large"), None);
        assert_eq!(told("kafka.m7g.huge"), None);
    }

    #[test]
    fn what_a_database_costs_is_told_where_it_is_known() {
        let of =
            |class: &str, multi_az| Database { class: class.to_owned(), storage: 20, multi_az, ..Database::default() };
        let told = |class: &str, multi_az| database(&of(class, multi_az)).map(|price| format!("{price:.2}"));
        assert_eq!(told("db.t4g.micro", false).as_deref(), Some("14.38"));
        assert_eq!(told("db.t4g.micro", true).as_deref(), Some("28.36"));
        assert_eq!(told("db.r9g.large", false), None);
    }
}
