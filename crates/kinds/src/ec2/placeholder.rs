//! Placeholders for ids that AWS chooses. Settings name a resource of the stack by a placeholder, both declared settings, since the id does not
//! exist before the resource, and live ones, so that the two can be compared. Calls have the id.

use std::collections::BTreeSet;

use super::{find_among, members, members_now, name_of, resource_type::RESOURCE_TYPES};
use crate::{Kind, Session};
use aws::query::Element;
use engine::{Class, Failure};

/// Beginning and end of a placeholder. Between them are the name of the kind and that of the resource.
const STANDS_FOR_ID: (&str, &str) = ("(id of ", ")");

/// Returns the placeholder for the id of a resource of the stack, by its kind and derived name.
///
/// ```
/// use kinds::{Kind, ec2};
///
/// assert_eq!(ec2::id_of(Kind::Subnet, "circuits-main-private-1"), "(id of subnet circuits-main-private-1)");
/// ```
pub fn id_of(kind: Kind, name: &str) -> String {
    let (beginning, end) = STANDS_FOR_ID;
    format!("{beginning}{} {name}{end}", kind.name())
}

/// Returns the beginning of the placeholders of a kind.
pub(crate) fn stands_for_id(kind: Kind) -> String {
    format!("{}{} ", STANDS_FOR_ID.0, kind.name())
}

/// Replaces a placeholder in a text, if there is one, by the id. The result is for calls.
///
/// # Errors
///
/// If the resource does not exist, of a class that is tried again: it may have been created a moment ago.
pub(crate) async fn with_id(session: &Session, text: &str) -> Result<String, Failure> {
    let (beginning, end) = STANDS_FOR_ID;
    let Some((before, (inner, behind))) =
        text.split_once(beginning).and_then(|(before, rest)| Some((before, rest.split_once(end)?)))
    else {
        return Ok(text.to_owned());
    };
    let named = RESOURCE_TYPES.iter().find_map(|resource_type| {
        Some((*resource_type, inner.strip_prefix(resource_type.kind.name())?.strip_prefix(' ')?))
    });
    let Some((resource_type, name)) = named else { return Ok(text.to_owned()) };
    let id = if let Some(id) = session.networks.created_id(resource_type.kind, name).await {
        id
    } else {
        let found = match find_among(session, resource_type, &members(session, resource_type).await?, name)? {
            Some(found) => Some(found),
            None => find_among(session, resource_type, &members_now(session, resource_type).await?, name)?,
        };
        let words = || format!("the {} `{name}` is not there", resource_type.kind.name());
        let found = found.ok_or_else(|| Failure::found(&resource_type.call(), Class::NotYet, words()))?;
        found.text(resource_type.id).to_owned()
    };
    Ok(format!("{before}{id}{behind}"))
}

/// Replaces the placeholders in a set of texts, see [`with_id`].
pub(crate) async fn with_set(session: &Session, texts: &BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
    Ok(with_ids(session, texts).await?.into_iter().collect())
}

/// Replaces the placeholders in some texts, see [`with_id`].
pub(crate) async fn with_ids<'text>(
    session: &Session,
    texts: impl IntoIterator<Item = &'text String>,
) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    for text in texts {
        ids.push(with_id(session, text).await?);
    }
    Ok(ids)
}

/// Replaces an id that was read by its placeholder, if it is the id of a resource of the stack; returns any other id as it is.
pub(crate) async fn without_id(session: &Session, id: &str) -> Result<String, Failure> {
    let Some(resource_type) = RESOURCE_TYPES.iter().find(|resource_type| id.starts_with(resource_type.prefix)).copied()
    else {
        return Ok(id.to_owned());
    };
    if !session.networks.is_declared(resource_type.kind)
        && session.indexed(resource_type.kind).is_ok_and(|names| names.is_empty())
    {
        return Ok(id.to_owned());
    }
    let of_id = |members: &[Element]| {
        let found = members.iter().find(|member| member.text(resource_type.id) == id);
        found.and_then(|member| name_of(session, resource_type.kind, member))
    };
    let name = of_id(&members(session, resource_type).await?);
    Ok(name.map_or_else(|| id.to_owned(), |name| id_of(resource_type.kind, &name)))
}

/// Replaces ids that were read, see [`without_id`].
pub(crate) async fn without_ids(session: &Session, ids: &BTreeSet<String>) -> Result<BTreeSet<String>, Failure> {
    let mut texts = BTreeSet::new();
    for id in ids {
        texts.insert(without_id(session, id).await?);
    }
    Ok(texts)
}
