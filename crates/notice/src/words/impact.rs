//! Reads the impact of a maintenance on a circuit from a field.

use super::{contradiction, has_any, lower, words};
use crate::{
    failure::{Failure, FailureKind},
    found::Found,
    model::Impact,
};

const NO_IMPACT: &[&str] = &[
    "none",
    "no impact",
    "no service impact",
    "no customer impact",
    "no expected impact",
    "no outage",
    "no downtime",
    "no interruption",
    "non service affecting",
    "not service affecting",
    "non service impacting",
    "non impacting",
    "non affecting",
    "not affected",
    "not impacted",
    "nsa",
    "hitless",
    "unaffected",
];

const REDUCED: &[&str] = &[
    "at risk",
    "loss of redundancy",
    "reduced redundancy",
    "reduction of redundancy",
    "loss of protection",
    "loss of resilience",
    "reduced resilience",
    "loss of resiliency",
    "reduced resiliency",
    "loss of diversity",
    "unprotected",
    "without protection",
    "simplex",
    "redundancy loss",
    "resiliency loss",
    "resilience loss",
];

const DEGRADED: &[&str] = &[
    "degraded",
    "degradation",
    "intermittent",
    "packet loss",
    "flap",
    "flaps",
    "flapping",
    "latency",
    "jitter",
    "errors",
    "errored",
];

const OUTAGE: &[&str] = &[
    "outage",
    "outages",
    "down",
    "downtime",
    "loss of service",
    "service loss",
    "loss of traffic",
    "loss of connectivity",
    "interruption",
    "interruptions",
    "interrupted",
    "disruption",
    "disruptions",
    "disrupted",
    "service affecting",
    "service impacting",
    "traffic affecting",
    "unavailable",
    "unavailability",
    "offline",
];

const HEDGES: &[&str] = &["potential", "potentially", "possible", "possibly", "may", "might", "unknown", "tbc", "tbd"];

/// Returns the impact that a field says. Of several the worst counts, but what is only "at risk of an outage" is
/// at risk. A word that nobody knows, or that is hedged ("potentially service affecting"), is a failure.
pub fn impact(field: &Found<String>) -> Result<Found<Impact>, Failure> {
    let lower = lower(&field.value);
    let words = words(&lower);
    let none = has_any(&words, NO_IMPACT);
    let reduced = has_any(&words, REDUCED);
    let degraded = has_any(&words, DEGRADED);
    let outage = has_any(&words, OUTAGE) && !none;
    let impact = match (none, reduced, degraded, outage) {
        (_, true, _, true) if has_any(&words, &["at risk"]) => Impact::ReducedRedundancy,
        (true, true, ..) | (true, _, true, _) => return Err(contradiction("one impact", field)),
        _ if has_any(&words, HEDGES) => {
            return Err(Failure::malformed("an impact that is certain", field));
        }
        (true, ..) => Impact::NoImpact,
        (_, _, _, true) => Impact::Outage,
        (_, _, true, _) => Impact::Degraded,
        (_, true, ..) => Impact::ReducedRedundancy,
        _ => return Err(Failure::malformed("an impact (none, at risk, degraded, outage)", field)),
    };
    Ok(field.with(impact))
}

/// Reads as [`impact`] does, for formats in which hits ("Switch hit", "50 ms hits") are outages of moments.
pub fn impact_or_hit(field: &Found<String>) -> Result<Found<Impact>, Failure> {
    impact(field).or_else(|failure| {
        let is_hit = failure.kind == FailureKind::Malformed && has_any(&words(&lower(&field.value)), &["hit", "hits"]);
        if is_hit { Ok(field.with(Impact::Outage)) } else { Err(failure) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Place;

    fn title(text: &str) -> Found<String> {
        Found::text(text, Place::Header("Subject"))
    }

    #[test]
    fn impacts() {
        for (text, expected) in [
            ("None", Impact::NoImpact),
            ("No outage expected", Impact::NoImpact),
            ("Non-Service Affecting", Impact::NoImpact),
            ("At Risk", Impact::ReducedRedundancy),
            ("At risk of outage", Impact::ReducedRedundancy),
            ("Loss of Redundancy", Impact::ReducedRedundancy),
            ("Resiliency Loss", Impact::ReducedRedundancy),
            ("Intermittent packet loss", Impact::Degraded),
            ("Service Affecting", Impact::Outage),
            ("Up to 30 min outage", Impact::Outage),
            ("Several short outages", Impact::Outage),
        ] {
            assert_eq!(impact(&title(text)).unwrap().value, expected, "{text}");
        }
        for text in ["", "Purple", "Potentially service affecting", "No impact, degraded"] {
            assert!(impact(&title(text)).is_err(), "{text}");
        }
        assert!(impact(&title("Switch hits")).is_err());
        for (text, expected) in [
            ("Switch hits up to 5 minutes", Some(Impact::Outage)),
            ("At risk, no hits", Some(Impact::ReducedRedundancy)),
            ("No impact, degraded by hits", None),
            ("White", None),
        ] {
            assert_eq!(impact_or_hit(&title(text)).ok().map(|found| found.value), expected, "{text}");
        }
    }
}
