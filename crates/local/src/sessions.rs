//! The sessions of instances: each has a token, as an instance in Lambda has, which its requests to AWS carry. It tells on which items an
//! instance works while it sends a message.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use contract::secret::Secret;
use data_encoding::HEXLOWER;

/// The items that instances work on, by the token of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

/// The session of one instance after the other; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Session {
    sessions: Sessions,
    token: String,
}

impl Sessions {
    /// Opens a session under a random token.
    pub(crate) fn open(&self) -> Result<Session, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        Ok(Session { sessions: self.clone(), token: HEXLOWER.encode(&random) })
    }

    /// Returns the item that the instance with a token works on; `None` if there is none, or several.
    pub(crate) fn item_of(&self, token: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).and_then(|items| match &items[..] {
            [item] => Some(item.clone()),
            _ => None,
        })
    }
}

impl Session {
    /// Returns the token of the session.
    pub(crate) fn token(&self) -> Secret {
        self.token.clone().into()
    }

    /// Sets the items that the instance works on from now on.
    pub(crate) fn work_on(&self, items: Vec<String>) {
        self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner).insert(self.token.clone(), items);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_the_one_item_that_its_instance_works_on() {
        let sessions = Sessions::default();
        let session = sessions.open().unwrap();
        let token = session.token().expose().to_owned();
        assert_eq!(sessions.item_of(&token), None);
        session.work_on(vec!["a".to_owned()]);
        assert_eq!(sessions.item_of(&token), Some("a".to_owned()));
        session.work_on(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(sessions.item_of(&token), None);
        session.work_on(vec!["b".to_owned()]);
        drop(session);
        assert_eq!(sessions.item_of(&token), None);
    }
}
