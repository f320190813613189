//! Tests the structure over `cargo metadata`, `cargo tree` and the sources: which crate may use which, of which crates a function is
//! built, that nothing imports in a circle, and what is written in one place only.

mod circles;
mod sizes;
mod sources;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

use crate::{effort::Effort, harness::replaced};

/// Every crate of the workspace, and the crates of the workspace that it may use. Functions use no other function and nothing of the
/// command line's side; the command line uses no function; the runtime knows no domain.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("mail", &[]),
    ("notice", &["contract", "mail"]),
    ("carriers", &["contract", "mail", "notice"]),
    ("schedule", &["contract", "mail", "notice"]),
    ("trust", &["carriers", "contract", "mail", "notice"]),
    ("tls", &[]),
    ("runtime", &["contract", "tls"]),
    ("webhook", &["contract"]),
    ("events", &[]),
    ("delivery", &["contract", "events"]),
    ("kafka", &["contract", "events"]),
    ("function-trial", &[]),
    ("replaced", &[]),
    ("echo", &["contract", "runtime"]),
    ("webhook-receiver", &["contract", "runtime", "webhook"]),
    ("webhook-worker", &["contract", "runtime"]),
    ("mail-events", &["contract", "events", "runtime"]),
    ("kafka-access", &["contract", "kafka", "runtime"]),
    ("tracking", &["contract", "delivery", "events", "runtime"]),
    ("maintenance", &["carriers", "contract", "mail", "notice", "runtime", "schedule", "trust"]),
    ("problem", &[]),
    ("process", &[]),
    ("engine", &[]),
    ("aws", &["contract", "engine", "problem", "tls"]),
    ("kinds", &["aws", "contract", "engine"]),
    ("sending", &["aws", "contract", "delivery", "engine"]),
    // The lists of trusted senders are read by the grammar of `trust`, so that `validate` refuses what the function refuses.
    ("declaration", &["contract", "trust"]),
    ("stack", &["aws", "contract", "declaration", "engine", "kinds", "problem"]),
    ("package", &["contract", "declaration", "process"]),
    ("local", &["contract", "declaration", "kafka", "problem", "process", "webhook"]),
    (
        "provision",
        &[
            "aws",
            "carriers",
            "contract",
            "declaration",
            "delivery",
            "engine",
            "events",
            "kafka",
            "kinds",
            "local",
            "mail",
            "notice",
            "package",
            "problem",
            "process",
            "sending",
            "stack",
            "tls",
            "trust",
        ],
    ),
];

/// Crates that parse mails: a function that reads none contains none of them.
const PARSERS: &[&str] = &[
    "calamine",
    "carriers",
    "csv",
    "encoding_rs",
    "html5ever",
    "icalendar",
    "mail",
    "mail-parser",
    "notice",
    "schedule",
    "trust",
    "zip",
];

fn metadata() -> Metadata {
    MetadataCommand::new()
        .no_deps()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

/// Returns the folder of the repository.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the members of the workspace with the source files of each, without those of tests only.
fn members() -> Vec<(String, PathBuf, Vec<PathBuf>)> {
    let of = |package: &cargo_metadata::Package| {
        let root = package.manifest_path.as_std_path().parent().unwrap().join("src");
        let mut files = Vec::new();
        sources::below(&root, &mut files);
        assert!(!files.is_empty(), "{}", root.display());
        (package.name.to_string(), root, files)
    };
    metadata().workspace_packages().into_iter().map(of).collect()
}

/// Returns the members of the workspace in `handler/`.
fn functions(metadata: &Metadata) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler");
    let packages = metadata.workspace_packages().into_iter();
    let functions = packages.filter(|package| package.manifest_path.as_std_path().starts_with(&folder));
    functions.map(|package| package.name.to_string()).collect()
}

#[test]
fn crates_use_only_those_below_them() {
    let metadata = metadata();
    let members: BTreeSet<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    for package in metadata.workspace_packages() {
        let (_, allowed) = ARROWS
            .iter()
            .find(|(name, _)| *name == package.name.as_str())
            .unwrap_or_else(|| panic!("`{}` is in no row of ARROWS", package.name));
        let used = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
        let inner = used.map(|dependency| dependency.name.as_str()).filter(|name| members.contains(name));
        let wrong: Vec<_> = inner.filter(|name| !allowed.contains(name)).collect();
        assert!(wrong.is_empty(), "`{}` may not use {wrong:?}", package.name);
    }
    for (name, allowed) in ARROWS {
        let rows = |of: &str| ARROWS.iter().position(|(name, _)| *name == of);
        assert!(allowed.iter().all(|below| rows(below) < rows(name)), "`{name}` stands above what it uses");
    }
}

