//! Tests `provision build`: the same bytes for the same source wherever it is, never stale ones; a missing tool is reported
//! before or after the compilation, with a hint.

use std::{
    env, fs,
    io::{Cursor, Read, Write},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use insta::assert_snapshot;
use serde_json::Value;

use crate::harness::{Folder, Run, replaced};

const DECLARATION: &str = "\
stack: built
region: eu-west-1
functions:
  reader: {crate: reader, bin: reader}
";

/// Source of a program that prints the folder of generated code, and the address of a name.
const MAIN: &str = r#"
use std::net::ToSocketAddrs;

fn main() {
    println!("{}", reader::place());
    let addresses = ("localhost", 80).to_socket_addrs().unwrap();
    println!("{}", addresses.into_iter().any(|address| address.ip().is_loopback()));
}
"#;

const BUILD: &str = r#"
fn main() {
    let made = "/// Where it stands.\npub fn place() -> &'static str { std::panic::Location::caller().file() }";
    std::fs::write(std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("made.rs"), made).unwrap();
}
"#;

/// A workspace with one function, in a folder below the test's.
struct Workspace<'folder> {
    folder: &'folder Folder,
    below: &'folder str,
}

impl<'folder> Workspace<'folder> {
    fn new(folder: &'folder Folder, below: &'folder str) -> Self {
        let workspace = Self { folder, below };
        workspace.write("infra.yaml", DECLARATION);
        workspace.write("Cargo.toml", "[workspace]\nmembers = [\"reader\"]\nresolver = \"3\"\n");
        workspace.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"reader\"\nversion = \"0.1.0\"\n");
        workspace.write("reader/Cargo.toml", "[package]\nname = \"reader\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        workspace.write("reader/build.rs", BUILD);
        workspace.write("reader/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n");
        workspace.write("reader/src/main.rs", MAIN);
        workspace
    }

    fn write(&self, name: &str, content: &str) {
        self.folder.write(&format!("{}/{name}", self.below), content);
    }

    fn root(&self) -> PathBuf {
        self.folder.path(self.below)
    }

    /// Returns the command, with the toolchain that runs this test, and without the network.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.folder.command(arguments);
        command.current_dir(self.root()).env("CARGO_NET_OFFLINE", "true");
        for name in ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            command.envs(env::var_os(name).map(|value| (name, value)));
        }
        command
    }

    fn build(&self, arguments: &[&str]) -> Run {
        let arguments = [&["build"], arguments].concat();
        self.folder.finish(&arguments, self.command(&arguments).output().unwrap())
    }

    /// Returns the only function of the document, and its zip.
    fn built(&self) -> (Value, Vec<u8>) {
        let run = self.build(&["--json"]);
        assert_eq!(run.code(), Some(0), "{run}");
        let document = run.json().pop().unwrap();
        assert_eq!(document["version"], 1);
        let function = document["functions"][0].clone();
        let zip = fs::read(function["path"].as_str().unwrap()).unwrap();
        assert_eq!(function["size"], zip.len());
        (function, zip)
    }

    /// Returns exit code and output without what differs between machines.
    fn shown(&self, run: &Run) -> String {
        let root = fs::canonicalize(self.root()).unwrap();
        run.shown().replace(root.to_str().unwrap(), "ROOT")
    }
}

