//! Tests the structure over `cargo metadata`, `cargo tree` and the imports: which crate may use which, of which crates a function is
//! built, and that no folder imports in a cycle.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    ("schedule", &["contract", "mail", "notice"]),
    ("trust", &["contract", "mail", "notice"]),
    ("tls", &[]),
    ("runtime", &["contract", "tls"]),
    ("webhook", &["contract"]),
    ("events", &[]),
    ("delivery", &["contract", "events"]),
    ("kafka", &["contract", "events"]),
    ("function-trial", &[]),
    ("echo", &["contract", "runtime"]),
    ("webhook-receiver", &["contract", "runtime", "webhook"]),
    ("webhook-worker", &["contract", "runtime"]),
    ("mail-events", &["contract", "events", "runtime"]),
    ("kafka-access", &["contract", "kafka", "runtime"]),
    ("tracking", &["contract", "delivery", "events", "runtime"]),
    ("maintenance", &["contract", "mail", "notice", "runtime", "schedule", "trust"]),
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

#[test]
fn functions_that_read_no_mails_are_built_without_parsers() {
    for function in ["echo", "webhook-receiver", "webhook-worker"] {
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

#[test]
fn no_folder_imports_in_a_circle() {
    let mut circles = Vec::new();
    for package in metadata().workspace_packages() {
        let root = package.manifest_path.as_std_path().parent().unwrap().join("src");
        let mut files = Vec::new();
        sources(&root, &mut files);
        assert!(!files.is_empty(), "{}", root.display());
        circles.extend(circles_of(&root, &files).into_iter().map(|circle| format!("{}: {circle}", package.name)));
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// Folders of the binary, with the names that each must not use: operations return values, and only `render` prints.
const BINARY: &[(&str, &[&str])] =
    &[("ops", &["crate::cli", "crate::commands", "crate::render"]), ("render", &["crate::commands"])];

#[test]
fn operations_neither_read_arguments_nor_print() {
    for (folder, forbidden) in BINARY {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder), &mut files);
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

/// Returns the source files of the command line's side: the binary and its crates.
fn command_line() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    for name in ["aws", "declaration", "engine", "kinds", "local", "package", "problem", "process", "stack"] {
        sources(&root.join("crates").join(name).join("src"), &mut files);
    }
    assert!(files.len() > 100, "{}", files.len());
    files
}

/// Returns a file's code, without its comments and its tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn only_the_rendering_prints() {
    let render = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render");
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
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/aws/src/arn.rs");
    assert!(code(&made).contains("format!(\"arn:{}:"));
    let by_hand: Vec<_> = command_line().into_iter().filter(|file| code(file).contains("arn:aws")).collect();
    assert!(by_hand.is_empty(), "a partition is written by hand in {by_hand:?}");
}

#[test]
fn a_circle_of_folders_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lib.rs", "mod one;\nmod two;\nmod three;\n");
    write(
        "one/mod.rs",
        "use crate::{\n    two::{Two, other},\n};\n#[cfg(test)]\nmod tests {\n    use crate::three;\n}\n",
    );
    write("two.rs", "pub fn two() { crate::three::x(); } // crate::one\n");
    write("three/mod.rs", "mod inner;\n");
    write("three/inner.rs", "use super::super::one::One;\n");
    let mut files = Vec::new();
    sources(folder.path(), &mut files);
    assert_eq!(circles_of(folder.path(), &files), ["one → three → two"]);
    write("three/inner.rs", "");
    assert_eq!(circles_of(folder.path(), &files), Vec::<String>::new());
}

/// Collects the source files below a folder, without those of tests only.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" && name != "simulated" {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("tests") {
            files.push(path);
        }
    }
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
fn imports(text: &str, here: &[String]) -> Vec<Vec<String>> {
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
