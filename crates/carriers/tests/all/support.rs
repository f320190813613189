//! Finding mails, reading them with both line ends, and telling what differs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mail::Mail;
use notice::json::OutcomeRecord;
use serde_json::Value;

/// Returns the parser's result for a mail, as `provision parse --json` prints it.
pub(crate) fn parse(bytes: &[u8]) -> Value {
    let outcome = carriers::parse(&Mail::decode(bytes));
    serde_json::to_value(OutcomeRecord::from(&outcome)).unwrap()
}

/// Returns the same mail with every line end as LF, and as CRLF.
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

/// Returns the folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Returns the sub-folders of a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

/// Returns the last component of a path.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// A mail of a folder.
pub(crate) struct Named {
    /// Name of the mail: `PROVIDER/NAME`.
    pub(crate) name: String,
    /// Path of its file.
    pub(crate) path: PathBuf,
    /// The whole of it.
    pub(crate) bytes: Vec<u8>,
}

/// Returns the mails that we wrote, of the providers that are asked for, sorted.
pub(crate) fn own_mails() -> Vec<Named> {
    let providers = folders(&repository().join("tests/mails"));
    let files = providers.iter().filter(|path| is_asked_for(&name(path))).flat_map(|folder| {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files
    });
    files.map(|path| named(&path, &path.with_extension(""))).collect()
}

/// Returns the mails of the corpus, of the providers that are asked for, sorted; none where there is no corpus. It is not part of the
/// project: it lies beside the repository, or where `MAINTENANCE_CORPUS` says.
pub(crate) fn corpus_mails() -> Vec<Named> {
    let Some(folder) = beside("corpus", "shared/corpus") else { return Vec::new() };
    let providers = folders(&folder);
    let cases = providers.iter().filter(|path| is_asked_for(&name(path))).flat_map(|provider| folders(provider));
    cases.map(|case| named(&case.join("mail.eml"), &case)).collect()
}

/// Returns a folder beside the repository, or where `MAINTENANCE_` and the name in capitals says. `None` where it is missing, which is
/// said; a failure if `PROVISION_REQUIRE` names it.
pub(crate) fn beside(what: &str, folder: &str) -> Option<PathBuf> {
    let variable = format!("MAINTENANCE_{}", what.to_uppercase());
    let folder = std::env::var_os(variable).map_or_else(|| repository().join("..").join(folder), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("PROVISION_REQUIRE").is_ok_and(|list| list.split(',').any(|word| word == what));
    assert!(!required, "PROVISION_REQUIRE names `{what}`, and there is none at {}", folder.display());
    println!("not run: no {what} at {}", folder.display());
    None
}

fn named(path: &Path, called: &Path) -> Named {
    let folder = called.parent().map(name).unwrap_or_default();
    Named { name: format!("{folder}/{}", name(called)), path: path.to_owned(), bytes: fs::read(path).unwrap() }
}

/// Returns whether `PROVIDER`, if it is set, names this provider.
pub(crate) fn is_asked_for(provider: &str) -> bool {
    std::env::var("PROVIDER").map_or(true, |asked| asked.split(',').any(|asked| asked == provider))
}

/// Both values side by side, for the message of a failure; `None` where they are equal.
pub(crate) fn difference(what: &str, expected: &Value, actual: &Value) -> Option<String> {
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    (expected != actual).then(|| format!("--- {what}\nexpected {}\nactual {}\n", pretty(expected), pretty(actual)))
}