/// Returns the output of the program in a zip.
fn printed(zip: &[u8]) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    let mut program = Vec::new();
    archive.by_name("bootstrap").unwrap().read_to_end(&mut program).unwrap();
    let folder = Folder::new();
    let path = folder.path("bootstrap");
    fs::File::create(&path).unwrap().write_all(&program).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new(&path).env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_same_source_becomes_the_same_bytes_in_any_folder_and_other_source_others() {
    let folder = Folder::new();
    let (one, other) = (Workspace::new(&folder, "one"), Workspace::new(&folder, "another/place"));
    // A person's settings for their own builds change nothing.
    other.write(".cargo/config.toml", "[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n");
    let ((first, first_zip), (second, second_zip)) = (one.built(), other.built());
    assert_eq!(first["code_sha256"], second["code_sha256"], "{first}\n{second}");
    assert!(first_zip == second_zip, "the hashes are equal and the bytes are not");
    assert_ne!(first["path"], second["path"]);
    let printed = printed(&first_zip);
    assert!(printed.starts_with("/target/") && printed.ends_with("/out/made.rs\ntrue\n"), "{printed}");

    let mut build = String::new();
    let mut archive = zip::ZipArchive::new(Cursor::new(&first_zip)).unwrap();
    archive.by_name("build.txt").unwrap().read_to_string(&mut build).unwrap();
    assert_eq!(first["build"], build, "what the function will write into its log");

    let (again, again_zip) = one.built();
    assert_eq!((&again, &again_zip), (&first, &first_zip));
    one.write("reader/src/main.rs", "fn main() { println!(\"changed\"); }\n");
    let (changed, changed_zip) = one.built();
    assert_ne!(changed["code_sha256"], first["code_sha256"]);
    assert_ne!(changed["build"], first["build"]);
    assert_eq!(self::printed(&changed_zip), "changed\n", "a stale zip");

    one.write("reader/src/main.rs", MAIN);
    let run = one.build(&["--out", "zips"]);
    let zip = fs::read(one.root().join("zips/reader.zip")).unwrap();
    assert!(run.code() == Some(0) && zip == first_zip, "{run}");
    assert!(run.stdout().starts_with("FUNCTION  RUNS ON  SIZE"), "{run}");
    assert!(run.stdout().contains(first["code_sha256"].as_str().unwrap()), "{run}");
    assert!(run.stderr().starts_with("reader: building\nreader: "), "{run}");
}

/// Prints where code of the crate beside the workspace lies, and the compiler's own number of a type there.
const USES_HELPER: &str = r#"
fn main() {
    println!("{}", helper::place());
    println!("{:?}", std::any::TypeId::of::<helper::Helper>());
}
"#;

#[test]
fn a_crate_beside_the_workspace_changes_no_bytes_with_its_place() {
    let folder = Folder::new();
    let in_folder = |above: &str| {
        let below = format!("{above}/own");
        let workspace = Workspace::new(&folder, &below);
        let manifest = fs::read_to_string(workspace.root().join("reader/Cargo.toml")).unwrap();
        workspace.write(
            "reader/Cargo.toml",
            &format!("{manifest}[dependencies]\nhelper = {{ path = \"../../clone/helper\" }}\n"),
        );
        workspace.write("reader/src/main.rs", USES_HELPER);
        let lock = "version = 4\n\n[[package]]\nname = \"helper\"\nversion = \"0.1.0\"\n\n\
             [[package]]\nname = \"reader\"\nversion = \"0.1.0\"\ndependencies = [\n \"helper\",\n]\n";
        workspace.write("Cargo.lock", lock);
        let helper = "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        workspace.write("../clone/helper/Cargo.toml", helper);
        let source = "pub struct Helper;\npub fn place() -> &'static str { std::panic::Location::caller().file() }\n";
        workspace.write("../clone/helper/src/lib.rs", source);
        workspace.built()
    };
    let ((first, first_zip), (second, second_zip)) = (in_folder("one"), in_folder("another/place"));
    assert_eq!(printed(&first_zip), printed(&second_zip));
    assert_eq!(first["code_sha256"], second["code_sha256"], "{first}\n{second}");
    assert!(first_zip == second_zip, "the hashes are equal and the bytes are not");
    assert!(printed(&first_zip).starts_with("/outside/helper-0.1.0/src/lib.rs\n"), "{}", printed(&first_zip));
}

/// A crate that two functions use: one of its features is to be asked for by one of them alone.
const VOICE: &str = "\
#[cfg(feature = \"loud\")]
pub const VOICE: &str = \"loud\";
#[cfg(not(feature = \"loud\"))]
pub const VOICE: &str = \"quiet\";
";

