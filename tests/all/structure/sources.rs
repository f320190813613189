//! Tests what the sources hold: what is written in one place, and what is written nowhere.

use std::{
    collections::BTreeSet,
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
};

use super::{ARROWS, circles::imports, members, repository};

/// Folders of the binary, with the names that each must not use: operations return values, and only `render` prints.
const BINARY: &[(&str, &[&str])] =
    &[("ops", &["crate::cli", "crate::commands", "crate::render"]), ("render", &["crate::commands"])];

#[test]
fn operations_neither_read_arguments_nor_print() {
    for (folder, forbidden) in BINARY {
        let mut files = Vec::new();
        below(&repository().join("src").join(folder), &mut files);
        assert!(!files.is_empty(), "{folder}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let here = ["provision".to_owned(), folder.to_string()];
            for path in imports(&text, &here).into_iter().filter(|path| path.len() > 1) {
                let path = format!("crate::{}", path.join("::"));
                assert!(!forbidden.iter().any(|way| path.starts_with(way)), "{}: {path}", file.display());
            }
        }
    }
}

/// Returns the source files of the command line: the binary, every crate that it uses, and those that these use.
fn command_line() -> Vec<PathBuf> {
    let mut used = BTreeSet::from(["provision"]);
    // A row stands below those of all that it uses.
    for (name, uses) in ARROWS.iter().rev() {
        if used.contains(name) {
            used.extend(uses.iter());
        }
    }
    let files: Vec<_> = members()
        .into_iter()
        .filter(|(name, ..)| used.contains(name.as_str()))
        .flat_map(|(_, _, files)| files)
        .collect();
    assert!(files.len() > 400, "{}", files.len());
    files
}

/// Returns the source files of every member of the workspace.
fn everything() -> Vec<PathBuf> {
    members().into_iter().flat_map(|(_, _, files)| files).collect()
}

/// Returns a file's code, without its comments and its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_the_rendering_prints() {
    let render = repository().join("src/render");
    let doors = ["stdout()", "stderr()", "print!(", "println!(", "eprint!(", "eprintln!("];
    let (mut inside, mut outside) = (0, Vec::new());
    for file in command_line() {
        let code = code(&file);
        let opened = doors.iter().any(|door| code.contains(door));
        if file.starts_with(&render) {
            inside += usize::from(opened);
        } else if opened {
            outside.push(file);
        }
    }
    assert!(outside.is_empty(), "{outside:?}");
    assert!(inside > 0, "nothing prints: a door here is misspelt");
}

/// Every child process is started by `process`, which clears its environment, or gets one made for it.
#[test]
fn no_child_process_inherits_the_environment() {
    let starts = |file: &PathBuf| {
        let text = code(file);
        let starts = text.matches("Command::new(").count();
        let is_cleared = text.contains(".env_clear()");
        starts > 0 && !is_cleared && !text.contains("clap::Command")
    };
    let found: Vec<_> = command_line().into_iter().filter(starts).collect();
    assert_eq!(found, Vec::<PathBuf>::new(), "start it with `process::tool`");
}

#[test]
fn no_arn_is_written_by_hand() {
    let made = repository().join("crates/aws/src/arn.rs");
    assert!(code(&made).contains("format!(\"arn:{}:"));
    // What plays Lambda for tests names a function as Lambda does.
    let trial = repository().join("crates/function-trial");
    let is_by_hand = |file: &PathBuf| code(file).contains("arn:aws") && !file.starts_with(&trial);
    let by_hand: Vec<_> = everything().into_iter().filter(is_by_hand).collect();
    assert!(by_hand.is_empty(), "a partition is written by hand in {by_hand:?}");
}

/// Files that decide what a code of AWS means: of the command line, and of the functions.
const DECIDE: [&str; 3] =
    ["crates/aws/src/failure/class.rs", "crates/aws/src/failure/detail.rs", "crates/runtime/src/meaning.rs"];

/// Other files in which codes of AWS stand, with the reason.
const NAME_CODES: &[(&str, &str)] = &[
    ("crates/aws/src/credentials.rs", "advice on refused credentials, whose class was decided before"),
    ("crates/local/src/rights.rs", "answers as S3 does"),
    ("crates/local/src/services.rs", "answers as Secrets Manager does"),
    ("crates/local/src/sqs.rs", "answers as SQS does"),
    ("crates/local/src/tables.rs", "answers as DynamoDB does"),
    ("crates/kinds/src/server/wire.rs", "a lack of machines, which EC2 tells with the status of a fault"),
];

/// Returns the texts in a file's code that may be codes of AWS: `NoSuchKey`, `Gateway.NotAttached`.
fn codes_in(file: &Path) -> BTreeSet<String> {
    let code = code(file);
    let texts = code.split('"').skip(1).step_by(2);
    let is_code = |text: &&str| {
        text.len() > 3
            && text.starts_with(|letter: char| letter.is_ascii_uppercase())
            && text.chars().any(|letter| letter.is_ascii_lowercase())
            && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
    };
    texts.filter(is_code).map(|text| text.strip_suffix("Exception").unwrap_or(text).to_owned()).collect()
}

