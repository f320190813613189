//! The command line as `.ci/archive` lays it out, in an empty folder on a machine without Rust: `use:` takes the zips that came with it.
//! The archives of tests have the command line and functions as tests build them; `.ci/release` builds those that are published.

use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use data_encoding::{BASE64, HEXLOWER};
use declaration::Code;
use insta::assert_snapshot;
use package::{Profile, Request};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    effort::Effort,
    harness::{Folder, Run, replaced},
};

/// Folder of the functions in an archive.
const FUNCTIONS: &str = "share/provision/functions";

/// Functions in the archive of these tests.
const ARCHIVED: [&str; 2] = ["echo", "maintenance"];

/// Zips of the functions, and the archive that has them, packed and unpacked. They lie beside what was built, so that the binary need not be
/// copied.
static ARCHIVE: LazyLock<Folder> = LazyLock::new(|| {
    let folder = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive"));
    for name in ARCHIVED {
        folder.write(&format!("zips/{name}.zip"), zip_of_function(name));
    }
    pack(&folder, "packed");
    folder
});

/// Makes an archive of the zips in a folder; returns its bytes.
fn pack(folder: &Folder, out: &str) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/archive");
    let mut command = Command::new(script);
    command.args(["provision", env!("CARGO_BIN_EXE_provision"), "zips", out]).current_dir(folder.path(""));
    let output = command.env("SOURCE_DATE_EPOCH", "1750000000").env("ARCHIVE_LEVEL", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    fs::read(folder.path(out).join("provision.tar.gz")).unwrap()
}

/// An archive that was unpacked, and an empty folder to work in.
struct Installed {
    prefix: Folder,
    folder: Folder,
}

impl Installed {
    /// The command line without functions.
    fn new() -> Self {
        Self::at(command_line())
    }

    fn with_function(self, name: &str, zip: &[u8]) -> Self {
        add_function(&self.prefix, name, zip);
        self
    }

    /// The archive of [`ARCHIVED`], unpacked.
    fn unpacked() -> Self {
        let prefix = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed"));
        let mut command = Command::new("tar");
        command.args(["--extract", "--gzip", "--strip-components=1", "--file"]);
        command.arg(ARCHIVE.path("packed/provision.tar.gz")).arg("--directory").arg(prefix.path(""));
        assert!(command.status().unwrap().success());
        Self::at(prefix)
    }

    fn at(prefix: Folder) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.path("work")).unwrap();
        Self { prefix, folder }
    }

    /// A binary in the empty folder, with nothing of Rust in its environment.
    fn run_binary(&self, binary: &Path, arguments: &[&str]) -> Run {
        let mut command = Command::new(binary);
        command.args(arguments).current_dir(self.folder.path("work")).env_clear();
        command.env("PATH", self.folder.path("programs")).env("HOME", self.folder.path("home"));
        self.folder.finish(arguments, command.output().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.run_binary(&self.prefix.path("bin/provision"), arguments)
    }

    /// Exit code and output without the names of the test's folders.
    fn shown(&self, arguments: &[&str]) -> String {
        let prefix = fs::canonicalize(self.prefix.path("")).unwrap();
        self.run(arguments).shown().replace(prefix.to_str().unwrap(), "PREFIX")
    }
}

/// Installs the command line without functions, and returns its folder.
pub(crate) fn command_line() -> Folder {
    // Beside what was built, so that the binary need not be copied.
    let prefix = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("installed"));
    fs::create_dir(prefix.path("bin")).unwrap();
    fs::hard_link(env!("CARGO_BIN_EXE_provision"), prefix.path("bin/provision")).unwrap();
    prefix
}

/// Adds a function to those that came with an installed command line.
pub(crate) fn add_function(prefix: &Folder, name: &str, zip: &[u8]) {
    prefix.write(&format!("{FUNCTIONS}/{name}.zip"), zip);
}

/// Builds a function of this repository quickly; returns its binary.
pub(crate) fn executable(name: &str) -> PathBuf {
    let code = Code::Crate { package: name.to_owned(), bin: None };
    let request = Request { folder: Path::new(env!("CARGO_MANIFEST_DIR")), code: &code };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let built = runtime.block_on(package::executable(&request, Profile::Development, Path::new("")));
    built.unwrap()
}

/// A function of this repository as a binary that is built quickly.
fn binary(name: &str) -> Vec<u8> {
    fs::read(executable(name)).unwrap()
}

/// A zip of these files, made otherwise than ours are.
fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn zip_of_function(name: &str) -> Vec<u8> {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler").join(name).join("configuration.json");
    zip_of(&[("bootstrap", &binary(name)), ("configuration.json", &fs::read(schema).unwrap())])
}

