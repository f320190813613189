//! Tracks each mail that one sends, for each recipient: the log of SES's events and a status by precedence, in a database of MySQL,
//! with a cache in Redis.
//!
//! Events come in any order, late and more than once. So nothing here counts or overwrites: an event is a row under an id that follows from
//! its text, and a status only rises ([`Status`]). Whatever the order, and however often an event is applied, the same events give the
//! same rows. The database is the only truth. Redis is asked before it, told after it, and may be lost at any time.
//!
//! | table | rows | written by |
//! |---|---|---|
//! | `sent_mail` | one per mail, begun before SES is asked | the sender ([`Recording`]) |
//! | `mail` | one per mail and recipient: its status. `sent_at` is `NULL` as long as no sender's record is known: the mail is *parked* | both |
//! | `mail_event` | one per event and recipient | the worker ([`Store::apply`]) |

mod cache;
mod change;
mod database;
mod fault;
mod recording;
mod redis_cache;
mod schema;
mod status;
mod store;
mod tracked;

pub use cache::{Cache, NoCache};
pub use change::{Change, EventId, Unstorable, changes};
pub use database::{Database, Location, NotLocation};
pub use fault::Fault;
pub use recording::{Begun, Recorded, Recording};
pub use redis_cache::{NotCacheAddress, RedisCache};
pub use schema::VERSION;
pub use status::Status;
pub use store::{Standing, Store};
pub use tracked::{Happened, Selection, Tracked};
