//! Our statements in the policies of existing buckets that are not ours, in which mail is stored.
//!
//! Such a policy is somebody else's document: it is read, our statement is added or removed, and it is written, one writer at
//! a time; every other statement is written as it was read. S3 has no call for one statement, and no precondition against a
//! document that was read too long ago.
//!
//! Nothing in S3 tells in which of other people's buckets a stack has statements. Our receipt rules do, which name the
//! buckets; for the time in which a rule is gone and its statement is not, the stack's notes do ([`crate::logs::notes`]).

use crate::identity::{Identity, Naming};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_sdk_ses::types::ReceiptRule;
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    Kind, Manage, STATEMENTS_TAG, Session,
    logs::notes,
    rights::{Right, Target, deletes, reads, writes},
    ses::{action::Action, is_own_rule, snapshot},
};
use aws::{
    Detail, OrFail,
    policy::{Policy, Statement},
};
use engine::{Address, Field, Holds, Live, Owned, Owner, Stack, coupled, plain};
use engine::{Class, Failure};

/// Statements in the policies of other people's buckets. Their address is the bucket's name and the statement's id.
#[derive(Debug)]
pub struct BucketStatement;

/// A lock for reading and writing a policy. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Turn(Arc<Mutex<()>>);

impl Turn {
    async fn wait(&self) -> MutexGuard<'_, ()> {
        self.0.lock().await
    }
}

/// Elements with an opposite: `NotAction` replaces `Action`, and so on.
const OTHER: &[&str] = &["principals", "actions", "resources", "other.*"];

const GET: &str = "s3.GetBucketPolicy";
const PUT: &str = "s3.PutBucketPolicy";

/// The result of reading a bucket's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    /// The bucket does not exist.
    NoBucket,
    /// The bucket exists; the text is its policy as written, `None` if it has none.
    Bucket(Option<String>),
}

async fn find(session: &Session, bucket: &str) -> Result<Found, Failure> {
    let call = session.aws.read.s3.get_bucket_policy().bucket(bucket).expected_bucket_owner(&session.aws.realm.account);
    match call.send().await.or_fail(GET) {
        Ok(answer) => Ok(Found::Bucket(answer.policy.filter(|text| !text.is_empty()))),
        Err(failure) if Detail::NoBucketPolicy.is_told_by(&failure) => Ok(Found::Bucket(None)),
        Err(failure) if failure.class == Class::NotFound => Ok(Found::NoBucket),
        Err(failure) => Err(failure),
    }
}

/// Returns the statements of a policy, by id.
fn statements(found: &Found) -> Result<BTreeMap<String, Statement>, Failure> {
    let Found::Bucket(Some(text)) = found else { return Ok(BTreeMap::new()) };
    let policy = Policy::from_json(text).map_err(|error| Failure::found(GET, Class::Other, error.to_string()))?;
    Ok(policy.statements().clone())
}

/// Returns a policy with our statement, or without it; `None` if nothing is left. The document is changed only where our
/// statement is: the other statements may mean more than we know.
fn edited(document: Option<&str>, id: &str, desired: Option<&Statement>) -> Result<Option<String>, Failure> {
    let wrong = |words: &str| Failure::found(GET, Class::Other, format!("Failed to read a policy: {words}"));
    let ours = desired.map(|statement| Policy::new([(id.to_owned(), statement.clone())]).to_json());
    let ours: Option<Value> = ours.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| wrong("ours"))?;
    let Some(document) = document else { return Ok(ours.map(|ours| ours.to_string())) };
    let mut document: Value = serde_json::from_str(document).map_err(|_| wrong("it is not valid JSON"))?;
    let object = document.as_object_mut().ok_or_else(|| wrong("it is not a JSON object"))?;
    let mut all = match object.remove("Statement") {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let is_ours = |statement: &Value| statement.get("Sid") == Some(&json!(id));
    let place = all.iter().position(is_ours).unwrap_or(all.len());
    all.retain(|statement| !is_ours(statement));
    let new = ours.as_ref().and_then(|ours| ours.pointer("/Statement/0")).cloned();
    all.splice(place..place, new);
    if all.is_empty() {
        return Ok(None);
    }
    object.insert("Statement".to_owned(), Value::Array(all));
    Ok(Some(document.to_string()))
}

