//! `DynamoDB` as far as functions call it: `Query` by the partition key and, if wanted, the sort key or its beginning.
//!
//! Items come from files, in the form that `aws dynamodb put-item --cli-input-json` takes, with a table's entry name in `TableName`.

use std::{cmp::Ordering, collections::BTreeMap, fs, path::PathBuf};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{post, rights::Grant, service_refusal::Refusal};

/// The tables, by their names in AWS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables(BTreeMap<String, Vec<Map<String, Value>>>);

/// An item of a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Put {
    table_name: String,
    item: Map<String, Value>,
}

/// A condition on a key.
enum Condition<'asked> {
    Equals(&'asked str, &'asked Value),
    BeginsWith(&'asked str, &'asked str),
}

impl Tables {
    /// Reads the items of files and folders into tables; `names` are the tables' names in AWS by entry. Returns what could not be read, too.
    pub(crate) fn read(names: &BTreeMap<String, String>, paths: &[PathBuf]) -> (Self, Vec<String>) {
        let mut tables: BTreeMap<_, _> = names.values().map(|name| (name.clone(), Vec::new())).collect();
        let mut unread = Vec::new();
        for path in paths.iter().flat_map(|path| post::files(path, &[post::ENDING])) {
            let put = path.and_then(|path| {
                let told = |error: String| format!("{}: {error}", path.display());
                let bytes = fs::read(&path).map_err(|error| told(error.to_string()))?;
                let put: Put = serde_json::from_slice(&bytes).map_err(|error| told(error.to_string()))?;
                let missing = || told(format!("the declaration has no table `{}`", put.table_name));
                let table = names.get(&put.table_name).ok_or_else(missing)?;
                Ok((table.clone(), put.item))
            });
            match put {
                Ok((table, item)) => tables.entry(table).or_default().push(item),
                Err(reason) => unread.push(reason),
            }
        }
        (Self(tables), unread)
    }

    /// Answers an operation of `DynamoDB`; it has `Query` alone.
    pub(crate) fn answer(&self, operation: &str, asked: &Value, grant: &Grant) -> Result<Value, Refusal> {
        if operation != "Query" {
            let message = format!("`provision dev` has no DynamoDB {operation}");
            return Err((StatusCode::BAD_REQUEST, "NotImplemented", message));
        }
        let name = asked.get("TableName").and_then(Value::as_str).unwrap_or_default();
        if !grant.queries.contains(name) {
            let message = format!("the function's `queries` does not name the table `{name}`");
            return Err((StatusCode::BAD_REQUEST, "AccessDeniedException", message));
        }
        let missing = || (StatusCode::BAD_REQUEST, "ResourceNotFoundException", format!("there is no table `{name}`"));
        let items = self.0.get(name).ok_or_else(missing)?;
        let conditions = conditions(asked).ok_or_else(|| {
            let message = "`provision dev` knows `KEY = :value` and `begins_with(KEY, :value)` alone, with `AND`";
            (StatusCode::BAD_REQUEST, "ValidationException", message.to_owned())
        })?;
        let mut found: Vec<&Map<String, Value>> =
            items.iter().filter(|item| conditions.iter().all(|condition| condition.holds(item))).collect();
        // By the key that is not the partition's: the last one of the conditions.
        if let Some(Condition::Equals(key, _) | Condition::BeginsWith(key, _)) = conditions.last() {
            found.sort_by(|one, other| text(one, key).partial_cmp(&text(other, key)).unwrap_or(Ordering::Equal));
        }
        let limit = asked.get("Limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok());
        found.truncate(limit.unwrap_or(usize::MAX));
        Ok(json!({"Items": found, "Count": found.len(), "ScannedCount": found.len()}))
    }
}

impl Condition<'_> {
    fn holds(&self, item: &Map<String, Value>) -> bool {
        match self {
            Self::Equals(key, value) => item.get(*key) == Some(*value),
            Self::BeginsWith(key, start) => text(item, key).is_some_and(|text| text.starts_with(start)),
        }
    }
}

