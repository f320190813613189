//! Tests the command line in a company's network and with a company's credentials: proxies, authorities of its own, profiles, single
//! sign-on. Everything listens on 127.0.0.1.

mod profiles;
mod proxies;
mod servers;

/// A declaration that calls many services and builds no code.
const DECLARATION: &str = "\
stack: net
region: eu-west-1
buckets: {mail: {}}
queues: {failed: {}}
topics: {people: {}}
";

/// Credentials that the environment holds.
const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// The environment of a run, and what its errors say.
type Row<'row> = (&'row [(&'row str, &'row str)], &'row [&'row str]);
