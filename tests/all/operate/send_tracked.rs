//! Tests `provision send` where the stack tracks deliveries: the record is a row of its database before SES is asked, and a failure leaves
//! no false one.

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use delivery::{Store, changes};
use events::{Reading, read};
use mysql_async::prelude::Queryable;
use serde_json::{Value, json};

use crate::{
    emulator::{fault::Fault, proxy::Call},
    servers::MySql,
    stack::Trial,
};

const DECLARATION: &str = "\
stack: shop
region: eu-west-1
configuration_sets: {mails: {}}
functions:
  tracking: {use: tracking, secrets: {DATABASE_URL: shop/database}}
alarms: {off: [errors, throttles, duration, undelivered, messages, age, backlog]}
";
const SEND: [&str; 12] = [
    "send",
    "--json",
    "--from",
    "Shop <Orders@shop.example>",
    "--to",
    "Ada@example.org",
    "--bcc",
    "b@example.org",
    "--subject",
    "Your order",
    "--text",
    "text.txt",
];

/// An account with a verified domain, and a database whose address is a secret in it.
struct Shop {
    trial: Trial,
    maria: MySql,
    runtime: tokio::runtime::Runtime,
}

impl Shop {
    fn open(declaration: &str) -> Option<Self> {
        let (maria, trial) = (MySql::start()?, Trial::new(declaration)?);
        trial.account.wait(trial.account.ses.verify_domain_identity().domain("shop.example").send()).unwrap();
        trial.folder.write("text.txt", "It is on its way.\n");
        let set = json!({"ConfigurationSetName": "shop-mails"});
        let call = aws::json::Call::post("CreateConfigurationSet", &["v2", "email", "configuration-sets"], set);
        trial.account.wait(trial.account.sesv2.call(call)).unwrap();
        let secret = trial.account.secrets.create_secret().name("shop/database").secret_string(maria.url());
        trial.account.wait(secret.send()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The worker makes the tables, and a sender does not.
        runtime.block_on(async { maria.database().reach().await.unwrap() });
        Some(Self { trial, maria, runtime })
    }

    fn send(&self, code: i32, key: &str, further: &[&str]) -> Value {
        let run = self.trial.expect(code, &[&SEND[..], &["--key", key], further].concat());
        assert!(!run.to_string().contains("s3cret-of-a-test"), "{run}");
        run.json().pop().unwrap_or_default()
    }

    /// Returns the records: SES's id of each, if it is known, and the digest of its request.
    fn records(&self) -> Vec<(Option<String>, Option<String>)> {
        self.rows("SELECT message_id, request FROM sent_mail ORDER BY begun_at")
    }

    fn rows<Row: mysql_async::prelude::FromRow + Send + 'static>(&self, query: &str) -> Vec<Row> {
        self.runtime.block_on(async { self.maria.connection().await.query(query).await.unwrap() })
    }

    /// Returns the number of times that SES was asked to send, and did.
    fn deliveries(&self) -> usize {
        let is_delivery =
            |call: &&Call| call.target.ends_with("/outbound-emails") && call.fault.is_none_or(Fault::passes_on);
        self.trial.proxy.calls().iter().filter(is_delivery).count()
    }
}

fn to_ses(call: &Call) -> bool {
    call.target.ends_with("/outbound-emails")
}

#[test]
fn a_mail_has_its_rows_when_it_is_sent_and_the_same_request_is_sent_once() {
    let Some(shop) = Shop::open(DECLARATION) else { return };
    let would = shop.send(0, "1", &["--dry-run"]);
    assert_eq!((&would["in_database"], &would["table"], &would["bucket"]), (&json!(true), &json!(null), &json!(null)));
    let sent = shop.send(0, "1", &[]);
    let id = sent["message_id"].as_str().unwrap();
    let records = shop.records();
    assert_eq!((sent["outcome"].as_str(), records.len(), records[0].0.as_deref()), (Some("sent"), 1, Some(id)));
    let mails: Vec<(String, String, String, bool)> =
        shop.rows("SELECT message_id, recipient, status, sent_at IS NOT NULL FROM mail ORDER BY recipient");
    let row = |to: &str| (id.to_owned(), to.to_owned(), "sent".to_owned(), true);
    assert_eq!(mails, [row("ada@example.org"), row("b@example.org")]);
    let again = shop.send(0, "1", &[]);
    assert_eq!((&again["outcome"], &again["message_id"]), (&json!("already_sent"), &json!(id)));
    assert_eq!((shop.deliveries(), shop.records().len()), (1, 1));
    assert_eq!(shop.send(0, "2", &[])["outcome"], "sent");
    let run = shop.trial.expect(0, &["track", "Ada@example.org", "--json"]);
    assert_eq!(run.json()[0]["mails"].as_array().unwrap().len(), 2, "{run}");
    // With the least rights.
    let Some(checked) = Trial::checked(DECLARATION) else { return };
    let policy = checked.policy("send");
    assert!(
        policy.to_string().contains("secretsmanager:GetSecretValue") && !policy.to_string().contains("dynamodb"),
        "{policy}"
    );
}

