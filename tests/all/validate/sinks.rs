//! Tests the declarations for the sinks: the examples, what `init` makes of them, and what a sink writes.

use std::{env, fs, path::Path};

use crate::harness::{Folder, Run, replaced};

/// Every sink that a declaration is written for.
const SINKS: [&str; 3] = ["netbox", "webhook", "calendar"];

fn example(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap()
}

/// Validates a declaration in this workspace and with Cargo, so that the crates that it names are found with their schemas.
fn validate(declaration: &str) -> Run {
    let folder = Folder::below(Path::new(env!("CARGO_TARGET_TMPDIR")));
    folder.write("infra.yaml", declaration);
    let arguments = &["validate"];
    folder.finish(arguments, folder.command(arguments).envs(env::vars_os()).output().unwrap())
}

/// Returns the hint that says what to write instead.
fn hint(shown: &str) -> Option<String> {
    let (_, rest) = shown.split_once("= hint: write `writes: ")?;
    Some(rest.split_once('`')?.0.to_owned())
}

#[test]
fn every_example_is_valid_and_the_one_for_all_sinks_has_them_all() {
    let examples = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap();
    let mut names: Vec<String> =
        examples.map(|file| file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(
        names,
        [
            "all-sinks",
            "calendar",
            "echo",
            "egress",
            "mail-events",
            "netbox",
            "server",
            "tracking",
            "tracking-server",
            "webhook"
        ]
    );
    for name in names {
        let run = validate(&example(&name));
        assert_eq!((run.code(), run.stderr().as_str()), (Some(0), ""), "{name}: {run}");
    }
    assert!(SINKS.iter().all(|sink| example("all-sinks").contains(&format!("{}_", sink.to_uppercase()))));
}

#[test]
fn the_documentation_shows_the_functions_of_the_examples() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    for name in SINKS.into_iter().chain(["all-sinks"]) {
        let example = example(name);
        let function = &example[example.find("functions:").unwrap()..example.find("    on_failure:").unwrap()];
        assert!(page.contains(function), "{name}: not in the page:\n{function}");
    }
}

#[test]
fn init_writes_a_declaration_for_every_sink() {
    for sink in SINKS {
        let folder = Folder::new();
        let run = folder.run(&["init", "--sink", sink]);
        assert_eq!(run.code(), Some(0), "{run}");
        let written = fs::read_to_string(folder.path("infra.yaml")).unwrap();
        assert_eq!(written, replaced(&example(sink), &[("    crate: ", "    use: ")]));
        let run = folder.run(&["validate"]);
        assert_eq!(run.code(), Some(0), "{run}");
    }
    let lines = Folder::new().run(&["init", "--sink", "lines", "--dry-run"]);
    assert_eq!(lines.stdout(), Folder::new().run(&["init", "--dry-run"]).stdout(), "{lines}");
    let run = Folder::new().run(&["init", "--sink", "netbox", "--example", "echo"]);
    assert_eq!(run.code(), Some(2), "{run}");
}

#[test]
fn a_sink_that_may_not_write_what_it_has_to_is_told_with_the_line_that_helps() {
    const BOTH: &str = "    writes:
      - {bucket: mail, prefix: calendar/}       # calendar/maintenance.ics
      - {bucket: mail, prefix: unmatched/}      # mails for a person
";
    const UNMATCHED: &str =
        "    writes: [{bucket: mail, prefix: unmatched/}]    # mails for a person, where NetBox's plugin takes none\n";
    let (calendar, unmatched) = ("{bucket: mail, prefix: calendar/}", "{bucket: mail, prefix: unmatched/}");
    let archive = "    writes: [{bucket: mail, prefix: archive/}]\n";
    let notices = [("      NETBOX_URL", "      NETBOX_PLUGIN: notices\n      NETBOX_URL"), (UNMATCHED, "")];
    for (changed, expected) in [
        (replaced(&example("calendar"), &[(BOTH, "")]), format!("[{calendar}, {unmatched}]")),
        (
            replaced(&example("calendar"), &[(BOTH, archive)]),
            format!("[{{bucket: mail, prefix: archive/}}, {calendar}, {unmatched}]"),
        ),
        (
            replaced(&example("calendar"), &[(BOTH, &format!("    writes: [{calendar}]\n"))]),
            format!("[{calendar}, {unmatched}]"),
        ),
        // The other sinks keep mails for a person.
        (replaced(&example("all-sinks"), &[(BOTH, "")]), format!("[{calendar}]")),
        (replaced(&example("netbox"), &notices), format!("[{unmatched}]")),
    ] {
        let run = validate(&changed);
        assert_eq!(run.code(), Some(2), "{run}");
        assert!(run.stderr().contains("error: function `maintenance` may not write below `"), "{run}");
        assert_eq!(hint(&run.stderr()), Some(expected.clone()), "{run}");
        let without = changed.replace(archive, "").replace(&format!("    writes: [{calendar}]\n"), "");
        let line = format!("    writes: {expected}\n    on_failure");
        let mended = validate(&replaced(&without, &[("    on_failure", &line)]));
        assert_eq!(mended.code(), Some(0), "{mended}");
    }
    for enough in [
        replaced(&example("netbox"), &[(UNMATCHED, "")]),
        replaced(&example("calendar"), &[("prefix: calendar/", "prefix: noc/calendar/")]),
    ] {
        let run = validate(&enough);
        assert_eq!(run.code(), Some(0), "{run}");
    }
}