fn text<'item>(item: &'item Map<String, Value>, key: &str) -> Option<&'item str> {
    item.get(key)?.get("S")?.as_str()
}

/// Reads the conditions of a query; `None` if they have another form.
fn conditions(asked: &Value) -> Option<Vec<Condition<'_>>> {
    let expression = asked.get("KeyConditionExpression")?.as_str()?;
    let name = |text: &'_ str| -> Option<&str> {
        let text = text.trim();
        if text.starts_with('#') { asked.get("ExpressionAttributeNames")?.get(text)?.as_str() } else { None }
    };
    let value = |text: &str| asked.get("ExpressionAttributeValues")?.get(text.trim());
    expression
        .split(" AND ")
        .map(|part| {
            let part = part.trim();
            if let Some(inner) = part.strip_prefix("begins_with(").and_then(|rest| rest.strip_suffix(')')) {
                let (key, start) = inner.split_once(',')?;
                return Some(Condition::BeginsWith(name(key)?, value(start)?.get("S")?.as_str()?));
            }
            let (key, wanted) = part.split_once('=')?;
            Some(Condition::Equals(name(key)?, value(wanted)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant { queries: ["shop-mails".to_owned()].into(), ..Grant::default() }
    }

    fn query(table: &str, condition: &str, sort: &str) -> Value {
        json!({
            "TableName": table, "KeyConditionExpression": condition, "Limit": 25,
            "ExpressionAttributeNames": {"#partition": "ses_pk", "#sort": "ses_sk"},
            "ExpressionAttributeValues": {":partition": {"S": "orders@shop.example"}, ":sort": {"S": sort}},
        })
    }

    #[test]
    fn functions_query_the_tables_that_they_declare_as_dynamodb_answers() {
        let folder = tempfile::tempdir().unwrap();
        let item = |sort: &str| json!({"TableName": "mails", "Item": {"ses_pk": {"S": "orders@shop.example"}, "ses_sk": {"S": sort}}});
        for (number, sort) in
            ["0107-1#2027-01-05 11:01", "0107-1#2027-01-05 11:00", "0107-12#2027-01-05 11:00"].iter().enumerate()
        {
            fs::write(folder.path().join(format!("{number}.json")), item(sort).to_string()).unwrap();
        }
        fs::write(folder.path().join("wrong.json"), r#"{"TableName": "absent", "Item": {}}"#).unwrap();
        let names = ["mails", "other"].map(|entry| (entry.to_owned(), format!("shop-{entry}")));
        let (tables, unread) = Tables::read(&names.into(), &[folder.path().to_owned()]);
        assert!(unread.len() == 1 && unread[0].contains("no table `absent`"), "{unread:?}");
        let begins = "#partition = :partition AND begins_with(#sort, :sort)";
        let found = |table, condition, sort| match tables.answer("Query", &query(table, condition, sort), &grant()) {
            Ok(answer) => answer["Items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["ses_sk"]["S"].as_str().unwrap().to_owned())
                .collect(),
            Err((_, kind, _)) => vec![kind.to_owned()],
        };
        let all = ["0107-1#2027-01-05 11:00", "0107-1#2027-01-05 11:01"];
        assert_eq!(found("shop-mails", begins, "0107-1#"), all);
        assert_eq!(found("shop-mails", "#partition = :partition AND #sort = :sort", all[1]), [all[1]]);
        assert_eq!(found("shop-mails", begins, "0108#"), Vec::<String>::new());
        assert_eq!(found("shop-other", begins, "0107-1#"), ["AccessDeniedException"]);
        assert_eq!(found("shop-mails", "#sort > :sort", "0107"), ["ValidationException"]);
        assert!(tables.answer("Scan", &json!({"TableName": "shop-mails"}), &grant()).is_err());
    }
}