#[test]
fn a_failure_leaves_no_false_row_and_a_lost_answer_a_pending_one() {
    let Some(mut shop) = Shop::open(DECLARATION) else { return };
    // SES refuses: no row.
    let refused = Fault::Refuses { status: 400, code: "MessageRejected", message: "no" };
    let hit = shop.trial.proxy.on(refused, to_ses);
    shop.send(2, "1", &[]);
    assert!(hit.try_recv().is_ok());
    assert_eq!((shop.records().len(), shop.deliveries()), (0, 0));
    // SES has sent it, and its answer is lost: a record, and no second mail.
    shop.trial.proxy.reset();
    let hit = shop.trial.proxy.on(Fault::CutAfter, to_ses);
    shop.send(1, "1", &[]);
    assert!(hit.try_recv().is_ok());
    let pending = shop.records();
    assert_eq!((pending.len(), &pending[0].0, shop.deliveries()), (1, &None, 1));
    shop.send(1, "1", &[]);
    assert_eq!((shop.records(), shop.deliveries()), (pending, 1));
    // An event brings the id by the mail's tag.
    let tag: Vec<String> = shop.rows("SELECT mail_id FROM sent_mail");
    let text = json!({
        "eventType": "Delivery", "delivery": {"timestamp": "2027-01-05T11:00:09.000Z", "recipients": ["ada@example.org"]},
        "mail": {"messageId": "m-9", "timestamp": "2027-01-05T11:00:00.000Z", "tags": {contract::sending::TAG: tag}},
    })
    .to_string();
    let Ok(Reading::Event(event)) = read(&text) else { panic!("{text}") };
    shop.runtime.block_on(async { shop.maria.database().apply(&changes(&text, &event).unwrap()).await.unwrap() });
    let known = shop.send(0, "1", &[]);
    assert_eq!((&known["outcome"], &known["message_id"]), (&json!("already_sent"), &json!("m-9")));
    // A person knows the id of another lost answer.
    shop.trial.proxy.reset();
    let _hit = shop.trial.proxy.on(Fault::CutAfter, to_ses);
    shop.send(1, "2", &[]);
    assert_eq!(shop.send(0, "2", &["--sent-as", "m-10"])["outcome"], "sent");
    assert_eq!(shop.records().last().unwrap().0.as_deref(), Some("m-10"));
    // The database is away: nothing is sent.
    shop.trial.proxy.reset();
    shop.maria.kill();
    shop.send(2, "3", &[]);
    assert_eq!(shop.deliveries(), 0);
}

#[test]
fn a_stack_that_also_has_a_table_of_mails_keeps_the_record_in_both() {
    let both = format!(
        "{DECLARATION}tables: {{mails: {{partition_key: ses_pk, sort_key: ses_sk}}, other: {{partition_key: id}}}}\nbuckets: {{bodies: {{}}}}\n"
    );
    let Some(shop) = Shop::open(&both) else { return };
    let account = &shop.trial.account;
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let table = json!({"TableName": "shop-mails", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("ses_pk", "HASH"), key("ses_sk", "RANGE")],
        "AttributeDefinitions": [attribute("ses_pk"), attribute("ses_sk")]});
    account.wait(account.dynamodb.call(aws::json::Call::new("CreateTable", table))).unwrap();
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    let made = account.s3.create_bucket().bucket("shop-bodies-123456789012-eu-west-1");
    account.wait(made.create_bucket_configuration(place).send()).unwrap();
    // Of several tables one is named, as without tracking.
    shop.send(2, "1", &[]);
    let sent = shop.send(0, "1", &["--table", "mails"]);
    let scanned =
        account.wait(account.dynamodb.call(aws::json::Call::new("Scan", json!({"TableName": "shop-mails"})))).unwrap();
    assert_eq!(scanned["Count"], 2, "{scanned}");
    let rows: Vec<(String, String)> = shop.rows("SELECT message_id, body_key FROM sent_mail");
    let key = format!("sent/{}.eml", sent["mail_id"].as_str().unwrap());
    assert_eq!(rows, [(sent["message_id"].as_str().unwrap().to_owned(), key)]);
    assert_eq!(shop.send(0, "1", &["--table", "mails"])["outcome"], "already_sent");
}
