//! Tests of the library on real servers: MariaDB and Redis from Debian, started by the tests on ports of 127.0.0.1. Where they are not
//! installed, a test says so and does nothing; `PROVISION_REQUIRE=mariadb,redis` makes that a failure.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and prints its figures")]

mod cache;
mod deadlock;
mod model;
mod orders;
mod recording;
mod schema;
mod servers;
mod trust;
