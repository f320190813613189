//! Where the records of mails are kept: in a table of `DynamoDB`, in the database of delivery tracking, or in both.

use std::future::Future;

use aws::{Clients, Detail, json};
use delivery::{Database, Fault, Recorded, Recording};
use engine::{Class, Failure};
use serde_json::Value;

use crate::{
    record::{Earlier, Record, Sent},
    send::Begun,
    table,
};

const TRANSACTION: &str = "TransactWriteItems";

/// A place of records. Each call is made once, and can be made again.
pub trait Records {
    /// Returns what is known of a request of this sender; `None` if nothing is.
    fn find(&self, sender: &str, request: &str) -> impl Future<Output = Result<Option<Earlier>, Failure>>;
    /// Writes the pending record, unless there is one of the same request.
    fn begin(&self, record: &Record) -> impl Future<Output = Result<Begun, Failure>>;
    /// Writes that the mail was sent: a record is sent or pending, and never both.
    fn confirm(&self, record: &Record, sent: &Sent) -> impl Future<Output = Result<(), Failure>>;
    /// Removes the pending record of a mail that SES has refused.
    fn withdraw(&self, record: &Record) -> impl Future<Output = Result<(), Failure>>;
}

/// Records in a table of `DynamoDB`, which the function `mail-events` reads.
#[derive(Debug, Clone, Copy)]
pub struct Table<'session> {
    /// Clients, which make each call once.
    pub clients: &'session Clients,
    /// Name of the table in AWS.
    pub name: &'session str,
}

impl Table<'_> {
    /// Makes a transaction; returns `false` if a condition did not hold.
    async fn transact(&self, document: Value) -> Result<bool, Failure> {
        match self.clients.dynamodb.call(json::Call::new(TRANSACTION, document)).await {
            Ok(_) => Ok(true),
            Err(failure) if Detail::ConditionFailed.is_told_by(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

impl Records for Table<'_> {
    async fn find(&self, sender: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        let document = table::find(self.name, sender, request);
        let answer = self.clients.dynamodb.call(json::Call::new("GetItem", document)).await?;
        table::found(&answer).map_err(|words| Failure::found("dynamodb.GetItem", Class::Other, words))
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        let is_written = self.transact(table::begin(self.name, record)).await?;
        Ok(if is_written { Begun::Ours } else { Begun::Taken })
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        self.transact(table::confirm(self.name, record, sent)).await.map(drop)
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        // `false`: the item of the request is another run's, and nothing of this one's is there but its pending record.
        let is_removed = self.transact(table::withdraw(self.name, record)).await?;
        if is_removed {
            return Ok(());
        }
        let document = table::remove_pending(self.name, record);
        self.clients.dynamodb.call(json::Call::new("DeleteItem", document)).await.map(drop)
    }
}

/// Records in the database of delivery tracking, which the function `tracking` reads.
#[derive(Debug, Clone, Copy)]
pub struct Tracking<'database> {
    /// Database that keeps the records.
    pub database: &'database Database,
    /// `true` if the bodies of mails are kept, under the records' keys.
    pub keeps_bodies: bool,
}

impl Tracking<'_> {
    fn begun(&self, record: &Record) -> delivery::Begun {
        delivery::Begun {
            mail_id: record.id.clone(),
            sender: record.sender.clone(),
            template_id: record.template_id.clone(),
            request: Some(record.request.clone()),
            body_key: self.keeps_bodies.then(|| record.s3_key.clone()),
            at: record.begun,
        }
    }
}

impl Records for Tracking<'_> {
    async fn find(&self, _: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        let found = Recording(self.database).find(request).await.map_err(|fault| failure("SELECT", &fault))?;
        Ok(found.map(|Recorded { mail_id, begun_at, body_key, sent }| Earlier {
            id: mail_id,
            begun: begun_at,
            s3_key: body_key.unwrap_or_default(),
            sent: sent.map(|(message_id, at)| Sent { message_id, at }),
            is_whole: true,
        }))
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        let is_ours =
            Recording(self.database).begin(&self.begun(record)).await.map_err(|fault| failure("INSERT", &fault))?;
        Ok(if is_ours { Begun::Ours } else { Begun::Taken })
    }

    async fn confirm(&self, record: &Record, Sent { message_id, at }: &Sent) -> Result<(), Failure> {
        let confirmed = Recording(self.database).confirm(&self.begun(record), message_id, &record.to, *at).await;
        confirmed.map_err(|fault| failure("UPDATE", &fault))
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        Recording(self.database).withdraw(&record.id).await.map_err(|fault| failure("DELETE", &fault))
    }
}

/// Returns a fault of the database as a call that failed.
fn failure(statement: &str, fault: &Fault) -> Failure {
    let class = match fault {
        Fault::Away(_) => Class::Unreachable,
        Fault::Denied(_) => Class::Denied,
        Fault::Refused(_) => Class::Invalid,
    };
    Failure::found(&format!("mysql.{statement}"), class, fault.to_string())
}

/// Records in two places. The first one decides which of two runs of a request was quicker.
#[derive(Debug, Clone, Copy)]
pub struct Both<First, Second>(pub First, pub Second);

impl<First: Records, Second: Records> Records for Both<First, Second> {
    async fn find(&self, sender: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        // A run that ended between the two has told one of them alone.
        let (first, second) = (self.0.find(sender, request).await?, self.1.find(sender, request).await?);
        let is_sent = |earlier: &Option<Earlier>| earlier.as_ref().is_some_and(|earlier| earlier.sent.is_some());
        let is_whole = is_sent(&first) == is_sent(&second);
        let known = if is_sent(&second) { second.or(first) } else { first.or(second) };
        Ok(known.map(|earlier| Earlier { is_whole, ..earlier }))
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        if begin(&self.0, record).await? == Begun::Taken {
            return Ok(Begun::Taken);
        }
        let second = begin(&self.1, record).await?;
        if second == Begun::Taken {
            // Nothing is sent under this record.
            self.0.withdraw(record).await?;
        }
        Ok(second)
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        self.0.confirm(record, sent).await?;
        self.1.confirm(record, sent).await
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        let second = self.1.withdraw(record).await;
        self.0.withdraw(record).await.and(second)
    }
}

/// Writes a pending record. One that an attempt whose answer was lost has written is ours.
async fn begin(records: &impl Records, record: &Record) -> Result<Begun, Failure> {
    if records.begin(record).await? == Begun::Ours {
        return Ok(Begun::Ours);
    }
    let earlier = records.find(&record.sender, &record.request).await?;
    let is_ours = earlier.is_some_and(|earlier| earlier.id == record.id);
    Ok(if is_ours { Begun::Ours } else { Begun::Taken })
}