/// Adds our statement, or removes it.
async fn edit(session: &Session, address: &Address, desired: Option<&Statement>) -> Result<(), Failure> {
    let (bucket, s3, account) = (address.container(), &session.aws.write.s3, &session.aws.realm.account);
    let _alone = session.statements.wait().await;
    let document = match find(session, bucket).await? {
        Found::Bucket(document) => document,
        Found::NoBucket if desired.is_none() => return Ok(()),
        Found::NoBucket => return Err(missing(bucket)),
    };
    let is_there = statements(&Found::Bucket(document.clone()))?.contains_key(&address.name);
    if !is_there && desired.is_none() {
        return Ok(());
    }
    if let Some(policy) = edited(document.as_deref(), &address.name, desired)? {
        let call = s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(account).policy(policy);
        return call.send().await.or_fail(PUT).map(drop);
    }
    let call = s3.delete_bucket_policy().bucket(bucket).expected_bucket_owner(account);
    call.send().await.or_absent("s3.DeleteBucketPolicy").map(drop)
}

/// Returns the failure of a missing bucket, which is not ours to create.
fn missing(bucket: &str) -> Failure {
    let words = format!("there is no bucket `{bucket}` in this account; make it, or leave out its `existing`");
    Failure::found(GET, Class::Invalid, words)
}

fn note(bucket: &str) -> String {
    format!("{STATEMENTS_TAG}{bucket}")
}

/// Returns whether this stack made a statement: its id begins with the stack's, and it serves rules of ours in our region, whose
/// names are no other stack's.
fn is_ours(stack: &Stack, id: &str, statement: &Statement) -> bool {
    let rules = statement.conditions.values().filter_map(|keys| keys.get("aws:sourcearn")).flatten();
    let mut rules = rules.filter_map(|arn| {
        let (set, name) = arn.rsplit_once(":receipt-rule/")?;
        Some((set.split(':').nth(3)?, name))
    });
    IDENTITY.is_given_by(stack, id) && rules.any(|(region, name)| region == stack.region && is_own_rule(stack, name))
}

/// Returns the buckets in which our rules store mail, in whichever set they are.
async fn buckets_of_rules(session: &Session) -> Result<BTreeSet<String>, Failure> {
    let snapshot = snapshot(session).await?;
    let rules = snapshot.sets.values().flatten().filter(|rule| is_own_rule(&session.stack, &rule.name));
    let actions = rules.flat_map(ReceiptRule::actions).map(Action::from_aws);
    let buckets = actions.filter_map(|action| match action {
        Action::S3 { bucket, .. } => Some(bucket),
        _ => None,
    });
    Ok(buckets.collect())
}

type Policies = BTreeMap<String, Result<Found, Failure>>;

async fn policies(session: &Session, buckets: impl IntoIterator<Item = String>) -> Policies {
    let asked = buckets.into_iter().map(|bucket| async move {
        let found = find(session, &bucket).await;
        (bucket, found)
    });
    join_all(asked).await.into_iter().collect()
}

/// The identity of this kind.
pub const IDENTITY: Identity =
    Identity { naming: Naming::Marked, ..Identity::implied("bucket statement", "BucketStatements", 100) };

/// Returns the entry of a statement: a dot ends the bucket's, since no name has one.
pub fn entry(bucket: &str, rule: &str) -> String {
    format!("{bucket}.{rule}")
}

