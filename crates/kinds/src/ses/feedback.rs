//! Topics to which SES tells the bounces, complaints and deliveries of an identity, whoever sends from it.
//!
//! The identity is usually not ours, and no tag of it tells who chose its topics: so the stack's notes do, with what was there before,
//! which is there again when the stack goes. Only the types that are declared are ours.

use std::{collections::BTreeMap, fmt};

use aws_sdk_ses::types::{IdentityNotificationAttributes, NotificationType};
use serde::Serialize;

use crate::{
    FEEDBACK_TAG, Input, Kind, Manage, Session,
    identity::Identity,
    logs::notes,
    rights::{Right, Target, deletes, reads, writes},
};
use aws::{ArnForm, OrFail};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Protection, Tags, plain};

/// The topics of an identity's feedback.
#[derive(Debug)]
pub struct Feedback;

/// The topics of an identity, by what they hear of; `None` if nobody does, or if it is not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Topic for mails that no mailbox takes.
    pub bounce: Option<FeedbackTopic>,
    /// Topic for complaints of receivers.
    pub complaint: Option<FeedbackTopic>,
    /// Topic for mails that a receiver has taken.
    pub delivery: Option<FeedbackTopic>,
    /// `true` if the topics of others may be taken.
    #[serde(skip)]
    pub take_over: Input<bool>,
    /// Of a live one, what the notes say of each type that the stack has taken.
    #[serde(skip)]
    pub taken: Input<Taken>,
}

/// A topic, and what it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FeedbackTopic {
    /// ARN of the topic.
    pub topic: String,
    /// `true` if it is told the mail's headers, too.
    pub headers: bool,
}

/// The types of feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// A mail that no mailbox takes.
    Bounce,
    /// A complaint of a receiver.
    Complaint,
    /// A mail that a receiver has taken.
    Delivery,
}

/// Feedback that an identity had before the stack took it, by type; `None` if it had none.
pub type Taken = BTreeMap<Type, Option<FeedbackTopic>>;

impl Type {
    /// Every type of feedback.
    pub const ALL: [Self; 3] = [Self::Bounce, Self::Complaint, Self::Delivery];