fn json(run: &Run) -> Value {
    assert_eq!(run.code(), Some(0), "{run}");
    run.json().pop().unwrap()
}

/// Writes a declaration, checks and builds it and delivers mails, as a person does who has nothing but the archive.
fn from_nothing_to_a_delivered_mail(name: &str, init: &[&str], mails: &str) -> Value {
    let installed = Installed::unpacked();
    let zip = fs::read(ARCHIVE.path("zips").join(format!("{name}.zip"))).unwrap();
    let run = installed.run(init);
    assert_eq!(run.code(), Some(0), "{run}");
    let run = installed.run(&["validate"]);
    assert_eq!((run.code(), run.stderr().as_str()), (Some(0), ""), "{run}");

    let built = json(&installed.run(&["--json", "build"]))["functions"][0].clone();
    assert_eq!((&built["use"], &built["size"]), (&json!(name), &json!(zip.len())), "{built}");
    assert_eq!(built["code_sha256"], BASE64.encode(&Sha256::digest(&zip)), "{built}");
    assert!(built["path"].as_str().unwrap().ends_with(&format!("{FUNCTIONS}/{name}.zip")), "{built}");
    let run = installed.run(&["build", "--out", "zips"]);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(fs::read(installed.folder.path("work/zips").join(format!("{name}.zip"))).unwrap() == zip, "other bytes");

    let mails = Path::new(env!("CARGO_MANIFEST_DIR")).join(mails);
    let delivered = json(&installed.run(&["--json", "dev", "--once", "--deliver", mails.to_str().unwrap()]));
    let mut files: Vec<_> =
        fs::read_dir(installed.folder.path("work")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["infra.yaml", "zips"]);
    delivered
}

#[test]
fn carriers_mails_are_read_without_rust() {
    let delivered = from_nothing_to_a_delivered_mail("maintenance", &["init"], "tests/mails/zayo");
    let mails = delivered["mails"].as_array().unwrap();
    assert!(delivered["counts"]["delivered"].as_u64().is_some_and(|count| count > 0), "{delivered:#}");
    assert!(mails.iter().all(|mail| mail["attempts"] == 1), "{delivered:#}");
    let read = mails.iter().flat_map(|mail| mail["details"]["maintenances"].as_array().unwrap());
    assert!(read.into_iter().any(|maintenance| maintenance["provider"] == "zayo"), "{delivered:#}");
}

/// Files of an archive besides the functions, the manual's other pages and the binary: as `docs/releasing.md` lists them.
const LAID_OUT: [&str; 8] = [
    "share/bash-completion/completions/provision",
    "share/doc/provision/CHANGELOG.md",
    "share/doc/provision/LICENSE",
    "share/doc/provision/README.md",
    "share/doc/provision/SECURITY.md",
    "share/fish/vendor_completions.d/provision.fish",
    "share/man/man1/provision.1",
    "share/zsh/site-functions/_provision",
];

#[test]
fn an_archive_has_all_that_the_page_lists_and_the_same_bytes_from_any_folder() {
    let installed = Installed::unpacked();
    for file in LAID_OUT {
        assert!(!fs::read(installed.prefix.path(file)).unwrap().is_empty(), "{file}");
    }
    let mut functions: Vec<_> =
        fs::read_dir(installed.prefix.path(FUNCTIONS)).unwrap().map(|file| file.unwrap().file_name()).collect();
    functions.sort();
    assert_eq!(functions, ["echo.zip", "maintenance.zip"]);
    assert!(installed.prefix.path("share/man/man1/provision-up.1").is_file());

    let elsewhere = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive"));
    for name in ARCHIVED {
        let zip = format!("zips/{name}.zip");
        elsewhere.write(&zip, fs::read(ARCHIVE.path(&zip)).unwrap());
    }
    let first = fs::read(ARCHIVE.path("packed/provision.tar.gz")).unwrap();
    assert!(pack(&elsewhere, "another/place") == first, "other bytes in another folder");
    let sum = fs::read_to_string(elsewhere.path("another/place/provision.tar.gz.sha256")).unwrap();
    assert_eq!(sum, format!("{}  provision.tar.gz\n", HEXLOWER.encode(&Sha256::digest(&first))));
}

