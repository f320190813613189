//! Why a database did not do what it was asked.

use mysql_async::{Error, IoError};
use thiserror::Error;

/// The reasons why something is not in the database, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// The database is away, or busy, or not as it should be. Another attempt may succeed; nothing is wrong with the rows.
    #[error("{0}")]
    Away(String),
    /// The database does not take user or password: the secret may have another one by now.
    #[error("{0}")]
    Denied(String),
    /// The database will never take these rows.
    #[error("{0}")]
    Refused(String),
}

/// Servers' errors after which the same transaction may succeed at once: a deadlock, and a lock that was not had in time.
const AGAIN: [u16; 2] = [1205, 1213];
/// Errors about user and password: `ER_DBACCESS_DENIED_ERROR`, `ER_ACCESS_DENIED_ERROR`, and without a password the same.
const DENIED: [u16; 3] = [1044, 1045, 1698];
/// Errors about the rows themselves whose state is a general one: a packet that is too large, a text that is not in the column's set.
const OF_ROWS: [u16; 2] = [1153, 1366];
/// Class of states in SQL for values that do not fit, such as 22001 (`ER_DATA_TOO_LONG`).
const DATA_EXCEPTION: &str = "22";

/// Returns `true` if the same transaction may succeed at once.
pub(crate) fn is_again(error: &Error) -> bool {
    matches!(error, Error::Server(error) if AGAIN.contains(&error.code))
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Server(error) if DENIED.contains(&error.code) => Self::Denied(format!(
                "the database answers {}: {}; the secret has another user or password, or the user may not use it",
                error.code, error.message
            )),
            // The message may quote the value, which is somebody's address.
            Error::Server(error) if error.state.starts_with(DATA_EXCEPTION) || OF_ROWS.contains(&error.code) => {
                Self::Refused(format!("the database refuses the row: error {} ({})", error.code, error.state))
            }
            Error::Server(error) => Self::Away(format!("the database answers {}: {}", error.code, error.message)),
            Error::Io(IoError::Tls(error)) => Self::Away(format!(
                "the database's certificate is not trusted, or it does not speak TLS: {error}; `DATABASE_CA` can name its authority"
            )),
            Error::Io(IoError::Io(error)) => Self::Away(format!("the database cannot be reached: {error}")),
            other => Self::Away(format!("the database: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::ServerError;

    use super::*;

    fn of(code: u16, state: &str) -> Fault {
        Fault::from(Error::Server(ServerError { code, message: "ada@example.org".to_owned(), state: state.to_owned() }))
    }

    #[test]
    fn only_values_that_do_not_fit_are_refused_for_good() {
        for (code, state) in [(1406, "22001"), (1264, "22003"), (1292, "22007"), (1366, "HY000"), (1153, "08S01")] {
            let Fault::Refused(reason) = of(code, state) else { panic!("{code}") };
            assert!(!reason.contains("ada"), "{reason}");
        }
        // Full disks, read-only replicas after a failover, too many connections, a table that is not there: nothing is wrong with the event.
        for (code, state) in
            [(1021, "HY000"), (1290, "HY000"), (1040, "08004"), (1146, "42S02"), (1213, "40001"), (1053, "08S01")]
        {
            assert!(matches!(of(code, state), Fault::Away(_)), "{code}");
        }
        assert!(matches!(of(1045, "28000"), Fault::Denied(_)));
    }
}