    /// Returns the word for it in a declaration, and in a note.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Delivery => "delivery",
        }
    }

    fn to_aws(self) -> NotificationType {
        match self {
            Self::Bounce => NotificationType::Bounce,
            Self::Complaint => NotificationType::Complaint,
            Self::Delivery => NotificationType::Delivery,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl Settings {
    /// Returns the topic of a type.
    pub fn get(&self, of: Type) -> Option<&FeedbackTopic> {
        match of {
            Type::Bounce => self.bounce.as_ref(),
            Type::Complaint => self.complaint.as_ref(),
            Type::Delivery => self.delivery.as_ref(),
        }
    }

    /// Sets the topic of a type.
    pub fn set(&mut self, of: Type, heard: Option<FeedbackTopic>) {
        match of {
            Type::Bounce => self.bounce = heard,
            Type::Complaint => self.complaint = heard,
            Type::Delivery => self.delivery = heard,
        }
    }

    fn from_aws(attributes: &IdentityNotificationAttributes) -> Self {
        let heard = |topic: &str, headers: bool| {
            (!topic.is_empty()).then(|| FeedbackTopic { topic: topic.to_owned(), headers })
        };
        Self {
            bounce: heard(&attributes.bounce_topic, attributes.headers_in_bounce_notifications_enabled),
            complaint: heard(&attributes.complaint_topic, attributes.headers_in_complaint_notifications_enabled),
            delivery: heard(&attributes.delivery_topic, attributes.headers_in_delivery_notifications_enabled),
            ..Self::default()
        }
    }
}

/// Word in a note for what was not there.
const NOTHING: &str = "none";
/// Word behind a topic in a note that was told headers.
const HEADERS: &str = "headers";
/// Form of the ARN of a topic of anybody's, whose name here is `ACCOUNT:TOPIC`.
const TOPIC: ArnForm = ArnForm("sns:{region}:{name}");
/// Longest value of a note.
const LONGEST: usize = 256;

/// Returns the key of a note.
fn key(identity: &str, of: Type) -> String {
    format!("{FEEDBACK_TAG}{of}:{identity}")
}

/// Returns a note of what was there: `none`, or `ACCOUNT:TOPIC`, with `headers` behind it. The region is the identity's own.
fn note(before: Option<&FeedbackTopic>) -> Result<String, Failure> {
    let Some(before) = before else { return Ok(NOTHING.to_owned()) };
    let place: Vec<&str> = before.topic.rsplitn(3, ':').collect();
    let note = match place[..] {
        [name, account, _] => format!("{account}:{name}"),
        _ => before.topic.clone(),
    };
    let note = if before.headers { format!("{note} {HEADERS}") } else { note };
    if note.len() > LONGEST {
        let words = format!("the name of `{}` is too long to be noted, so that it could not be had back", before.topic);
        return Err(Failure::found(SET_TOPIC, Class::Invalid, words));
    }
    Ok(note)
}

/// Reads from a tag of the stack's log group what heard the feedback before; `None` if nothing did.
fn noted(session: &Session, note: &str) -> Option<FeedbackTopic> {
    let (place, headers) = note.split_once(' ').map_or((note, false), |(place, rest)| (place, rest == HEADERS));
    (place != NOTHING).then(|| FeedbackTopic { topic: session.aws.realm.arn(TOPIC, "", place).into(), headers })
}

/// Returns what was there before, for each type of an identity that the stack has taken.
fn taken(session: &Session, notes: &Tags, identity: &str) -> Taken {
    let taken = Type::ALL.into_iter().filter_map(|of| Some((of, noted(session, notes.get(&key(identity, of))?))));
    taken.collect()
}

const ATTRIBUTES: &str = "ses.GetIdentityNotificationAttributes";
const SET_TOPIC: &str = "ses.SetIdentityNotificationTopic";

/// Returns the topics of identities, whosever they are. Identities that SES does not know have none.
pub async fn all(session: &Session, identities: &[String]) -> Result<BTreeMap<String, Settings>, Failure> {
    let mut found = BTreeMap::new();
    for some in identities.chunks(100) {
        session.aws.receipt_rules.pass().await;
        let call = session.aws.read.ses.get_identity_notification_attributes();
        let answer = call.set_identities(Some(some.to_vec())).send().await.or_fail(ATTRIBUTES)?;
        let attributes = answer.notification_attributes.into_iter();
        found.extend(attributes.map(|(identity, attributes)| (identity, Settings::from_aws(&attributes))));
    }
    Ok(found)
}

/// Returns the topics that others chose for types that are declared, and that the stack has not taken: by identity and type.
pub async fn of_others(
    session: &Session,
    declared: &BTreeMap<String, Settings>,
) -> Result<Vec<(String, Type, String)>, Failure> {
    let identities: Vec<String> = declared.keys().cloned().collect();
    let (found, notes) = tokio::try_join!(all(session, &identities), notes::all(session))?;
    let mut others = Vec::new();
    for (identity, desired) in declared {
        let taken = taken(session, &notes, identity);
        for of in Type::ALL {
            let (Some(wanted), Some(there)) = (desired.get(of), found.get(identity).and_then(|live| live.get(of)))
            else {
                continue;
            };
            if wanted.topic != there.topic && !taken.contains_key(&of) {
                others.push((identity.clone(), of, there.topic.clone()));
            }
        }
    }
    Ok(others)
}

/// Sets a topic, and what it is told; `None` takes it away.
async fn write(session: &Session, identity: &str, of: Type, heard: Option<&FeedbackTopic>) -> Result<(), Failure> {
    let ses = &session.aws.write.ses;
    session.aws.receipt_rules.pass().await;
    let call = ses.set_identity_notification_topic().identity(identity).notification_type(of.to_aws());
    call.set_sns_topic(heard.map(|heard| heard.topic.clone())).send().await.or_fail(SET_TOPIC)?;
    session.aws.receipt_rules.pass().await;
    let call = ses.set_identity_headers_in_notifications_enabled().identity(identity);
    let call = call.notification_type(of.to_aws()).enabled(heard.is_some_and(|heard| heard.headers));
    call.send().await.or_fail("ses.SetIdentityHeadersInNotificationsEnabled").map(drop)
}

/// Takes the topic of a type for the stack. What was there is noted first: a note without its topic does no harm.
async fn take(
    session: &Session,
    identity: &str,
    of: Type,
    (wanted, there): (&FeedbackTopic, Option<&FeedbackTopic>),
    take_over: bool,
) -> Result<(), Failure> {
    if let Some(other) = there.filter(|there| there.topic != wanted.topic && !take_over) {
        let words = format!("not touched: {of}s of `{identity}` go to `{}`, which is not this stack's", other.topic);
        return Err(Failure::found(SET_TOPIC, Class::Invalid, words));
    }
    let before = there.filter(|there| there.topic != wanted.topic);
    notes::keep(session, &key(identity, of), &note(before)?).await?;
    write(session, identity, of, Some(wanted)).await
}

/// Gives a type back: what was there before is there again, unless somebody has chosen another topic since.
async fn give_back(
    session: &Session,
    identity: &str,
    of: Type,
    (before, there): (Option<&FeedbackTopic>, Option<&FeedbackTopic>),
) -> Result<(), Failure> {
    let is_ours = |there: &FeedbackTopic| {
        let name = there.topic.rsplit(':').next().unwrap_or_default();
        session.aws.realm.has(&there.topic) && crate::sns::topic::IDENTITY.is_given_by(&session.stack, name)
            || session.tagged.entries().any(|(kind, _, named)| kind == Kind::Topic && named == name)
    };
    if there.is_none_or(is_ours) {
        write(session, identity, of, before).await?;
    }
    notes::remove(session, &key(identity, of)).await
}

/// Returns the topics of an identity, with what the stack has taken of them; `None` if it has taken nothing.
async fn live(session: &Session, identity: &str) -> Result<Option<Settings>, Failure> {
    let notes = notes::all(session).await?;
    let taken = taken(session, &notes, identity);
    if taken.is_empty() {
        return Ok(None);
    }
    let live = all(session, &[identity.to_owned()]).await?.remove(identity).unwrap_or_default();
    Ok(Some(Settings { taken: Input(taken), ..live }))
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity::implied("identity feedback", "IdentityFeedback", 320);

impl Manage for Feedback {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[plain("bounce.*"), plain("complaint.*"), plain("delivery.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Topic, Kind::LogGroup];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Everything, &["ses:GetIdentityNotificationAttributes"]),
        reads(Target::Own(Kind::LogGroup), &["logs:ListTagsForResource"]),
        writes(Target::Own(Kind::LogGroup), &["logs:TagResource"]),
        writes(
            Target::Everything,
            &["ses:SetIdentityHeadersInNotificationsEnabled", "ses:SetIdentityNotificationTopic"],
        ),
        deletes(
            Target::Everything,
            &["ses:SetIdentityHeadersInNotificationsEnabled", "ses:SetIdentityNotificationTopic"],
        ),
        deletes(Target::Own(Kind::LogGroup), &["logs:UntagResource"]),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::text;
        let heard = || Some(FeedbackTopic { topic: text(), headers: true });
        Settings { bounce: heard(), complaint: heard(), delivery: heard(), ..Settings::default() }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let live = live(session, &address.name).await?;
        Ok(live.map(|settings| Live { settings, owner: Owner::Ours }))
    }

    /// Leaves types alone that are not declared and were never taken.
    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        for of in Type::ALL {
            if desired.get(of).is_none() && !live.taken.contains_key(&of) {
                desired.set(of, live.get(of).cloned());
            }
        }
        Vec::new()
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        let identity = &address.name;
        let there = all(session, std::slice::from_ref(identity)).await?.remove(identity).unwrap_or_default();
        for of in Type::ALL {
            if let Some(wanted) = desired.get(of) {
                take(session, identity, of, (wanted, there.get(of)), *desired.take_over).await?;
            }
        }
        Ok(())
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let identity = &address.name;
        for of in Type::ALL.into_iter().filter(|of| desired.get(*of) != live.get(*of)) {
            match (desired.get(of), live.taken.get(&of)) {
                // Somebody changed what was ours.
                (Some(wanted), Some(_)) => write(session, identity, of, Some(wanted)).await?,
                (Some(wanted), None) => take(session, identity, of, (wanted, live.get(of)), *desired.take_over).await?,
                (None, Some(before)) => give_back(session, identity, of, (before.as_ref(), live.get(of))).await?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let identity = &address.name;
        let Some(there) = live(session, identity).await? else { return Ok(()) };
        for (of, before) in there.taken.iter() {
            give_back(session, identity, *of, (before.as_ref(), there.get(*of))).await?;
        }
        Ok(())
    }

    /// Lists by the notes.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let notes = notes::all(session).await?;
        let named = notes.keys().filter_map(|key| key.strip_prefix(FEEDBACK_TAG)?.split_once(':'));
        let identities: std::collections::BTreeSet<&str> = named.map(|(_, identity)| identity).collect();
        Ok(identities.into_iter().map(|identity| Owned::new(identity, Address::of(identity))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_there() {
        let heard = |topic: &str, headers| FeedbackTopic { topic: topic.to_owned(), headers };
        for (before, expected) in [
            (None, "none"),
            (Some(heard("arn:aws:sns:eu-west-1:123456789012:theirs", false)), "123456789012:theirs"),
            (Some(heard("arn:aws:sns:eu-west-1:210987654321:theirs", true)), "210987654321:theirs headers"),
        ] {
            assert_eq!(note(before.as_ref()), Ok(expected.to_owned()));
        }
        let long = heard(&format!("arn:aws:sns:eu-west-1:123456789012:{}", "a".repeat(256)), false);
        assert!(note(Some(&long)).unwrap_err().message.contains("too long to be noted"));
    }

    #[test]
    fn types_that_are_neither_declared_nor_taken_stay() {
        let heard = |topic: &str| Some(FeedbackTopic { topic: topic.to_owned(), headers: false });
        let mut desired = Settings { bounce: heard("ours"), ..Settings::default() };
        let taken = Taken::from([(Type::Bounce, None), (Type::Complaint, None)]);
        let live = Settings {
            bounce: heard("ours"),
            complaint: heard("ours"),
            delivery: heard("theirs"),
            taken: Input(taken),
            ..Settings::default()
        };
        Feedback::keep_protections(&mut desired, &live);
        assert_eq!((desired.complaint.clone(), desired.delivery.clone()), (None, heard("theirs")));
    }
}