/// A change in one function leaves the other's zip as it was, byte for byte: a change of its source, and one of what it asks of a crate
/// that both use. `structure` tries it with the functions of this repository.
#[test]
fn a_change_in_one_function_changes_no_other_zip() {
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    let manifest = |name: &str, rest: &str| {
        let text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}");
        workspace.write(&format!("{name}/Cargo.toml"), &text);
    };
    let uses_voice = "[dependencies]\nvoice = { path = \"../voice\" }\n";
    let says = "fn main() { println!(\"says {}\", voice::VOICE); }\n";
    let package = |name: &str, uses: &str| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n{uses}");
    let uses = "dependencies = [\n \"voice\",\n]\n";
    let lock = ["version = 4\n", &package("reader", uses), &package("voice", ""), &package("writer", uses)].concat();
    workspace.write("Cargo.lock", &lock);
    workspace.write("Cargo.toml", "[workspace]\nmembers = [\"reader\", \"writer\", \"voice\"]\nresolver = \"3\"\n");
    workspace.write("infra.yaml", &format!("{DECLARATION}  writer: {{crate: writer}}\n"));
    manifest("voice", "[features]\nloud = []\n");
    workspace.write("voice/src/lib.rs", VOICE);
    for name in ["reader", "writer"] {
        manifest(name, uses_voice);
        workspace.write(&format!("{name}/src/main.rs"), says);
    }
    fs::remove_file(workspace.root().join("reader/build.rs")).unwrap();
    fs::remove_file(workspace.root().join("reader/src/lib.rs")).unwrap();
    let zips = || {
        let run = workspace.build(&["--json"]);
        assert_eq!(run.code(), Some(0), "{run}");
        let functions = run.json().pop().unwrap()["functions"].take();
        let zip = |index: usize| fs::read(functions[index]["path"].as_str().unwrap()).unwrap();
        (zip(0), zip(1))
    };
    let (reader, writer) = zips();
    assert_eq!((printed(&reader), printed(&writer)), ("says quiet\n".to_owned(), "says quiet\n".to_owned()));
    workspace.write("writer/src/main.rs", &says.replace("says", "cries"));
    manifest("writer", &uses_voice.replace(" }", ", features = [\"loud\"] }"));
    let (reader_then, writer_then) = zips();
    assert_eq!(printed(&writer_then), "cries loud\n");
    assert!(reader == reader_then, "{}", printed(&reader_then));
}

#[test]
fn a_binary_that_needs_a_newer_c_library_brings_its_own() {
    let output =
        Command::new("getconf").arg("GNU_LIBC_VERSION").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8(output).unwrap();
    let minor = version.trim().strip_prefix("glibc 2.").and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 36) {
        println!("not run: this machine's C library is not newer than Lambda's: {version}");
        return;
    }
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    let calling = "unsafe extern \"C\" { safe fn arc4random() -> u32; }\nfn main() {\n    arc4random();";
    let newer = replaced(MAIN, &[("fn main() {", calling)]);
    workspace.write("reader/src/main.rs", &newer);
    let (function, zip) = workspace.built();
    assert_eq!(function["linking"], "static");
    assert!(printed(&zip).ends_with("\ntrue\n"), "a name is not resolved");
}