#[test]
fn what_a_code_of_aws_means_is_decided_in_one_place() {
    let known: BTreeSet<String> = DECIDE.iter().flat_map(|file| codes_in(&repository().join(file))).collect();
    assert!(known.len() > 100 && known.contains("NoSuchKey") && known.contains("KmsThrottled"), "{known:?}");
    let (mut elsewhere, mut named) = (Vec::new(), BTreeSet::new());
    for file in everything() {
        let path = file.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned();
        if DECIDE.contains(&path.as_str()) {
            continue;
        }
        // Codes that no table has are found by how they are looked at.
        let is_compared = [".code.as_deref() == ", ".code.as_deref() != ", ".code() == Some(\""];
        let text = code(&file);
        let compares = is_compared.iter().any(|words| text.contains(words));
        let has_macro = path.starts_with("crates/local/") && text.contains("AccessDenied,");
        let codes: Vec<_> = codes_in(&file).intersection(&known).cloned().collect();
        if codes.is_empty() && !compares && !has_macro {
            continue;
        }
        match NAME_CODES.iter().find(|(named, _)| *named == path) {
            Some((row, _)) => drop(named.insert(*row)),
            None => elsewhere.push(format!("{path}: {codes:?}")),
        }
    }
    assert!(elsewhere.is_empty(), "ask for the class, or for a detail: {elsewhere:?}");
    let rows: BTreeSet<_> = NAME_CODES.iter().map(|(file, _)| *file).collect();
    assert_eq!(named, rows, "a row is not needed");
}

/// Addresses outside of AWS that our files name; where a server has many owners, with the owner's place.
const ADDRESSES: &[&str] = &[
    "api.voxel51.com",
    "crates.io/crates/krafka",
    "crates.io/crates/rdkafka",
    "github.com/jasonyates/netbox-circuitmaintenance",
    "github.com/jda/maintnote-std",
    "github.com/jsenecal/netbox-notices",
    "github.com/tansu-io/tansu",
    "json-schema.org",
    "keepachangelog.com",
    "rustup.rs",
    "semver.org",
    "www.apache.org",
    "www.standardwebhooks.com",
];

/// Returns the address of each URL in a text, without its scheme and user.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    ["https://", "http://"].into_iter().flat_map(move |scheme| text.split(scheme).skip(1)).map(|rest| {
        let ends = |letter: char| !letter.is_ascii_alphanumeric() && !"-._~/:@".contains(letter);
        let address = rest.split(ends).next().unwrap_or_default();
        let host = address.split('/').next().unwrap_or_default();
        let start = host.rfind('@').map_or(0, |at| at + 1);
        &address[start..]
    })
}

/// Returns whether an address is an example, this machine's, one of AWS's, or a row of [`ADDRESSES`].
fn is_known(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_end_matches('.');
    let is_below = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let reserved = ["example", "example.com", "example.net", "example.org", "localhost"];
    let aws = ["amazonaws.com", "amazonaws.com.cn", "aws.amazon.com", "api.aws", "on.aws"];
    let is_named =
        |row: &&str| address.strip_prefix(*row).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']));
    // Without a dot it is a name of nobody: what a person fills in, or a part of one.
    !host.contains('.')
        || host.parse::<IpAddr>().is_ok()
        || reserved.iter().chain(&aws).any(|domain| is_below(domain))
        || ADDRESSES.iter().any(is_named)
}

/// Returns the files of the repository without its tests, and what each says outside of its own.
fn shipped() -> Vec<(String, String)> {
    let output = Command::new("git").args(["ls-files"]).current_dir(repository()).output().unwrap();
    let is_test = |file: &str| {
        file.starts_with("tests/")
            || file.contains("/tests")
            || file.ends_with("tests.rs")
            || file.contains("/benches/")
    };
    let files = String::from_utf8(output.stdout).unwrap();
    let of = |file: &str| {
        let text = fs::read_to_string(repository().join(file)).ok()?;
        Some((file.to_owned(), text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()))
    };
    let files: Vec<_> = files
        .lines()
        .filter(|file| !is_test(file) && Path::new(file).extension().is_none_or(|extension| extension != "lock"))
        .filter_map(of)
        .collect();
    assert!(files.len() > 500, "{}", files.len());
    files
}

#[test]
fn every_address_in_our_files_is_known() {
    for invented in
        ["github.com/provision/provision/blob/main/docs/tracking.md", "notexample.com", "crates.io", "provision.rs"]
    {
        assert!(!is_known(invented), "{invented}");
    }
    let files = shipped();
    let unknown: Vec<_> = files
        .iter()
        .flat_map(|(file, text)| {
            addresses(text).filter(|address| !is_known(address)).map(move |address| format!("{file}: {address}"))
        })
        .collect();
    assert!(unknown.is_empty(), "invented, or missing in ADDRESSES: {unknown:#?}");
    let is_unused = |row: &&&str| !files.iter().any(|(_, text)| text.contains(**row));
    let unused: Vec<_> = ADDRESSES.iter().filter(is_unused).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

/// Collects the source files below a folder, without those of tests only.
pub(super) fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "simulated" {
            below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("tests") {
            files.push(path);
        }
    }
}