#[test]
fn every_crate_is_on_the_page_about_the_architecture() {
    let page = fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let (_, reasons) = page.split_once("## Why these crates").unwrap();
    let (reasons, _) = reasons.split_once("\n## ").unwrap();
    let functions = functions(&metadata());
    for (name, _) in ARROWS.iter().filter(|(name, _)| *name != "provision") {
        let is_function = functions.iter().any(|function| function == name);
        let folder = if is_function { "handler" } else { "crates" };
        assert!(page.contains(&format!("`{folder}/{name}/`")), "`{name}` has no row");
        assert!(is_function || reasons.contains(&format!("`{name}`")), "why `{name}` is a crate stands nowhere");
    }
}

/// Returns the crates that a function is built of, as Cargo resolves it alone.
fn built_of(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "-p",
            package,
            "-e",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_function_is_built_of_nothing_of_its_neighbours() {
    let functions = functions(&metadata());
    assert!(functions.len() > 1, "{functions:?}");
    for function in &functions {
        let crates = built_of(function);
        assert!(crates.contains("runtime") && crates.contains(function.as_str()), "{function}: {crates:?}");
        let others = functions.iter().filter(|other| *other != function);
        let wrong: Vec<_> = others.filter(|other| crates.contains(other.as_str())).collect();
        assert!(wrong.is_empty() && !crates.contains("provision"), "{function}: {wrong:?}");
    }
}

/// The functions that read mails; every other one is built without their parsers.
const READ_MAILS: &[&str] = &["maintenance"];

#[test]
fn functions_that_read_no_mails_are_built_without_parsers() {
    let functions = functions(&metadata());
    assert!(READ_MAILS.iter().all(|name| functions.iter().any(|function| function == name)), "{functions:?}");
    for function in functions.iter().filter(|function| !READ_MAILS.contains(&function.as_str())) {
        let crates = built_of(function);
        let wrong: Vec<_> = PARSERS.iter().filter(|parser| crates.contains(**parser)).collect();
        assert!(wrong.is_empty(), "{function}: {wrong:?}");
    }
    let maintenance = built_of("maintenance");
    let misspelt: Vec<_> = PARSERS.iter().filter(|parser| !maintenance.contains(**parser)).collect();
    assert!(misspelt.is_empty(), "no function has {misspelt:?}: a name here is wrong");
}

/// The files of the repository that make up the functions, in a folder of their own, with a profile for Lambda that compiles quickly.
fn copy_of_the_functions(to: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = Command::new("git").args(["ls-files"]).current_dir(root).output().unwrap();
    for file in String::from_utf8(files.stdout).unwrap().lines().filter(|file| !file.starts_with("tests/")) {
        fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
        fs::copy(root.join(file), to.join(file)).unwrap();
    }
    let quick = [
        ("opt-level = \"z\"", "opt-level = 0"),
        ("lto = \"fat\"", "lto = \"off\""),
        ("codegen-units = 1\n", "codegen-units = 16\n"),
    ];
    change(&to.join("Cargo.toml"), &quick);
}

fn change(file: &Path, changes: &[(&str, &str)]) {
    fs::write(file, replaced(&fs::read_to_string(file).unwrap(), changes)).unwrap();
}

/// A change in one function's crate leaves the other function's zip as it was, byte for byte: a change of its source, and one of what
/// it asks of a crate that both use. `build` tries the same with small crates.
#[test]
fn a_change_in_echo_leaves_the_zip_of_maintenance() {
    if Effort::asked().leaves_out_below(Effort::Whole, "two functions are compiled as for Lambda") {
        return;
    }
    let workspace = tempfile::tempdir().unwrap();
    copy_of_the_functions(workspace.path());
    let zips = || {
        ["infra.yaml", "examples/echo.yaml"].map(|file| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
            let output = command.args(["--json", "-f", file, "build"]).current_dir(workspace.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            document["functions"][0]["code_sha256"].as_str().unwrap().to_owned()
        })
    };
    let [maintenance, echo] = zips();
    let crate_of_echo = workspace.path().join("handler/echo");
    change(&crate_of_echo.join("src/lib.rs"), &[("\"echoed\"", "\"echoed again\"")]);
    let feature = "serde_json = { workspace = true, features = [\"unbounded_depth\"] }\n";
    change(&crate_of_echo.join("Cargo.toml"), &[("serde_json.workspace = true\n", feature)]);
    let [maintenance_then, echo_then] = zips();
    assert_eq!(maintenance, maintenance_then);
    assert_ne!(echo, echo_then);
}