/// Makes a release with the command line of these tests and, in CI, the function that is built for Lambda there anyway.
#[test]
fn a_release_is_made_of_functions_as_lambda_runs_them() {
    if Effort::asked().leaves_out("a function is compiled as for Lambda") {
        return;
    }
    let folder = Folder::below(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("archive"));
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/release"));
    command.arg(folder.path("")).env("ARCHIVE_LEVEL", "1").env("RELEASE_BINARY", env!("CARGO_BIN_EXE_provision"));
    command.env("RELEASE_FUNCTIONS", Effort::asked().of("", "maintenance", ""));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    let printed = String::from_utf8(output.stdout).unwrap();
    let name = printed.trim_end().rsplit_once("  ").unwrap().1.trim_end_matches(".tar.gz");
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    assert_eq!(name, format!("provision-{}-{triple}", env!("CARGO_PKG_VERSION")));
    let zip = fs::read(folder.path(name).join(FUNCTIONS).join("maintenance.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    assert!(archive.by_name("bootstrap").unwrap().size() > 0 && archive.by_name("configuration.json").is_ok());
}

#[test]
fn the_smallest_stack_runs_without_rust() {
    let delivered = from_nothing_to_a_delivered_mail("echo", &["init", "--example", "echo"], "tests/mails/zayo");
    let mails = delivered["mails"].as_array().unwrap();
    assert_eq!(delivered["counts"], json!({"echoed": mails.len()}), "{delivered:#}");
}

const DECLARATION: &str = "\
stack: shipped
region: eu-west-1
functions:
  reader: {use: echo}
";

#[test]
fn a_function_that_is_not_shipped_is_reported_with_those_that_are() {
    let installed = Installed::new();
    installed.folder.write("work/infra.yaml", DECLARATION);
    assert_snapshot!(installed.shown(&["build"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find the function `echo` that `use` names: there are no functions in `PREFIX/share/provision/functions`
    hint: run `provision` from its release archive, which has them; in a clone declare `crate: echo` instead of `use: echo`
    ");
    let installed =
        installed.with_function("maintenance", b"no zip").with_function("empty", &zip_of(&[("readme", b"")]));
    let declared = |name: &str| {
        installed.folder.write("work/infra.yaml", replaced(DECLARATION, &[("use: echo", &format!("use: {name}"))]));
        installed.shown(&["dev", "--once", "--deliver", "."])
    };
    assert_snapshot!(declared("maintenence"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:4:17: error: Failed to find the function `maintenence` that `use` names in `PREFIX/share/provision/functions`
      |
    4 |   reader: {use: maintenence}
      |                 ^^^^^^^^^^^
      |
      = hint: did you mean `maintenance`?

    error: Failed to read `infra.yaml`: 1 error
    ");
    assert_snapshot!(declared("maintenance"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:4:17: error: Failed to read `PREFIX/share/provision/functions/maintenance.zip` as the zip of a function: invalid Zip archive: Could not find EOCD
      |
    4 |   reader: {use: maintenance}
      |                 ^^^^^^^^^^^
      |
      = hint: unpack the release archive again

    error: Failed to read `infra.yaml`: 1 error
    ");
    assert_snapshot!(declared("empty"), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    infra.yaml:4:17: error: Failed to read `PREFIX/share/provision/functions/empty.zip` as the zip of a function: it has no file `bootstrap`
      |
    4 |   reader: {use: empty}
      |                 ^^^^^
      |
      = hint: unpack the release archive again

    error: Failed to read `infra.yaml`: 1 error
    ");
}

#[test]
fn a_zip_for_another_processor_is_refused_before_it_is_run_or_deployed() {
    let mut program = binary("echo");
    assert_eq!(program[18..20], [62, 0], "no program for x86_64");
    program[18] = 183;
    let installed = Installed::new().with_function("echo", &zip_of(&[("bootstrap", &program)]));
    installed.folder.write("work/infra.yaml", DECLARATION);
    assert_snapshot!(installed.shown(&["dev", "--once", "--deliver", "."]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to run the function `echo` on this machine (linux on x86_64): its zip is for Linux on arm64
    hint: run `provision dev` on Linux on arm64, such as in a container; or build the function for this machine: in a clone declare `crate: echo`
    ");
    assert_snapshot!(installed.shown(&["build"]), @r"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to use `PREFIX/share/provision/functions/echo.zip`: Lambda could not run it as declared
      because: it is for arm64, not for x86_64
    hint: build it from a clone: `crate:` instead of `use:`
    ");
    installed
        .folder
        .write("work/infra.yaml", replaced(DECLARATION, &[("use: echo", "use: echo, architecture: arm64")]));
    assert_eq!(installed.run(&["build"]).code(), Some(0));
}

#[test]
fn the_functions_are_found_through_a_link_to_the_binary() {
    let installed = Installed::unpacked();
    installed.folder.write("work/infra.yaml", DECLARATION);
    let link = installed.folder.path("provision");
    symlink(installed.prefix.path("bin/provision"), &link).unwrap();
    let run = installed.run_binary(&link, &["build"]);
    assert_eq!(run.code(), Some(0), "{run}");
}

/// The diagnostics of a declaration of `maintenance` with that environment and those secrets, by the schema in the zip.
fn diagnostics(installed: &Installed, environment: &str, secrets: &str) -> String {
    let declaration = format!(
        "stack: s\nregion: eu-west-1\nfunctions:\n  reader:\n    use: maintenance\n    environment: {environment}\n    secrets: {secrets}\n"
    );
    installed.folder.write("work/infra.yaml", declaration);
    let run = installed.run(&["validate"]);
    let lines = run.stderr();
    let said = lines.lines().filter(|line| line.starts_with("infra.yaml:") || line.contains("= hint: "));
    let said: Vec<_> = said.map(|line| line.trim_start().trim_start_matches("= ")).collect();
    format!("{:?}\n{}", run.code(), said.join("\n"))
}

#[test]
fn validate_knows_the_variables_of_a_function_that_came_with_the_binary() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("handler/maintenance/configuration.json");
    let zip = zip_of(&[("bootstrap", b""), ("configuration.json", &fs::read(schema).unwrap())]);
    let installed = Installed::new().with_function("maintenance", &zip);
    let valid =
        diagnostics(&installed, "{SINK: netbox, NETBOX_URL: 'https://netbox.example'}", "{NETBOX_TOKEN: netbox/token}");
    assert_eq!(valid, "Some(0)\n");
    let faults = [
        diagnostics(&installed, "{}", "{}"),
        diagnostics(&installed, "{SINK: netbox}", "{}"),
        diagnostics(&installed, "{SINK: nautobot}", "{}"),
        diagnostics(&installed, "{SINK: lines, NETBOX_ULR: x}", "{}"),
        diagnostics(
            &installed,
            "{SINK: netbox, NETBOX_URL: 'https://me:hunter2@netbox.example', NETBOX_TOKEN: hunter2}",
            "{}",
        ),
    ];
    assert_snapshot!(faults.join("\n"), @r"
    Some(2)
    infra.yaml:6:18: error: function `reader` needs the variable `SINK`
    hint: `SINK`: Where notices go: one or several of `lines`, `netbox`, `webhook` and `calendar`, separated by commas.
    Some(2)
    infra.yaml:6:18: error: function `reader` needs the variable `NETBOX_URL`
    hint: `NETBOX_URL`: Address of NetBox, for the sink `netbox`; `http://` on this machine only.
    infra.yaml:6:18: error: function `reader` needs the variable `NETBOX_TOKEN`
    hint: `NETBOX_TOKEN`: API token of NetBox, for the sink `netbox`.
    Some(2)
    infra.yaml:6:25: error: `SINK` is not what function `reader` takes
    hint: Where notices go: one or several of `lines`, `netbox`, `webhook` and `calendar`, separated by commas.
    Some(2)
    infra.yaml:6:32: error: function `reader` reads no variable `NETBOX_ULR`
    hint: did you mean `NETBOX_URL`?
    Some(2)
    infra.yaml:6:45: error: `NETBOX_URL` is not what function `reader` takes
    hint: Address of NetBox, for the sink `netbox`; `http://` on this machine only.
    infra.yaml:6:96: error: `NETBOX_TOKEN` is a secret, and whoever may see the function reads its `environment`
    hint: move it to the function's `secrets`: `NETBOX_TOKEN: ENTRY`, with an entry of the section `secrets`
    ");
    assert!(!installed.run(&["validate"]).to_string().contains("hunter2"), "a secret is shown");
}

#[test]
fn validate_knows_the_variables_of_a_crate_where_cargo_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::below(&root.join("target/declared"));
    let validate = |functions: &str| {
        folder.write("infra.yaml", format!("stack: s\nregion: eu-west-1\nfunctions:\n  reader: {functions}\n"));
        let mut command = folder.command(&["validate"]);
        command.envs(
            ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"]
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        let run = folder.finish(&["validate"], command.output().unwrap());
        run.diagnostics().join("\n").replace(root.to_str().unwrap(), "ROOT")
    };
    assert_snapshot!(validate("{crate: echo, environment: {DISPOSITION: STOP_RULE}}"), @"");
    assert_snapshot!(validate("{crate: echo, environment: {DISPOSITION: STOP}}"), @"infra.yaml:4:52: error: `DISPOSITION` is not what function `reader` takes");
    assert_snapshot!(validate("{crate: ecko}"), @"infra.yaml:4:19: error: Failed to find package `ecko` in the Cargo workspace `ROOT`");
    assert_snapshot!(validate("{crate: echo, bin: other}"), @"infra.yaml:4:30: error: Failed to find binary `other` in package `echo`");
}
