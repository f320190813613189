//! The configuration, read once from the environment at the start.

use contract::{
    context::{self, Context},
    tracking::{CACHE_URL, DATABASE_CA, DATABASE_URL},
};
use delivery::{Database, Location, RedisCache};
use runtime::{
    Credentials, Deadline, SecretSource,
    environment::{Aws, ConfigurationError, Reader, SecretPlace},
};
use serde_json::Value;

/// Where the program runs.
#[derive(Debug, Clone, Copy)]
enum Home {
    Lambda,
    Server,
}

/// The configuration of the function.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// Context: the function's name and its stack.
    pub context: Context,
    /// Where the database is.
    pub database: DatabasePlace,
    /// Certificates of the database's authorities, as PEM; `None` for RDS's.
    pub ca: Option<String>,
    /// Where the cache is; `None` if there is none.
    pub cache: Option<CachePlace>,
    /// Region and credentials of AWS.
    pub aws: Aws<Credentials>,
}

/// The place of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabasePlace {
    /// Database of the stack, whose password is in a secret that AWS rotates.
    OfStack(context::Database),
    /// Another one: the secret is its address, with user and password.
    Address(SecretPlace),
}

/// The place of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CachePlace {
    /// Cache of the stack.
    OfStack(context::Cache),
    /// Another one: the secret is its address, with the password.
    Address(SecretPlace),
}

impl Configuration {
    /// Reads the configuration of the function; `variable` looks one up. Everything that is wrong is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        Self::read_in(Home::Lambda, variable)
    }

    /// Reads the configuration of the worker, which lacks what Lambda alone sets.
    pub fn read_for_worker(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        Self::read_in(Home::Server, variable)
    }

    fn read_in(home: Home, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let context = reader.context();
        let database = database(&mut reader, context.as_ref());
        let cache = cache(&mut reader, context.as_ref());
        let ca = reader.optional(DATABASE_CA);
        let aws = match home {
            Home::Lambda => reader.aws().map(Aws::of_any_kind),
            Home::Server => reader.aws_on_server(),
        };
        let all = context.zip(database).zip(aws);
        reader.finish(all.map(|((context, database), aws)| Self { context, database, ca, cache, aws }))
    }

    /// Returns the beginning of the cache's keys: the stack with its stage.
    pub fn prefix(&self) -> String {
        let Context { stack, stage, .. } = &self.context;
        stage.as_ref().map_or_else(|| stack.clone(), |stage| format!("{stack}-{stage}"))
    }

    /// Returns the database, with the password as it is now. No call is made to the database itself.
    pub async fn open_database(&self, deadline: Deadline) -> Result<Database, String> {
        let ca = self.ca.as_deref();
        let location = match &self.database {
            DatabasePlace::OfStack(place) => {
                let secret = self.secret(SecretPlace::SecretsManager(place.secret.clone()), deadline).await?;
                let document: Value = serde_json::from_str(&secret).unwrap_or_default();
                let password = document
                    .get("password")
                    .and_then(Value::as_str)
                    .ok_or("the database's secret has no `password`")?;
                runtime::remember(&password.into());
                Location::of(&place.host, place.port, &place.name, &place.user, password, ca)
            }
            DatabasePlace::Address(place) => {
                let secret = self.secret(place.clone(), deadline).await?;
                Location::read(&secret, ca).map_err(|error| format!("`{DATABASE_URL}`: {error}"))?
            }
        };
        Ok(Database::new(location))
    }

    /// Returns the cache before that database; `None` if none is configured.
    pub async fn open_cache(&self, database: &str, deadline: Deadline) -> Result<Option<RedisCache>, String> {
        let url = match &self.cache {
            None => return Ok(None),
            Some(CachePlace::Address(place)) => self.secret(place.clone(), deadline).await?,
            Some(CachePlace::OfStack(place)) => {
                let scheme = if place.tls { "rediss" } else { "redis" };
                let password = match &place.secret {
                    Some(name) => self.secret(SecretPlace::SecretsManager(name.clone()), deadline).await?,
                    None => String::new(),
                };
                let password = if password.is_empty() { password } else { format!(":{}@", escaped(&password)) };
                format!("{scheme}://{password}{}:{}", place.host, place.port)
            }
        };
        RedisCache::new(&url, &self.prefix(), database).map(Some).map_err(|error| format!("`{CACHE_URL}`: {error}"))
    }

    async fn secret(&self, place: SecretPlace, deadline: Deadline) -> Result<String, String> {
        let source = SecretSource::at(place, &self.aws);
        source.until(deadline);
        source.read().await.map(|secret| secret.expose().to_owned())
    }
}

/// Returns a password with everything escaped but letters and digits, as it stands in an address.
fn escaped(password: &str) -> String {
    let escape = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    password.bytes().map(escape).collect()
}

fn database(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<DatabasePlace> {
    let databases = context.map(|context| &context.databases)?;
    let mut all = databases.values();
    match (all.next(), all.next()) {
        (Some(only), None) => Some(DatabasePlace::OfStack(only.clone())),
        (Some(_), Some(_)) => {
            reader.problem(context::VARIABLE, "names more than one database: the function's `databases` must name one");
            None
        }
        (None, _) => {
            let is_address = |url: &str| Location::read(url, None).is_ok();
            let malformed = "is not an address such as `mysql://USER:PASSWORD@HOST:3306/DATABASE`";
            reader.secret(DATABASE_URL, context, is_address, malformed).map(DatabasePlace::Address)
        }
    }
}

fn cache(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<CachePlace> {
    let context = context?;
    if let Some(place) = context.caches.values().next() {
        if context.caches.len() > 1 {
            reader.problem(context::VARIABLE, "names more than one cache: the function's `caches` must name one");
        }
        return Some(CachePlace::OfStack(place.clone()));
    }
    let is_named = context.secrets.contains_key(CACHE_URL) || reader.optional(CACHE_URL).is_some();
    if !is_named {
        return None;
    }
    let is_address = |url: &str| RedisCache::new(url, "", "").is_ok();
    let malformed = "is not an address such as `rediss://:PASSWORD@HOST:6379`";
    reader.secret(CACHE_URL, Some(context), is_address, malformed).map(CachePlace::Address)
}
