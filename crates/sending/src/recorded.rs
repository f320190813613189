//! Records of sent mails, as somebody finds them who knows a mail's id or a recipient.

use std::fmt;

use aws::{Clients, json};
use contract::sending::{
    FROM, MAIL_ID, MESSAGE_ID, PARTITION_KEY, S3_KEY, SEND_TIME, SORT_KEY, STATUS, TEMPLATE_ID, TO, partition_key,
    sort_key_start,
};
use engine::Failure;
use serde_json::{Map, Value, json};

/// Largest number of calls for one search: each reads 1 MB.
const MOST_CALLS: usize = 10_000;

/// Something that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought<'given> {
    /// The mail of this id of SES.
    Mail(&'given str),
    /// The mails to this address.
    Recipient(&'given str),
}

/// A record as it is in the table. It may be somebody else's than `provision send`'s: everything may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// SES's id; `None` while it is not known.
    pub message_id: Option<String>,
    /// Our own id; `None` if others wrote the item.
    pub mail_id: Option<String>,
    /// Sender as the mail has it.
    pub from: Option<String>,
    /// Bare addresses of all recipients.
    pub to: Vec<String>,
    /// State of the mail, in the table's word.
    pub status: Option<String>,
    /// Time of sending, as the table has it.
    pub send_time: Option<String>,
    /// The sender's own name for the kind of mail.
    pub template_id: Option<String>,
    /// Key of the mail's body in S3.
    pub s3_key: Option<String>,
}

/// Looks for the records of mails in a table. With a sender what he has sent is read, without one the whole table: there is no index by id
/// or recipient.
pub async fn recorded(
    clients: &Clients,
    table: &str,
    sought: Sought<'_>,
    sender: Option<&str>,
) -> Result<Vec<Recorded>, Failure> {
    let (action, mut document) = question(table, sought, sender);
    let mut found = Vec::new();
    for _ in 0..MOST_CALLS {
        let answer = clients.dynamodb.call(json::Call::new(action, document.clone())).await?;
        let items = answer.get("Items").and_then(Value::as_array).into_iter().flatten();
        found.extend(items.filter_map(Value::as_object).map(read));
        match (answer.get("LastEvaluatedKey"), document.as_object_mut()) {
            (Some(last), Some(document)) if !last.is_null() => {
                document.insert("ExclusiveStartKey".to_owned(), last.clone());
            }
            _ => return Ok(found),
        }
    }
    let words = format!("the table has more than {MOST_CALLS} MB: name the sender");
    Err(Failure::found("dynamodb.Scan", engine::Class::Invalid, words))
}

/// Returns the call and its document. Items of requests have no `from`.
fn question(table: &str, sought: Sought<'_>, sender: Option<&str>) -> (&'static str, Value) {
    let text = |text: &str| json!({"S": text});
    let mut filter = "attribute_exists(#from)".to_owned();
    let mut names = Map::from_iter([("#from".to_owned(), json!(FROM))]);
    let mut values = Map::new();
    let mut name = |short: &str, name: &str| {
        names.insert(short.to_owned(), json!(name));
    };
    let mut keys = sender.map(|sender| {
        name("#sender", PARTITION_KEY);
        values.insert(":sender".to_owned(), text(&partition_key(sender)));
        "#sender = :sender".to_owned()
    });
    match (sought, &mut keys) {
        (Sought::Mail(id), Some(keys)) => {
            name("#sort", SORT_KEY);
            values.insert(":start".to_owned(), text(&sort_key_start(id)));
            keys.push_str(" AND begins_with(#sort, :start)");
        }
        (Sought::Mail(id), None) => {
            name("#id", MESSAGE_ID);
            values.insert(":id".to_owned(), text(id));
            filter.push_str(" AND #id = :id");
        }
        (Sought::Recipient(address), _) => {
            name("#to", TO);
            values.insert(":to".to_owned(), text(address));
            values.insert(":lower".to_owned(), text(&address.to_lowercase()));
            filter.push_str(" AND (contains(#to, :to) OR contains(#to, :lower))");
        }
    }
    let mut document = json!({"TableName": table, "FilterExpression": filter, "ExpressionAttributeNames": names});
    document["ExpressionAttributeValues"] = Value::Object(values);
    match keys {
        Some(keys) => {
            document["KeyConditionExpression"] = Value::String(keys);
            ("Query", document)
        }
        None => ("Scan", document),
    }
}

fn read(item: &Map<String, Value>) -> Recorded {
    let text = |name: &str| item.get(name)?.get("S")?.as_str().map(str::to_owned);
    Recorded {
        message_id: text(MESSAGE_ID),
        mail_id: text(MAIL_ID),
        from: text(FROM),
        to: item.get(TO).map(addresses).unwrap_or_default(),
        status: text(STATUS),
        send_time: text(SEND_TIME),
        template_id: text(TEMPLATE_ID),
        s3_key: text(S3_KEY),
    }
}

/// Returns the addresses of a list, a set or a text.
fn addresses(value: &Value) -> Vec<String> {
    let listed = |name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
    let of_list = listed("L").filter_map(|one| one.get("S")?.as_str());
    let of_text = value.get("S").and_then(Value::as_str);
    of_list.chain(listed("SS").filter_map(Value::as_str)).chain(of_text).map(str::to_owned).collect()
}

impl fmt::Display for Sought<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Mail(what) | Self::Recipient(what)) = self;
        formatter.write_str(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_queried_and_without_one_the_table_is_searched() {
        let sender = Some("Orders@Shop.example");
        for (sought, sender, call, keys, filter) in [
            (
                Sought::Mail("0107-1"),
                sender,
                "Query",
                json!("#sender = :sender AND begins_with(#sort, :start)"),
                "attribute_exists(#from)",
            ),
            (Sought::Mail("0107-1"), None, "Scan", Value::Null, "attribute_exists(#from) AND #id = :id"),
            (
                Sought::Recipient("Ada@example.org"),
                sender,
                "Query",
                json!("#sender = :sender"),
                "attribute_exists(#from) AND (contains(#to, :to) OR contains(#to, :lower))",
            ),
        ] {
            let (action, document) = question("mails", sought, sender);
            assert_eq!((action, &document["KeyConditionExpression"]), (call, &keys), "{document}");
            assert_eq!(document["FilterExpression"], filter);
            // DynamoDB refuses names and values that no expression has.
            let expressions = format!("{keys} {filter}");
            for key in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
                for name in document[key].as_object().unwrap().keys() {
                    assert!(expressions.contains(name.as_str()), "{name}: {document}");
                }
            }
        }
        let (_, document) = question("mails", Sought::Mail("0107-1"), sender);
        let values = json!({":sender": {"S": "orders@shop.example"}, ":start": {"S": "0107-1#"}});
        assert_eq!(document["ExpressionAttributeValues"], values);
    }

    #[test]
    fn items_of_ours_and_of_others_are_read() {
        let item = json!({
            "ses_pk": {"S": "a@b.example"}, "ses_sk": {"S": "0107-1#2027-01-05 10:00"}, "message_id": {"S": "0107-1"},
            "from": {"S": "Shop <a@b.example>"}, "to": {"L": [{"S": "ada@example.org"}, {"S": "bob@example.org"}]},
        });
        let found = read(item.as_object().unwrap());
        assert_eq!((found.message_id.as_deref(), found.to.len(), found.status), (Some("0107-1"), 2, None));
        for to in [json!({"S": "ada@example.org"}), json!({"SS": ["ada@example.org"]})] {
            assert_eq!(addresses(&to), ["ada@example.org"]);
        }
        assert_eq!(read(&Map::new()), Recorded::default());
    }
}
