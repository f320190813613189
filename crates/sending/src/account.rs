//! The services in an account of AWS.

use aws::{Clients, OrFail, json};
use aws_sdk_s3::primitives::ByteStream;
use contract::sending::TAG;
use data_encoding::BASE64;
use engine::{Class, Failure};
use serde_json::{Value, json};

use crate::{
    record::{Earlier, Record, Sent},
    records::Records,
    request::Request,
    send::{Begun, Services},
};

/// The bucket that keeps the bodies of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bodies {
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Account that owns the bucket.
    pub owner: String,
}

/// The services in an account. No client retries.
#[derive(Debug, Clone, Copy)]
pub struct Account<'session, R> {
    /// Clients, which make each call once.
    pub clients: &'session Clients,
    /// Bucket of the bodies; `None` if they are not kept.
    pub bodies: Option<&'session Bodies>,
    /// Place of the records.
    pub records: R,
}

impl<R: Records> Services for Account<'_, R> {
    async fn find(&self, sender: &str, request: &str) -> Result<Option<Earlier>, Failure> {
        self.records.find(sender, request).await
    }

    async fn store(&self, record: &Record, body: &[u8]) -> Result<(), Failure> {
        let Some(Bodies { bucket, owner }) = self.bodies else { return Ok(()) };
        let call = self.clients.s3.put_object().bucket(bucket).key(&record.s3_key);
        let call = call.expected_bucket_owner(owner).content_type("message/rfc822");
        call.body(ByteStream::from(body.to_vec())).send().await.or_fail("s3.PutObject").map(drop)
    }

    async fn begin(&self, record: &Record) -> Result<Begun, Failure> {
        self.records.begin(record).await
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
        self.records.confirm(record, sent).await
    }

    async fn withdraw(&self, record: &Record) -> Result<(), Failure> {
        self.records.withdraw(record).await
    }
}
