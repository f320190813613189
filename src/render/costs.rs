//! Fixed costs of a stack, in a sentence below its plan.

use stack::costs::{Costs, DATED};

/// Smallest change that is told, in US dollars a month: below it lies what rounding makes.
const LEAST: f64 = 0.005;

/// Returns the sentence; `None` for a stack that costs nothing before and after.
pub(crate) fn text(costs: &Costs) -> Option<String> {
    let Costs { now, then } = costs;
    if [now, then].iter().all(|sum| sum.dollars < LEAST && sum.unknown.is_empty()) {
        return None;
    }
    let unknown: Vec<String> =
        then.unknown.iter().map(|(what, page)| format!("what `{page}` has for {what}")).collect();
    let known = Some(amount(then.dollars)).filter(|_| then.dollars >= LEAST || unknown.is_empty());
    let parts: Vec<String> = known.into_iter().chain(unknown).collect();
    let change = then.dollars - now.dollars;
    let change = match (change.abs() < LEAST, change > 0.0) {
        (true, _) => String::new(),
        (false, true) => format!(", {} more than now", number(change)),
        (false, false) => format!(", {} less than now", number(-change)),
    };
    Some(format!(
        "While nobody uses it, the stack costs {}{change}, by AWS's prices of {DATED} in us-east-1.",
        parts.join(" and ")
    ))
}

fn amount(dollars: f64) -> String {
    if dollars < LEAST { "nothing".to_owned() } else { format!("some {} US dollars a month", number(dollars)) }
}

/// Returns an amount with as many digits as one can rely on.
fn number(dollars: f64) -> String {
    if dollars < 10.0 { format!("{dollars:.2}") } else { format!("{dollars:.0}") }
}

#[cfg(test)]
mod tests {
    use stack::costs::Sum;

    use super::*;

    #[test]
    fn costs_are_told_with_what_a_plan_adds() {
        let sum = |dollars: f64, unknown: &[&str]| Sum {
            dollars,
            unknown: unknown.iter().map(|what| ((*what).to_owned(), "https://aws.amazon.com/msk/pricing")).collect(),
        };
        let told = |now, then| text(&Costs { now, then });
        let by = ", by AWS's prices of 2026-08 in us-east-1.";
        assert_eq!(told(sum(0.0, &[]), sum(0.0, &[])), None);
        for (now, then, words) in [
            (sum(0.0, &[]), sum(24.12, &[]), "some 24 US dollars a month, 24 more than now"),
            (sum(24.12, &[]), sum(24.12, &[]), "some 24 US dollars a month"),
            (sum(24.12, &[]), sum(0.4, &[]), "some 0.40 US dollars a month, 24 less than now"),
            (sum(24.12, &[]), sum(0.0, &[]), "nothing, 24 less than now"),
            (
                sum(0.4, &[]),
                sum(0.4, &["`kafka.m9g.large`"]),
                "some 0.40 US dollars a month and what `https://aws.amazon.com/msk/pricing` has for `kafka.m9g.large`",
            ),
            (sum(0.0, &[]), sum(0.0, &["`x`"]), "what `https://aws.amazon.com/msk/pricing` has for `x`"),
        ] {
            assert_eq!(told(now, then).unwrap(), format!("While nobody uses it, the stack costs {words}{by}"));
        }
    }
}