#[test]
fn missing_parts_are_reported_with_a_hint() {
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    workspace.write("infra.yaml", &replaced(DECLARATION, &[("crate: reader", "crate: raeder")]));
    assert_snapshot!(workspace.shown(&workspace.build(&[])), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    reader: building
    error: Failed to find package `raeder` in the Cargo workspace `ROOT`
    hint: did you mean `reader`?
    ");
    workspace.write("infra.yaml", &replaced(DECLARATION, &[("bin: reader", "bin: maintenance")]));
    assert_snapshot!(workspace.shown(&workspace.build(&[])), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    reader: building
    error: Failed to find binary `maintenance` in package `reader`
    hint: binaries of the package: `reader`
    ");
    workspace.write("infra.yaml", &replaced(DECLARATION, &[(", bin: reader", "")]));
    workspace.write("reader/src/bin/writer.rs", "fn main() {}\n");
    assert_snapshot!(workspace.shown(&workspace.build(&[])), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    reader: building
    error: Failed to choose a binary of package `reader`: it has several
    hint: add one of `bin: reader`, `bin: writer`
    ");
    fs::remove_dir_all(workspace.root().join("reader/src/bin")).unwrap();
    let run = workspace.build(&["--json"]);
    assert_eq!(run.json()[0]["functions"][0]["bin"], "reader", "the only one: {run}");
    workspace.write("infra.yaml", DECLARATION);
    fs::remove_file(workspace.root().join("Cargo.lock")).unwrap();
    assert_snapshot!(workspace.shown(&workspace.build(&["--json"])), @r#"
    exit code: 2
    ----- stdout -----
    {"error":{"causes":[],"hints":["run `cargo generate-lockfile` and commit `Cargo.lock`"],"message":"Failed to find `Cargo.lock` in `ROOT`: without it two builds may differ"},"version":1}
    ----- stderr -----
    reader: building
    error: Failed to find `Cargo.lock` in `ROOT`: without it two builds may differ
    hint: run `cargo generate-lockfile` and commit `Cargo.lock`
    "#);
    workspace.write("Cargo.toml", "[workspace]\nmembers = [\"writer\"]\n");
    let run = workspace.build(&[]);
    assert_eq!(run.code(), Some(2), "{run}");
    assert!(
        run.stderr().contains("error: Failed to read the Cargo workspace of `.`: failed to load manifest"),
        "{run}"
    );
}

/// Whatever is compiled is other people's code.
#[test]
fn a_build_script_sees_no_secret() {
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    workspace.write("reader/build.rs", "fn main() { panic!(\"{:?}\", std::env::vars_os().collect::<Vec<_>>()); }\n");
    let declaration = format!(
        "{}    secrets: {{GREETING_TOKEN: greeting/token, CARGO_OF_OURS_SECRET: other/token}}\n",
        replaced(DECLARATION, &[("{crate: reader, bin: reader}", "\n    crate: reader\n    bin: reader")])
    );
    workspace.write("infra.yaml", &declaration);
    let secrets = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "NETBOX_TOKEN",
        "GREETING_TOKEN",
        "CARGO_OF_OURS_SECRET",
        "CARGO_REGISTRY_TOKEN",
        "ANYTHING",
    ];
    for arguments in [&["build", "--json"][..], &["dev"]] {
        let mut command = workspace.command(arguments);
        command.envs(secrets.map(|name| (name, "canary"))).env("CARGO_TERM_PROGRESS_WHEN", "never");
        let run = folder.finish(arguments, command.output().unwrap());
        assert_eq!(run.code(), Some(2), "{run}");
        let shown = run.to_string();
        assert!(shown.contains("CARGO_TERM_PROGRESS_WHEN") && shown.contains("PATH"), "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn messages_of_the_compiler_are_shown() {
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    workspace.write("reader/src/main.rs", "fn main() { missing(); }\n");
    let run = workspace.build(&["--json"]);
    assert!(run.stderr().contains("error[E0425]: cannot find function `missing`"), "{run}");
    assert_snapshot!(run.stdout(), @r#"{"error":{"causes":[],"hints":[],"message":"Failed to build binary `reader` of package `reader`: cargo ended with exit status 101, see above"},"version":1}"#);
    assert!(!workspace.root().join("target/provision/zip-2").exists(), "{run}");
}

#[test]
fn without_cargo_or_a_linker_the_hint_names_the_package_to_install() {
    let folder = Folder::new();
    let workspace = Workspace::new(&folder, "one");
    let programs = folder.path("programs");
    fs::create_dir(&programs).unwrap();
    let with_programs = |workspace: &Workspace<'_>| {
        let output = workspace.command(&["build"]).env("PATH", &programs).output().unwrap();
        workspace.shown(&folder.finish(&["build"], output))
    };
    assert_snapshot!(with_programs(&workspace), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    reader: building
    error: Failed to run `cargo`
      because: No such file or directory (os error 2)
    hint: install Rust: https://rustup.rs
    ");
    for program in ["cargo", "rustc"] {
        symlink(find(program), programs.join(program)).unwrap();
    }
    assert_snapshot!(with_programs(&workspace), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    reader: building
    error: Failed to find the linker `cc` for `x86_64-unknown-linux-gnu`
    hint: install a C compiler, for example with `apt-get install gcc`
    ");
}

fn find(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap();
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| Path::is_file(path)).unwrap()
}
