//! Tests that nothing imports in a circle: no folders, and no files but those that are named here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use super::{members, sources};

#[test]
fn no_folder_imports_in_a_circle() {
    let of = |(name, root, files): (String, PathBuf, Vec<PathBuf>)| {
        circles_of(&root, &files).into_iter().map(move |circle| format!("{name}: {circle}")).collect::<Vec<_>>()
    };
    let circles: Vec<String> = members().into_iter().flat_map(of).collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// Circles of files that there may be: by crate, its files, and why they stay.
const ALLOWED: &[(&str, &[&str], &str)] = &[
    (
        "notice",
        &["draft", "provider", "source"],
        "a provider reads its source, which names it, into drafts, which begin with what the source has",
    ),
    ("kinds", &["apigateway/api", "apigateway/stage", "apigateway/wire"], "a stage is a part of its API"),
    ("kinds", &["sns/children", "sns/subscription", "sns/topic"], "subscriptions are parts of a topic"),
    ("stack", &["desired/function", "desired/rights"], "a function and its role"),
];

#[test]
fn no_files_import_in_a_circle_but_those_that_are_named() {
    let mut circles = BTreeSet::new();
    for (name, root, files) in members() {
        circles.extend(circles_of_files(&root, &files).into_iter().map(|circle| (name.clone(), circle)));
    }
    let named = |(name, files, _): &(&str, &[&str], &str)| {
        ((*name).to_owned(), files.iter().map(|file| (*file).to_owned()).collect())
    };
    let allowed: BTreeSet<(String, Vec<String>)> = ALLOWED.iter().map(named).collect();
    let new: Vec<_> = circles.difference(&allowed).collect();
    let gone: Vec<_> = allowed.difference(&circles).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\nno longer there: {gone:#?}");
}

/// Writes a file and the folders above it.
fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_circle_of_files_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| write(folder.path(), name, text);
    write("lib.rs", "mod one;\nmod two;\nmod three;\n");
    write("one.rs", "use super::two::{Two, other};\n");
    write("two.rs", "use crate::three::inner::Inner;\n#[cfg(test)]\nmod tests {\n    use crate::lib;\n}\n");
    write("three/mod.rs", "mod inner;\n");
    write("three/inner.rs", "use crate::one::One;\n");
    let circles = || {
        let mut files = Vec::new();
        sources::below(folder.path(), &mut files);
        circles_of_files(folder.path(), &files)
    };
    assert_eq!(circles(), [["one", "three/inner", "two"]]);
    write("three/inner.rs", "use super::Three;\n");
    assert!(circles().is_empty());
}

/// Returns the circles among the files of a crate, each with its files in order. A module is the file that has it; who uses the items of a
/// folder uses its `mod.rs`.
fn circles_of_files(root: &Path, files: &[PathBuf]) -> Vec<Vec<String>> {
    let modules: BTreeSet<Vec<String>> = files.iter().map(|file| module(root, file)).collect();
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        let here = module(root, file);
        for path in imports(&fs::read_to_string(file).unwrap(), &here) {
            let there = (0..=path.len()).rev().map(|length| &path[..length]).find(|part| modules.contains(*part));
            if let Some(there) = there.filter(|there| *there != here) {
                arrows.entry(here.join("/")).or_default().insert(there.join("/"));
            }
        }
    }
    let of = |from: &String| {
        let reached = reachable(&arrows, from);
        let circle = reached.iter().filter(|to| reachable(&arrows, to).contains(from));
        circle.cloned().collect::<Vec<_>>()
    };
    let circles: BTreeSet<Vec<String>> = arrows.keys().map(of).filter(|circle| circle.len() > 1).collect();
    circles.into_iter().collect()
}

#[test]
fn a_circle_of_folders_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| write(folder.path(), name, text);
    write("lib.rs", "mod one;\nmod two;\nmod three;\n");
    write(
        "one/mod.rs",
        "use crate::{\n    two::{Two, other},\n};\n#[cfg(test)]\nmod tests {\n    use crate::three;\n}\n",
    );
    write("two.rs", "pub fn two() { crate::three::x(); } // crate::one\n");
    write("three/mod.rs", "mod inner;\n");
    write("three/inner.rs", "use super::super::one::One;\n");
    let mut files = Vec::new();
    sources::below(folder.path(), &mut files);
    assert_eq!(circles_of(folder.path(), &files), ["one → three → two"]);
    write("three/inner.rs", "");
    assert_eq!(circles_of(folder.path(), &files), Vec::<String>::new());
}

/// Returns the circles among the modules of one parent in which a folder takes part, at every level.
fn circles_of(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let mut arrows: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for file in files {
        let here = module(root, file);
        for there in imports(&fs::read_to_string(file).unwrap(), &here) {
            let common = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
            let (Some(from), Some(to)) = (here.get(common), there.get(common)) else { continue };
            let place = here[..common].iter().fold(root.to_owned(), |place, part| place.join(part));
            if place.join(to).is_dir() || place.join(format!("{to}.rs")).is_file() {
                arrows.entry(here[..common].to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    let mut circles = BTreeSet::new();
    for (parent, arrows) in &arrows {
        let place = parent.iter().fold(root.to_owned(), |place, part| place.join(part));
        for from in arrows.keys() {
            let reached = reachable(arrows, from);
            let circle: Vec<_> = reached.iter().filter(|to| reachable(arrows, to).contains(from)).cloned().collect();
            if circle.len() > 1 && circle.iter().any(|name| place.join(name).is_dir()) {
                circles.insert(circle.join(" → "));
            }
        }
    }
    circles.into_iter().collect()
}

fn reachable(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = next.pop() {
        for to in arrows.get(&name).into_iter().flatten() {
            if reached.insert(to.clone()) {
                next.push(to.clone());
            }
        }
    }
    reached
}

/// Returns the path of a file's module below the crate.
fn module(root: &Path, file: &Path) -> Vec<String> {
    let parts = file.strip_prefix(root).unwrap().with_extension("");
    let mut parts: Vec<String> = parts.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// Returns the paths that a file uses from its own crate, outside its tests, below the crate's root.
pub(super) fn imports(text: &str, here: &[String]) -> Vec<Vec<String>> {
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            // `super::super::x` is handled at its first word.
            let before = code[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
                continue;
            }
            tree(&mut code[at..].chars().peekable(), &mut Vec::new(), &mut paths);
        }
    }
    paths.into_iter().filter_map(|path| absolute(&path, here)).collect()
}

/// Expands `a::{b, c::d}` into its paths.
fn tree(
    letters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    before: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) {
    let length = before.len();
    loop {
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let mut word = String::new();
        while let Some(letter) = letters.next_if(|letter| letter.is_alphanumeric() || *letter == '_') {
            word.push(letter);
        }
        if !word.is_empty() {
            before.push(word);
        }
        match letters.peek() {
            Some(':') => {
                letters.next();
            }
            Some('{') => {
                letters.next();
                loop {
                    tree(letters, before, paths);
                    // ` as name` and the rest are skipped.
                    while letters.next_if(|letter| !matches!(letter, ',' | '}')).is_some() {}
                    if letters.next() != Some(',') {
                        break;
                    }
                }
                break;
            }
            _ => {
                paths.push(before.clone());
                break;
            }
        }
    }
    before.truncate(length);
}

fn absolute(path: &[String], here: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    if path.first()? == "crate" {
        return Some(path[1..].to_vec());
    }
    let kept = here.len().checked_sub(ups)?;
    Some([&here[..kept], &path[ups..]].concat())
}
