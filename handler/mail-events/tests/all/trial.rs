//! A trial: the function, a table and a cluster; and the events that SES publishes.

use std::{
    env, fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use function_trial::{Lambda, Report, Running};
use serde_json::{Value, json};

use crate::{
    broker::{Broker, TOPIC},
    table::{NAME, Table},
};

/// Sender, and id of the mail, of the samples.
pub(crate) const SENDER: &str = "orders@shop.example";
pub(crate) const MAIL: &str = "0107018f5b2a3c4d-1b9e7a55-0c11-4d0a-9a53-2f6f0a7e11aa-000000";

/// A function between its servers.
pub(crate) struct Trial {
    pub(crate) broker: Broker,
    pub(crate) table: Table,
    pub(crate) lambda: Lambda,
    running: Running,
}

impl Trial {
    /// Starts a function that looks once for a mail, with one broker and three partitions.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a function with these variables.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        Self::between(Broker::start(1, 3), Table::start(), variables)
    }

    /// Starts a function between these servers.
    pub(crate) fn between(broker: Broker, table: Table, variables: &[(&str, &str)]) -> Self {
        let (lambda, running) = function(&broker, &table, variables);
        Self { broker, table, lambda, running }
    }

    /// Invokes the function; returns its answer.
    pub(crate) fn written(&self, event: &Value) -> u64 {
        let said = self.invoke(event);
        assert_eq!(said.error_type, None, "{}", said.body);
        let answer: Value = serde_json::from_str(&said.body).unwrap();
        answer["written"].as_u64().unwrap()
    }

    /// Invokes the function; returns its error.
    pub(crate) fn failed(&self, event: &Value) -> String {
        let said = self.invoke(event);
        assert!(said.error_type.is_some() && said.body.contains(r#""errorType":"NotWritten""#), "{}", said.body);
        said.body
    }

    pub(crate) fn invoke(&self, event: &Value) -> Report {
        self.lambda.invoke("r-1", &event.to_string())
    }

    /// Returns the fields of that name of all messages in the topic.
    pub(crate) fn fields(&self, name: &str) -> Vec<Value> {
        self.broker.kept().into_iter().map(|kept| kept.value[name].clone()).collect()
    }

    /// Returns the function's peak of resident memory, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.running.peak_memory()
    }

    /// Ends the function; returns the lines of its log, and its standard error.
    pub(crate) fn stop(self) -> (Vec<Value>, String) {
        let (lines, errors) = self.running.stop();
        (lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect(), errors)
    }
}

/// Starts the function's program: the one that was built with the tests, unless `MAIL_EVENTS_FUNCTION` names another.
pub(crate) fn function(broker: &Broker, table: &Table, variables: &[(&str, &str)]) -> (Lambda, Running) {
    let lambda = Lambda::start();
    let program = env::var("MAIL_EVENTS_FUNCTION").unwrap_or_else(|_| env!("CARGO_BIN_EXE_mail-events").to_owned());
    let mut command = lambda.function(&program);
    let context = json!({
        "stack": "mails", "function": "joiner", "tables": {"mails": NAME},
        "produces": {"events/messages": {"bootstrap": broker.bootstrap, "topic": TOPIC}},
    });
    command.env("PROVISION_CONTEXT", context.to_string()).env("AWS_ENDPOINT_URL_DYNAMODB", table.url());
    command.env("KAFKA_CA", &broker.front.ca).env("JOIN_SECONDS", "0").envs(variables.iter().copied());
    let running = Running::start(command);
    (lambda, running)
}

/// Returns the event of Lambda with these notifications: ids and messages.
pub(crate) fn notifications(notifications: &[(&str, &str)]) -> Value {
    let record = |(id, message): &(&str, &str)| {
        json!({
            "EventSource": "aws:sns", "EventVersion": "1.0",
            "EventSubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:mail-events:00000000-0000-0000-0000-000000000000",
            "Sns": {
                "Type": "Notification", "MessageId": id, "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail-events",
                "Subject": "Amazon SES Email Event Notification", "Message": message,
                "Timestamp": "2027-01-05T11:00:04.000Z", "MessageAttributes": {},
            },
        })
    };
    json!({"Records": notifications.iter().map(record).collect::<Vec<_>>()})
}

/// Returns a sample of `tests/events`, as SES publishes it.
pub(crate) fn sample(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/events").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns an event of a mail to one recipient, with other values where they are given.
pub(crate) fn event(kind: &str, mail: &str, recipient: &str, sent_at: &str, at: &str) -> String {
    let (key, list) = match kind {
        "Bounce" => ("bounce", "bouncedRecipients"),
        "Complaint" => ("complaint", "complainedRecipients"),
        "DeliveryDelay" => ("deliveryDelay", "delayedRecipients"),
        "Open" => ("open", ""),
        "Click" => ("click", ""),
        "Delivery" => ("delivery", ""),
        _ => ("send", ""),
    };
    let mut detail = json!({"timestamp": at});
    if !list.is_empty() {
        detail[list] = json!([{"emailAddress": recipient}]);
    }
    json!({
        "eventType": kind, key: detail,
        "mail": {"timestamp": sent_at, "messageId": mail, "source": format!("Shop <{SENDER}>"), "destination": [recipient]},
    })
    .to_string()
}

/// Time that an invocation has where a test limits it.
pub(crate) const SHORT: Duration = Duration::from_secs(4);
/// Deadline of every wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until something is so.
#[track_caller]
pub(crate) fn patiently(mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it does not come to be");
        thread::sleep(Duration::from_millis(10));
    }
}