impl Manage for BucketStatement {
    type Settings = Statement;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("effect"),
        plain("principals"),
        plain("actions"),
        plain("resources"),
        plain("conditions.*"),
        coupled("other.*", OTHER),
    ];

    const HOLDS: Holds = Holds::Nothing;

    // A log group has the notes.
    const REFERS_TO: &'static [Kind] = &[Kind::LogGroup];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Existing(Kind::Bucket), &["s3:GetBucketPolicy", "s3:GetEncryptionConfiguration"]),
        reads(Target::Own(Kind::LogGroup), &["logs:ListTagsForResource"]),
        writes(Target::Existing(Kind::Bucket), &["s3:PutBucketPolicy"]),
        writes(Target::Own(Kind::LogGroup), &["logs:TagResource"]),
        deletes(Target::Existing(Kind::Bucket), &["s3:DeleteBucketPolicy", "s3:PutBucketPolicy"]),
        deletes(Target::Own(Kind::LogGroup), &["logs:UntagResource"]),
    ];

    #[cfg(test)]
    fn full() -> Statement {
        crate::registered::statement()
    }

    fn interim(desired: &Statement, live: &Statement) -> Statement {
        desired.united(live).unwrap_or_else(|| desired.clone())
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Statement>>, Failure> {
        let found = find(session, address.container()).await?;
        if found == Found::NoBucket {
            return Err(missing(address.container()));
        }
        // The id has the whole stack in it: nobody else gives such a one.
        Ok(statements(&found)?.remove(&address.name).map(|settings| Live { settings, owner: Owner::Ours }))
    }

    async fn create(session: &Session, address: &Address, desired: &Statement) -> Result<(), Failure> {
        // Noted before the change: a note without a statement does no harm, a statement without one might stay for ever.
        notes::keep(session, &note(address.container()), "").await?;
        edit(session, address, Some(desired)).await
    }

    async fn update(session: &Session, address: &Address, desired: &Statement, _: &Statement) -> Result<(), Failure> {
        Self::create(session, address, desired).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        edit(session, address, None).await?;
        let left = statements(&find(session, address.container()).await?)?;
        if left.iter().any(|(id, statement)| is_ours(&session.stack, id, statement)) {
            return Ok(());
        }
        notes::remove(session, &note(address.container())).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        // Both at once: usually the tags name no other bucket.
        let named = async { Ok(policies(session, buckets_of_rules(session).await?).await) };
        let noted = async {
            let notes = notes::all(session).await?;
            Ok::<_, Failure>(
                notes.into_keys().filter_map(|key| key.strip_prefix(STATEMENTS_TAG).map(str::to_owned)).collect(),
            )
        };
        let (mut found, noted): (Policies, BTreeSet<String>) = tokio::try_join!(named, noted)?;
        let further = noted.iter().filter(|bucket| !found.contains_key(*bucket)).cloned().collect::<Vec<_>>();
        found.extend(policies(session, further).await);
        let mut owned = Vec::new();
        for (bucket, found) in found {
            let found = match found {
                // Somebody changed a rule of ours: where we may not even read, there is no statement of ours.
                Err(failure) if failure.class == Class::Denied && !noted.contains(&bucket) => continue,
                found => found?,
            };
            let ours = statements(&found)?.into_iter().filter(|(id, one)| is_ours(&session.stack, id, one));
            owned.extend(ours.map(|(id, _)| {
                let entry = id.strip_prefix(&format!("{}.", session.stack.id())).unwrap_or(&id).to_owned();
                Owned::new(entry, Address::within(&bucket, id))
            }));
        }
        Ok(owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "mail.eu-west-1.archive.notices";
    /// A policy as somebody else's console wrote it: one statement instead of a list, an old version, an unknown key.
    const THEIRS: &str = r#"{"Version":"2008-10-17","Id":"Policy1","Statement":{"Sid":"logs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"NotAction":"s3:DeleteBucket","Resource":["arn:aws:s3:::example-archive/*"]}}"#;

    fn ours() -> Statement {
        let rule = "arn:aws:ses:eu-west-1:123456789012:receipt-rule-set/office:receipt-rule/mail.notices".to_owned();
        Statement::allow(&["s3:PutObject"], ["arn:aws:s3:::example-archive/*".to_owned()])
            .for_service("ses.amazonaws.com")
            .with_source("123456789012", [rule])
    }

    fn of(document: &str) -> BTreeMap<String, Statement> {
        statements(&Found::Bucket(Some(document.to_owned()))).unwrap()
    }

    #[test]
    fn ours_comes_and_goes_and_theirs_stays_as_it_is() {
        let with = edited(Some(THEIRS), ID, Some(&ours())).unwrap().unwrap();
        assert_eq!(of(&with).get(ID), Some(&ours()));
        let (theirs, both) =
            (serde_json::from_str::<Value>(THEIRS).unwrap(), serde_json::from_str::<Value>(&with).unwrap());
        assert_eq!(both["Statement"][0], theirs["Statement"]);
        assert_eq!((&both["Version"], &both["Id"]), (&theirs["Version"], &theirs["Id"]));
        let without = edited(Some(&with), ID, None).unwrap().unwrap();
        assert_eq!(of(&without), of(THEIRS));
    }

    #[test]
    fn a_changed_one_is_put_right_in_its_place() {
        let with = edited(Some(THEIRS), ID, Some(&ours())).unwrap().unwrap();
        let last = with.replace("\"logs\"", "\"zzz\"").replace("s3:PutObject", "s3:*");
        let put_right = edited(Some(&last), ID, Some(&ours())).unwrap().unwrap();
        assert_eq!(put_right, with.replace("\"logs\"", "\"zzz\""));
    }

    #[test]
    fn a_policy_of_ours_alone_goes_as_a_whole() {
        let with = edited(None, ID, Some(&ours())).unwrap().unwrap();
        assert_eq!(of(&with), BTreeMap::from([(ID.to_owned(), ours())]));
        assert_eq!(edited(Some(&with), ID, None).unwrap(), None);
        assert_eq!(edited(None, ID, None).unwrap(), None);
    }

    #[test]
    fn the_form_of_s3_is_equal_and_one_real_change_is_not() {
        let recorded = edited(Some(THEIRS), ID, Some(&ours())).unwrap().unwrap();
        let turned = recorded
            .replace("aws:sourceaccount", "aws:SourceAccount")
            .replace("[\"s3:PutObject\"]", "\"s3:PutObject\"");
        assert_ne!(turned, recorded);
        assert_eq!(of(&turned).get(ID), Some(&ours()));
        for (from, to) in [("PutObject", "*"), ("mail.notices", "*"), ("ses.amazonaws", "sns.amazonaws")] {
            assert_ne!(of(&recorded.replace(from, to)).get(ID), Some(&ours()), "{from} → {to}");
        }
    }

    #[test]
    fn a_stack_whose_name_begins_like_ours_keeps_its_own() {
        let stack = |id: &str| Stack::parse(id).unwrap();
        let theirs = "mail-archive.eu-west-1.archive.notices";
        assert!(is_ours(&stack("mail.eu-west-1"), ID, &ours()));
        assert!(!is_ours(&stack("mail-archive.eu-west-1"), theirs, &ours()));
        assert!(!is_ours(&stack("mail.us-east-1"), "mail.us-east-1.archive.notices", &ours()), "another region's");
        assert!(!is_ours(&stack("mail.notices.eu-west-1"), ID, &ours()), "another stage's");
        let conditions = ours().conditions.into_iter().map(|(operator, keys)| {
            let keys = keys.into_iter().map(|(key, values)| {
                (key, values.into_iter().map(|value| value.replace("/mail.", "/mail-archive.")).collect())
            });
            (operator, keys.collect())
        });
        let other = Statement { conditions: conditions.collect(), ..ours() };
        assert!(!is_ours(&stack("mail.eu-west-1"), theirs, &other));
        assert!(is_ours(&stack("mail-archive.eu-west-1"), theirs, &other));
    }

    #[test]
    fn a_document_that_is_not_a_policy_is_not_overwritten() {
        for document in ["", "[]", "x"] {
            assert!(edited(Some(document), ID, Some(&ours())).is_err(), "{document}");
        }
    }
}
