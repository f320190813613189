//! The services in an account of AWS.

use aws::{Clients, OrFail, json};
use aws_sdk_s3::primitives::ByteStream;
use contract::sending::TAG;
use data_encoding::BASE64;
use engine::{Class, Failure};
use serde_json::{Value, json};

use crate::{
    record::{Earlier, Record, Sent},
    request::Request,
    send::{Begun, Services},
    table,
};

const TRANSACTION: &str = "TransactWriteItems";

/// Where records and bodies are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the table in AWS.
    pub table: String,
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Account that owns the bucket.
    pub owner: String,
}

/// The services in an account. No client retries.
#[derive(Debug, Clone, Copy)]
pub struct Account<'session> {
    /// Clients, which make each call once.
    pub clients: &'session Clients,
    /// Where records and bodies are kept.
    pub place: &'session Place,
}

impl Account<'_> {
    /// Makes a transaction; returns `false` if a condition did not hold.
    async fn transact(&self, document: Value) -> Result<bool, Failure> {
        match self.clients.dynamodb.call(json::Call::new(TRANSACTION, document)).await {
            Ok(_) => Ok(true),
            Err(failure) if failure.code.as_deref() != Some("TransactionCanceled") => Err(failure),
            Err(failure) if table::is_condition(&failure.message) => Ok(false),
            // Another transaction on the same items, or too many writes: the same one succeeds later.
            Err(failure) => Err(Failure { class: Class::InProgress, ..failure }),
        }
    }
}

impl Services for Account<'_> {
    async fn find(&self, sender: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        let document = table::find(&self.place.table, sender, request);
        let answer = self.clients.dynamodb.call(json::Call::new("GetItem", document)).await?;
        table::found(&answer).map_err(|words| Failure::found("dynamodb.GetItem", Class::Other, words))
    }

    async fn store(&self, record: &Record, body: &[u8]) -> Result<(), Failure> {
        let call = self.clients.s3.put_object().bucket(&self.place.bucket).key(&record.s3_key);
        let call = call.expected_bucket_owner(&self.place.owner).content_type("message/rfc822");
        call.body(ByteStream::from(body.to_vec())).send().await.or_fail("s3.PutObject").map(drop)
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        let is_written = self.transact(table::begin(&self.place.table, record)).await?;
        Ok(if is_written { Begun::Ours } else { Begun::Taken })
    }

    async fn deliver(&self, request: &Request, record: &Record, body: &[u8]) -> Result<String, Failure> {
        const CALL: &str = "SendEmail";
        let list = |mailboxes: &[crate::Mailbox]| -> Vec<String> {
            mailboxes.iter().map(|mailbox| mailbox.address.clone()).collect()
        };
        let document = json!({
            "FromEmailAddress": request.from.address,
            "Destination": {
                "ToAddresses": list(&request.to), "CcAddresses": list(&request.cc), "BccAddresses": list(&request.bcc),
            },
            "Content": {"Raw": {"Data": BASE64.encode(body)}},
            "ConfigurationSetName": request.configuration_set,
            "EmailTags": [{"Name": TAG, "Value": record.id}],
        });
        let call = json::Call::post(CALL, &["v2", "email", "outbound-emails"], document);
        let answer = self.clients.sesv2.call(call).await?;
        let id = answer.get("MessageId").and_then(Value::as_str).filter(|id| !id.is_empty());
        // Accepted, but under an id that nobody knows: as good as no answer.
        id.map(str::to_owned)
            .ok_or_else(|| Failure::found("sesv2.SendEmail", Class::Unreachable, "the answer has no `MessageId`"))
    }

    async fn confirm(&self, record: &Record, sent: &Sent) -> Result<(), Failure> {
        self.transact(table::confirm(&self.place.table, record, sent)).await.map(drop)
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        // `false`: the item of the request is another run's, and nothing of this one's is there but its pending record.
        let is_removed = self.transact(table::withdraw(&self.place.table, record)).await?;
        if is_removed {
            return Ok(());
        }
        let document = table::remove_pending(&self.place.table, record);
        self.clients.dynamodb.call(json::Call::new("DeleteItem", document)).await.map(drop)
    }
}
