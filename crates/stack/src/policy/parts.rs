//! A policy in as many parts as IAM takes: what is attached together allows as much as the whole.

use std::collections::BTreeSet;

use aws::policy::{Policy, Statement};

/// Largest size of a managed policy, in characters without white space. Source: "IAM and AWS STS quotas".
pub const LIMIT: usize = 6_144;

/// Returns a policy in parts that IAM takes, each of at most `limit` characters. The ids of statements, which nothing needs, are left out
/// where the policy then is one. Else statements stay whole where they can, and the first part has as much as it can.
///
/// ```
/// use aws::policy::{Policy, Statement};
/// use stack::policy::parts;
///
/// let read = |bucket: &str| Statement::allow(&["s3:GetObject"], [format!("arn:aws:s3:::{bucket}/*")]);
/// let policy = Policy::new([("Mail".to_owned(), read("mail")), ("Archive".to_owned(), read("archive"))]);
/// let parts = parts(&policy, 150);
/// assert_eq!(parts.len(), 2);
/// assert!(parts.iter().all(|part| part.to_json().len() <= 150));
/// ```
pub fn parts(policy: &Policy, limit: usize) -> Vec<Policy> {
    let unnamed = unnamed(policy);
    if size(policy) > limit && size(&unnamed) <= limit {
        return vec![unnamed];
    }
    let statements = policy.statements().iter().map(|(id, statement)| (id.clone(), statement.clone()));
    let mut parts: Vec<Vec<(String, Statement)>> = Vec::new();
    for (id, statement) in statements.flat_map(|(id, statement)| pieces(&id, statement, limit)) {
        let fitting = parts.iter_mut().find(|part| {
            let with = part.iter().cloned().chain([(id.clone(), statement.clone())]);
            size(&Policy::new(with)) <= limit
        });
        match fitting {
            Some(part) => part.push((id, statement)),
            None => parts.push(vec![(id, statement)]),
        }
    }
    parts.into_iter().map(Policy::new).collect()
}

/// Returns a policy without the ids of its statements: [`Policy`] writes none that begins like this.
fn unnamed(policy: &Policy) -> Policy {
    let statements = policy.statements().values().cloned().enumerate();
    Policy::new(statements.map(|(index, statement)| (format!("unnamed-{}", index + 1), statement)))
}

fn size(policy: &Policy) -> usize {
    policy.to_json().len()
}

/// Returns a statement as it is, or, where it alone is too large, halved by its resources or its actions until it is not. The names of a
/// stack are many where its declaration is long; one name with one action always fits.
fn pieces(id: &str, statement: Statement, limit: usize) -> Vec<(String, Statement)> {
    let alone = Policy::new([(id.to_owned(), statement.clone())]);
    let by_resource = statement.resources.len() >= statement.actions.len();
    let set = if by_resource { &statement.resources } else { &statement.actions };
    if size(&alone) <= limit || set.len() < 2 {
        return vec![(id.to_owned(), statement)];
    }
    let with = |half: BTreeSet<String>| {
        if by_resource {
            Statement { resources: half, ..statement.clone() }
        } else {
            Statement { actions: half, ..statement.clone() }
        }
    };
    let half = set.len() / 2;
    let [first, second] = [set.iter().take(half).cloned().collect(), set.iter().skip(half).cloned().collect()];
    let ended = |end: &str| format!("{id}{end}");
    pieces(&ended("A"), with(first), limit).into_iter().chain(pieces(&ended("B"), with(second), limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(actions: usize, resources: usize) -> Statement {
        let actions: Vec<String> = (0..actions).map(|number| format!("sqs:Action{number}")).collect();
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        Statement::allow(&actions, (0..resources).map(|number| format!("arn:aws:sqs:eu-west-1:123456789012:{number}")))
    }

    /// Returns each action on each resource that a policy allows.
    fn allowed<'policy>(policies: impl IntoIterator<Item = &'policy Policy>) -> BTreeSet<(String, String)> {
        let statements = policies.into_iter().flat_map(|policy| policy.statements().values());
        let pairs = statements.flat_map(|one| {
            one.actions.iter().flat_map(|action| one.resources.iter().map(move |arn| (action.clone(), arn.clone())))
        });
        pairs.collect()
    }

    #[test]
    fn parts_allow_what_the_whole_allows_and_each_is_one_that_iam_takes() {
        for (actions, resources) in [(1, 1), (3, 4), (40, 2), (2, 100), (20, 30)] {
            let statements = ["One", "Three", "Two"].map(|id| (id.to_owned(), statement(actions, resources)));
            let whole = Policy::new(statements);
            for limit in [600, 6_144, 1_000_000] {
                let parts = parts(&whole, limit);
                assert!(parts.iter().all(|part| size(part) <= limit), "{actions} {resources} {limit}");
                assert_eq!(allowed(&parts), allowed([&whole]), "{actions} {resources} {limit}");
                if size(&whole) <= limit {
                    assert_eq!(parts, std::slice::from_ref(&whole));
                }
            }
        }
    }

    #[test]
    fn a_policy_that_fits_without_ids_stays_one() {
        let whole = Policy::new(["One", "Two"].map(|id| (id.to_owned(), statement(10, 10))));
        let one = parts(&whole, size(&whole) - 1);
        assert_eq!((one.len(), allowed(&one)), (1, allowed([&whole])));
        assert!(!one[0].to_json().contains("Sid") && size(&one[0]) + 24 == size(&whole), "{}", one[0].to_json());
    }

    #[test]
    fn a_condition_stays_with_every_piece_of_its_statement() {
        let conditional = statement(2, 200).when("StringEquals", "aws:ResourceTag/a", ["b".to_owned()]);
        let parts = parts(&Policy::new([("One".to_owned(), conditional.clone())]), 1_000);
        assert!(parts.len() > 1);
        for piece in parts.iter().flat_map(|part| part.statements().values()) {
            assert_eq!(piece.conditions, conditional.conditions);
        }
    }
}
