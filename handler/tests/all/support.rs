//! Finding mails, reading them with both line ends, and telling what differs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use handler::{
    mail::Mail,
    maintenance::{self, json::OutcomeRecord},
};
use serde_json::Value;

/// What the parser says of a mail, as `provision parse --json` would.
pub(crate) fn parse(bytes: &[u8]) -> Value {
    let outcome = maintenance::parse(&Mail::decode(bytes));
    serde_json::to_value(OutcomeRecord::from(&outcome)).unwrap()
}

/// The same mail with every line end as LF, and as CRLF.
pub(crate) fn with_both_line_ends(bytes: &[u8]) -> [(&'static str, Vec<u8>); 2] {
    let mut lf = Vec::with_capacity(bytes.len());
    let mut crlf = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' if bytes.get(index + 1) == Some(&b'\n') => {}
            b'\n' => {
                lf.push(b'\n');
                crlf.extend_from_slice(b"\r\n");
            }
            other => {
                lf.push(*other);
                crlf.push(*other);
            }
        }
    }
    [("LF", lf), ("CRLF", crlf)]
}

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The sub-folders of a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// The last component of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whether `PROVIDER`, if it is set, names this provider.
pub(crate) fn is_asked_for(provider: &str) -> bool {
    std::env::var("PROVIDER").map_or(true, |asked| asked.split(',').any(|asked| asked == provider))
}

/// Both values side by side, for the message of a failure; `None` where they are equal.
pub(crate) fn difference(what: &str, expected: &Value, actual: &Value) -> Option<String> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    (expected != actual).then(|| format!("--- {what}\nexpected {}\nactual {}\n", pretty(expected), pretty(actual)))
}
