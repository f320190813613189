//! Records as items of `DynamoDB`, and the calls that write them.

use contract::sending::{
    FROM, MAIL_ID, MESSAGE_ID, MailId, PARTITION_KEY, REQUEST, S3_KEY, SEND_TIME, SORT_KEY, STATUS, Status,
    TEMPLATE_ID, TO, pending_sort_key, request_sort_key, sort_key,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::record::{Earlier, Record, Sent};

/// Returns the document of `GetItem` for what is known of a request.
pub(crate) fn find(table: &str, sender: &str, request: &str) -> Value {
    json!({"TableName": table, "Key": key(sender, &request_sort_key(request)), "ConsistentRead": true})
}

/// Reads the answer to [`find`]; `None` if there is no item, an error in words if it is not one of ours.
pub(crate) fn found(answer: &Value) -> Result<Option<Earlier>, String> {
    let Some(item) = answer.get("Item").filter(|item| item.as_object().is_some_and(|item| !item.is_empty())) else {
        return Ok(None);
    };
    let text = |name: &str| item.get(name)?.get("S")?.as_str();
    let missing = |name: &str| format!("the item of the request has no `{name}` that can be read");
    let id = text(MAIL_ID).and_then(MailId::read).ok_or_else(|| missing(MAIL_ID))?;
    let at = |name: &str| text(name).and_then(|at| at.parse::<Timestamp>().ok()).ok_or_else(|| missing(name));
    let sent = match text(STATUS) {
        Some(status) if status == Status::Pending.as_str() => None,
        Some(status) if status == Status::Sent.as_str() => {
            let message_id = text(MESSAGE_ID).ok_or_else(|| missing(MESSAGE_ID))?.to_owned();
            Some(Sent { message_id, at: at(SEND_TIME)? })
        }
        _ => return Err(missing(STATUS)),
    };
    Ok(Some(Earlier {
        id,
        begun: at(BEGUN)?,
        s3_key: text(S3_KEY).unwrap_or_default().to_owned(),
        sent,
        is_whole: true,
    }))
}

/// Attribute of the item of a request with the time at which its record was made, in RFC 3339.
const BEGUN: &str = "begun";

/// Returns the document of the transaction that writes a pending record, if its request is not known yet.
pub(crate) fn begin(table: &str, record: &Record) -> Value {
    let mut pending = attributes(record);
    pending.extend(members([
        (SORT_KEY, string(&pending_sort_key(&record.id))),
        (STATUS, string(Status::Pending.as_str())),
        (SEND_TIME, string(&record.begun.to_string())),
    ]));
    let mut request = request_item(record);
    request.extend(members([(STATUS, string(Status::Pending.as_str()))]));
    let condition = format!("attribute_not_exists({SORT_KEY})");
    json!({
        "ClientRequestToken": token("begin", &record.id),
        "TransactItems": [
            {"Put": {"TableName": table, "Item": request, "ConditionExpression": condition}},
            {"Put": {"TableName": table, "Item": pending}},
        ],
    })
}

/// Returns the document of the transaction that writes that a mail was sent, and removes its pending record.
pub(crate) fn confirm(table: &str, record: &Record, sent: &Sent) -> Value {
    let says = || {
        members([
            (STATUS, string(Status::Sent.as_str())),
            (MESSAGE_ID, string(&sent.message_id)),
            (SEND_TIME, string(&sent.at.to_string())),
        ])
    };
    let mut item = attributes(record);
    item.extend(says());
    item.extend(members([(SORT_KEY, string(&sort_key(&sent.message_id, sent.at)))]));
    let mut request = request_item(record);
    request.extend(says());
    let pending = key(&record.sender, &pending_sort_key(&record.id));
    json!({
        "ClientRequestToken": token("sent", &record.id),
        "TransactItems": [
            {"Put": {"TableName": table, "Item": item}},
            {"Put": {"TableName": table, "Item": request}},
            {"Delete": {"TableName": table, "Key": pending}},
        ],
    })
}

/// Returns the document of the transaction that removes a pending record. The item of the request goes only if it is this record's.
pub(crate) fn withdraw(table: &str, record: &Record) -> Value {
    json!({
        "ClientRequestToken": token("none", &record.id),
        "TransactItems": [
            {"Delete": {"TableName": table, "Key": key(&record.sender, &pending_sort_key(&record.id))}},
            {"Delete": {
                "TableName": table,
                "Key": key(&record.sender, &request_sort_key(&record.request)),
                "ConditionExpression": format!("attribute_not_exists({SORT_KEY}) OR {MAIL_ID} = :id"),
                "ExpressionAttributeValues": {":id": string(record.id.as_str())},
            }},
        ],
    })
}

/// Returns the document of `DeleteItem` for the pending record alone.
pub(crate) fn remove_pending(table: &str, record: &Record) -> Value {
    json!({"TableName": table, "Key": key(&record.sender, &pending_sort_key(&record.id))})
}

/// Returns the token of a step of a mail, by which `DynamoDB` knows a repeated transaction: at most 36 characters.
fn token(step: &str, id: &MailId) -> String {
    let letter = step.get(..1).unwrap_or_default();
    format!("{letter}{id}")
}

fn attributes(record: &Record) -> Map<String, Value> {
    let to: Vec<Value> = record.to.iter().map(|address| string(address)).collect();
    let mut item = members([
        (PARTITION_KEY, string(&record.sender)),
        (MAIL_ID, string(record.id.as_str())),
        (FROM, string(&record.from)),
        (TO, json!({"L": to})),
        (S3_KEY, string(&record.s3_key)),
        (REQUEST, string(&record.request)),
    ]);
    item.extend(record.template_id.iter().map(|template| (TEMPLATE_ID.to_owned(), string(template))));
    item
}

fn request_item(record: &Record) -> Map<String, Value> {
    members([
        (PARTITION_KEY, string(&record.sender)),
        (SORT_KEY, string(&request_sort_key(&record.request))),
        (MAIL_ID, string(record.id.as_str())),
        (S3_KEY, string(&record.s3_key)),
        (BEGUN, string(&record.begun.to_string())),
    ])
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn key(sender: &str, sort: &str) -> Value {
    json!({PARTITION_KEY: string(sender), SORT_KEY: string(sort)})
}

fn string(text: &str) -> Value {
    json!({"S": text})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::request;

    fn sent() -> Sent {
        Sent { message_id: "0107-1".to_owned(), at: "2027-01-05T10:00:01Z".parse().unwrap() }
    }

    #[test]
    fn items_have_the_keys_and_attributes_of_the_contract() {
        let record = Record::example(&request());
        let id = "07070707070707070707070707070707";
        let begun = begin("mails", &record);
        let pending = &begun["TransactItems"][1]["Put"]["Item"];
        assert_eq!(
            *pending,
            json!({
                "ses_pk": {"S": "orders@shop.example"}, "ses_sk": {"S": format!("pending#{id}")}, "mail_id": {"S": id},
                "from": {"S": "Shop <Orders@shop.example>"}, "to": {"L": [{"S": "ada@example.org"}]},
                "s3_key": {"S": format!("sent/{id}.eml")}, "request": {"S": record.request}, "template_id": {"S": "order"},
                "status": {"S": "pending"}, "send_time": {"S": "2027-01-05T10:00:00Z"},
            })
        );
        let confirmed = confirm("mails", &record, &sent());
        let item = &confirmed["TransactItems"][0]["Put"]["Item"];
        assert_eq!(item["ses_sk"], json!({"S": "0107-1#2027-01-05 10:00"}));
        assert_eq!((&item["status"], &item["message_id"]), (&json!({"S": "sent"}), &json!({"S": "0107-1"})));
        let removed = &confirmed["TransactItems"][2]["Delete"]["Key"];
        assert_eq!((&removed["ses_pk"], &removed["ses_sk"]), (&pending["ses_pk"], &pending["ses_sk"]));
        for document in [begun, confirmed, withdraw("mails", &record)] {
            assert!(document["ClientRequestToken"].as_str().unwrap().len() <= 36);
        }
    }

    #[test]
    fn what_is_known_of_a_request_is_read_as_it_was_written() {
        let record = Record::example(&request());
        let answer = json!({"Item": begin("mails", &record)["TransactItems"][0]["Put"]["Item"]});
        let (id, begun, s3_key) = (record.id.clone(), record.begun, record.s3_key.clone());
        let earlier = Earlier { id, begun, s3_key, sent: None, is_whole: true };
        assert_eq!(found(&answer), Ok(Some(earlier.clone())));
        let answer = json!({"Item": confirm("mails", &record, &sent())["TransactItems"][1]["Put"]["Item"]});
        assert_eq!(found(&answer), Ok(Some(Earlier { sent: Some(sent()), ..earlier })));
        assert_eq!((found(&json!({})), found(&json!({"Item": {}}))), (Ok(None), Ok(None)));
        for broken in [json!({"Item": {"mail_id": {"S": "x"}}}), json!({"Item": {"mail_id": {"S": record.id}}})] {
            assert!(found(&broken).is_err(), "{broken}");
        }
    }
}
