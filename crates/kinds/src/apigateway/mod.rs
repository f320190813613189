//! Kinds of API Gateway's resources: HTTP APIs, version 2 of its interface.

pub mod api;
mod stage;
mod wire;

use std::sync::Arc;

use aws_sdk_apigatewayv2::types::Api;
use tokio::sync::Mutex;

use crate::{Session, own_tags};
use aws::OrFail;
use engine::{Class, ENTRY_TAG, Failure, STACK_TAG, Tags};

/// Largest page of a list; this interface takes it as a text.
const PAGE: &str = "500";

/// The APIs of the account as they were read last, for the many permissions and alarms that name one. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Apis(Arc<Mutex<Option<Arc<Vec<Api>>>>>);

impl Apis {
    /// Forgets them: before another pass, and after each write.
    pub async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

/// Returns every API of the account in the region, with its tags, as they were read last; the first caller of a pass reads them.
async fn known(session: &Session) -> Result<Arc<Vec<Api>>, Failure> {
    let mut known = session.apis.0.lock().await;
    if let Some(known) = known.as_ref() {
        return Ok(Arc::clone(known));
    }
    let read = Arc::new(read(session).await?);
    *known = Some(Arc::clone(&read));
    Ok(read)
}

/// Returns every API of the account in the region, with its tags, as they are now.
async fn all(session: &Session) -> Result<Arc<Vec<Api>>, Failure> {
    session.apis.forget().await;
    known(session).await
}

async fn read(session: &Session) -> Result<Vec<Api>, Failure> {
    let (mut found, mut next) = (Vec::new(), None);
    loop {
        session.aws.apis.pass().await;
        let call = session.aws.read.apis.get_apis().max_results(PAGE).set_next_token(next);
        let page = call.send().await.or_fail("apigatewayv2.GetApis")?;
        found.extend(page.items.unwrap_or_default());
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(found);
        }
    }
}

fn tags_of(api: &Api) -> Tags {
    own_tags(api.tags.clone().unwrap_or_default())
}

/// Returns the API that is called so: by the id that AWS gave it, or, before anybody knows that, by the name that its entry has. Names
/// are not unique, so that its tags tell it. Two with the tags of one entry are an error.
async fn find(session: &Session, name: &str) -> Result<Option<Api>, Failure> {
    find_among(session, &all(session).await?, name)
}

fn find_among(session: &Session, apis: &[Api], name: &str) -> Result<Option<Api>, Failure> {
    let is_named = |api: &Api| {
        let tags = tags_of(api);
        let entry = tags.get(ENTRY_TAG).filter(|_| tags.get(STACK_TAG) == Some(&session.stack.id()));
        entry.is_some_and(|entry| api::IDENTITY.name_of(&session.stack, &session.aws.realm.account, entry) == name)
    };
    if let Some(api) = apis.iter().find(|api| api.api_id.as_deref() == Some(name)) {
        return Ok(Some(api.clone()));
    }
    let mut named = apis.iter().filter(|api| is_named(api));
    match (named.next(), named.next()) {
        (Some(one), Some(other)) => {
            let id = |api: &Api| api.api_id.clone().unwrap_or_default();
            let words = format!(
                "`{}` and `{}` have the tags of one entry; take `{STACK_TAG}` and `{ENTRY_TAG}` from the one that is not it",
                id(one),
                id(other)
            );
            Err(Failure::found("apigatewayv2.GetApis", Class::Other, words))
        }
        (found, _) => Ok(found.cloned()),
    }
}

/// Beginning and end of what stands for the id of an API of the stack, around its name: AWS chooses the id when the API is created, and
/// everything that names it is declared before.
const STANDS_FOR_ID: (&str, &str) = ("(id of ", ")");

/// Returns what stands for the id of an API of the stack in settings, declared and live ones.
pub fn id_of(name: &str) -> String {
    let (beginning, end) = STANDS_FOR_ID;
    format!("{beginning}{name}{end}")
}

/// Returns a text for a call: with the id of an API in place of what stands for it. It is an error if there is no such API.
pub(crate) async fn with_id(session: &Session, text: &str) -> Result<String, Failure> {
    let (beginning, end) = STANDS_FOR_ID;
    let Some((before, rest)) = text.split_once(beginning) else { return Ok(text.to_owned()) };
    let Some((name, behind)) = rest.split_once(end) else { return Ok(text.to_owned()) };
    let missing = || Failure::found("apigatewayv2.GetApis", Class::NotYet, format!("API `{name}` is not there"));
    let found = match find_among(session, &known(session).await?, name)? {
        Some(found) => Some(found),
        // It may have been made since.
        None => find(session, name).await?,
    };
    let id = found.and_then(|api| api.api_id).ok_or_else(missing)?;
    Ok(format!("{before}{id}{behind}"))
}

/// Returns what stands for an id that was read, if it is that of an API of the stack; else the id.
pub(crate) async fn without_id(session: &Session, id: &str) -> Result<String, Failure> {
    let of_id = |apis: &[Api]| apis.iter().find(|api| api.api_id.as_deref() == Some(id)).map(tags_of);
    let found = match of_id(&known(session).await?) {
        Some(found) => Some(found),
        None => of_id(&all(session).await?),
    };
    let ours = found.filter(|tags| tags.get(STACK_TAG) == Some(&session.stack.id()));
    let name = |entry: &String| api::IDENTITY.name_of(&session.stack, &session.aws.realm.account, entry);
    Ok(ours.and_then(|tags| tags.get(ENTRY_TAG).map(name)).map_or_else(|| id.to_owned(), |name| id_of(&name)))
}
