//! The context of a function: what it learns of its stack. `provision` writes it from the declaration; the function reads it at
//! its start.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The environment variable that holds a [`Context`] as JSON.
pub const VARIABLE: &str = "PROVISION_CONTEXT";

/// The facts that a function learns of its stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Name of the stack.
    pub stack: String,
    /// Stage; `None` if the declaration has no stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Entry name of the function itself.
    pub function: String,
    /// Places where the receipt rules that invoke this function store the mail before they do, each once. SES does not say which
    /// rule it was, so a mail is looked up in this order.
    #[serde(default)]
    pub mail: Vec<MailPlace>,
    /// Environment variable → name in Secrets Manager, for secrets that the function reads by itself.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Places where the function may write, each once. The last folder of the prefix tells the purpose: see [`UNMATCHED`] and
    /// [`CALENDAR`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Place>,
}

/// Folder of mails that are kept for a person.
pub const UNMATCHED: &str = "unmatched";
/// Folder of the calendar that people subscribe to.
pub const CALENDAR: &str = "calendar";

impl Context {
    /// Returns the place of mails that are kept for a person; `None` if the function may not write there.
    pub fn unmatched(&self) -> Option<&Place> {
        self.place_for(UNMATCHED)
    }

    /// Returns the place of the calendar; `None` if the function may not write there.
    pub fn calendar(&self) -> Option<&Place> {
        self.place_for(CALENDAR)
    }

    /// Returns whether mails that are kept for a person belong below that prefix.
    pub fn is_unmatched(prefix: &str) -> bool {
        has_last_folder(prefix, UNMATCHED)
    }

    fn place_for(&self, folder: &str) -> Option<&Place> {
        self.writes.iter().find(|place| has_last_folder(&place.prefix, folder))
    }
}

fn has_last_folder(prefix: &str, folder: &str) -> bool {
    prefix.trim_end_matches('/').rsplit('/').next() == Some(folder)
}

/// A bucket and the prefix of the mails in it; the key is prefix + SES message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPlace {
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Prefix of the keys: empty, or ends with `/`.
    pub prefix: String,
    /// Names of the headers that a receipt rule adds to mails before it stores them here: they precede SES's own headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added_headers: Vec<String>,
}

/// A bucket and a prefix in it below which a function may write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the bucket in AWS.
    pub bucket: String,
    /// Prefix of the keys; ends with `/`.
    pub prefix: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_folder_of_a_prefix_says_what_it_is_for() {
        let json = r#"{"stack":"s","function":"f","writes":[{"bucket":"a","prefix":"calendar/old/"},
            {"bucket":"b","prefix":"carriers/unmatched/"},{"bucket":"c","prefix":"calendar/"}]}"#;
        let context: Context = serde_json::from_str(json).unwrap();
        assert_eq!(context.unmatched().map(|place| place.bucket.as_str()), Some("b"));
        assert_eq!(context.calendar().map(|place| place.bucket.as_str()), Some("c"));
        assert_eq!(Context::default().calendar(), None);
    }
}
