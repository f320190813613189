//! What a function is told of the stack that it stands in: written by `provision` from the declaration, read at start-up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The environment variable that holds a [`Context`] as JSON.
pub const VARIABLE: &str = "PROVISION_CONTEXT";

/// What a function is told of its stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The stack's name.
    pub stack: String,
    /// The stage, where the declaration has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The function's own entry name.
    pub function: String,
    /// Where the receipt rules that invoke this function put the mail before they do, without repetitions.
    /// SES does not say which rule it was, so a mail is looked for in this order.
    #[serde(default)]
    pub mail: Vec<MailPlace>,
    /// Environment variable → name in Secrets Manager, for secrets that the function reads by itself.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Where it may write, without repetitions. What for, the last folder of the prefix says: see [`UNMATCHED`] and [`CALENDAR`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<Place>,
}

/// The folder of mails that are kept for a person.
pub const UNMATCHED: &str = "unmatched";
/// The folder of the calendar that people subscribe to.
pub const CALENDAR: &str = "calendar";

impl Context {
    /// Where mails for a person are kept.
    pub fn unmatched(&self) -> Option<&Place> {
        self.place_for(UNMATCHED)
    }

    /// Where the calendar is.
    pub fn calendar(&self) -> Option<&Place> {
        self.place_for(CALENDAR)
    }

    fn place_for(&self, folder: &str) -> Option<&Place> {
        self.writes.iter().find(|place| place.prefix.trim_end_matches('/').rsplit('/').next() == Some(folder))
    }
}

/// A bucket and the prefix of the mails in it; the key is prefix + SES message id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPlace {
    /// The bucket's name in AWS.
    pub bucket: String,
    /// Empty, or ends with `/`.
    pub prefix: String,
    /// The names of headers that a receipt rule adds to mails before it stores them here: they stand before those of SES.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added_headers: Vec<String>,
}

/// A bucket and the prefix in it below which something may be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The bucket's name in AWS.
    pub bucket: String,
    /// Ends with `/`.
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
