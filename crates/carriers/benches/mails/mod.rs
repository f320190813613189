//! The mails that are measured: the corpus beside the repository (or where `MAINTENANCE_CORPUS` says), else `tests/mails`.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let corpus =
        std::env::var_os("MAINTENANCE_CORPUS").map_or_else(|| repository.join("../shared/corpus"), PathBuf::from);
    if corpus.is_dir() { corpus } else { repository.join("tests/mails") }
}

/// Returns the folders of the providers, by slug.
pub(crate) fn providers() -> Vec<String> {
    let mut slugs: Vec<_> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    slugs.sort();
    slugs
}

/// Returns the mails of one provider.
pub(crate) fn of(provider: &str) -> Vec<Vec<u8>> {
    mails_below(&root().join(provider))
}

fn mails_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut mails = Vec::new();
    for path in paths {
        if path.is_dir() {
            mails.extend(mails_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            mails.push(fs::read(path).unwrap());
        }
    }
    mails
}
