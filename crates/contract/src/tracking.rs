//! Delivery tracking: the variables by which the function `tracking` and the command line find its database and its cache.

/// Name of the function's package.
pub const PACKAGE: &str = "tracking";
/// Variable with the address of the database, with user and password: `mysql://USER:PASSWORD@HOST:3306/DATABASE`. A secret.
pub const DATABASE_URL: &str = "DATABASE_URL";
/// Variable with certificates of the database's authorities, as PEM; absent for RDS's own.
pub const DATABASE_CA: &str = "DATABASE_CA";
/// Variable with the address of the cache, with its password: `rediss://:PASSWORD@HOST:6379`. A secret.
pub const CACHE_URL: &str = "CACHE_URL";
