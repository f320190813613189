//! Documents that are made from the source: the reference of declarations, completions and manual pages.

use crate::harness::Folder;

/// The reference as it stands in the repository.
const REFERENCE: &str = include_str!("../../docs/declaration.md");

#[test]
fn the_declaration_reference_is_up_to_date() {
    let printed = Folder::new().run(&["schema", "--markdown"]);
    assert_eq!(printed.code(), Some(0), "{printed}");
    let hint = "write it anew: cargo run -- schema --markdown > docs/declaration.md";
    assert!(printed.stdout() == REFERENCE, "docs/declaration.md is out of date; {hint}");
}

/// Programs of which the page about one's own crates shows all or a part. Cargo builds them with the tests.
const PROGRAMS: [&str; 3] = [
    include_str!("../../crates/runtime/examples/notify.rs"),
    include_str!("../../handler/maintenance/examples/own_sink.rs"),
    include_str!("../own/src/main.rs"),
];

#[test]
fn the_programs_on_the_page_about_own_crates_are_built() {
    let page = include_str!("../../docs/your-own-crates.md");
    let blocks: Vec<_> = page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    for program in &PROGRAMS[..2] {
        assert!(blocks.contains(program), "copy it into the page:\n{program}");
    }
    let is_built = |block: &&&str| PROGRAMS.iter().any(|program| program.contains(**block));
    assert_eq!(blocks.iter().filter(is_built).count(), blocks.len(), "a program on the page is built by nothing");
}

#[test]
fn every_key_of_the_schema_has_a_row_in_the_reference() {
    let schema: serde_json::Value = serde_json::from_str(&Folder::new().run(&["schema"]).stdout()).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    let shapes = definitions.iter().filter(|(name, _)| !name.starts_with("stage_")).map(|(_, shape)| shape);
    let keys: Vec<_> = shapes.chain([&schema]).filter_map(|shape| shape["properties"].as_object()).flatten().collect();
    assert!(keys.len() > 50, "{keys:?}");
    for (key, schema) in keys {
        let meaning = schema["description"].as_str().unwrap();
        let rows = REFERENCE.lines().filter(|line| line.starts_with(&format!("| `{key}` |")));
        assert!(rows.into_iter().any(|row| row.ends_with(&format!("| {meaning} |"))), "no row for `{key}`: {meaning}");
    }
}

/// Returns the default of a key, as the reference has it in backticks; `None` for no such key.
fn default_of(key: &str) -> Option<String> {
    let (place, key) = key.rsplit_once('.').unwrap_or(("", key));
    let heading = if place.is_empty() { "## Top level".to_owned() } else { format!("# `{place}`") };
    let behind = REFERENCE.lines().skip_while(|line| !line.ends_with(&heading)).skip(1);
    let mut rows = behind.take_while(|line| !line.starts_with('#'));
    let row = rows.find(|line| line.starts_with(&format!("| `{key}` |")))?;
    row.split(" | ").nth(2).map(str::to_owned)
}

#[test]
fn every_parameter_of_a_setup_by_hand_has_a_key_with_the_default_that_is_told() {
    let page = include_str!("../../docs/parameters.md");
    let rows: Vec<Vec<&str>> =
        page.lines().filter(|line| line.starts_with("| ")).skip(2).map(|line| line.split(" | ").collect()).collect();
    assert!(rows.len() > 40, "{rows:?}");
    for row in rows {
        let [parameter, key, told] = row[..] else { panic!("{row:?}") };
        if key == "–" {
            continue;
        }
        let default = default_of(key.trim_matches('`'));
        let default = default.unwrap_or_else(|| panic!("{parameter}: the reference has no key {key}"));
        let is_value = told.starts_with('`') && default.starts_with('`');
        let is_told = !is_value || told.starts_with(&default);
        assert!(is_told, "{parameter}: {key} is {default}, and the page tells {told}");
    }
}

#[test]
fn every_shell_gets_completions_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = Folder::new().run(&["completions", shell]);
        assert_eq!(run.code(), Some(0), "{run}");
        for command in ["parse", "up", "diff", "down", "replay", "completions"] {
            assert!(run.stdout().contains(command), "{shell} does not complete `{command}`");
        }
    }
    assert_eq!(Folder::new().run(&["completions", "tcsh"]).code(), Some(2));
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let folder = Folder::new();
    let page = folder.run(&["man"]).stdout();
    assert!(page.contains(".TH provision 1") && page.contains("provision\\-up(1)"), "{page}");
    let run = folder.run(&["man", "--out", "pages"]);
    assert_eq!((run.code(), run.stdout().as_str()), (Some(0), ""), "{run}");
    let up = std::fs::read_to_string(folder.path("pages/provision-up.1")).unwrap();
    assert!(up.contains("run `up` again to continue"), "{up}");
}
