//! Reads a declaration: from a file or its bytes, in one stage or in each, with everything that is wrong at once.

use std::{fs::File, io::Read, path::Path};

use super::{
    Declaration, DeclarationError, checks, configuration,
    configuration::{Derive, LookUp},
    diagnostic::{Diagnostic, Diagnostics},
    places::Places,
    sections,
    stages::Stages,
    tree::{self, Node, Value},
};

/// Size limit of a declaration, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A valid declaration: in the chosen stage, or in each of its stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Declarations: one, or one per stage in the order of the file; never empty.
    pub declarations: Vec<Declaration>,
    /// Warnings: valid, but perhaps not meant.
    pub warnings: Option<Diagnostics>,
}

impl Checked {
    /// Returns the declaration in the chosen stage, which must be named if the declaration has stages.
    pub fn chosen(self, path: &Path, stage: Option<&str>) -> Result<Declaration, DeclarationError> {
        match <[Declaration; 1]>::try_from(self.declarations) {
            Ok([one]) if stage.is_some() || one.stage.is_none() => Ok(one),
            Ok([one]) => {
                Err(DeclarationError::NoStage { path: path.to_owned(), stages: one.stage.into_iter().collect() })
            }
            Err(several) => {
                let stages = several.into_iter().filter_map(|declaration| declaration.stage).collect();
                Err(DeclarationError::NoStage { path: path.to_owned(), stages })
            }
        }
    }
}

impl Declaration {
    /// Reads and checks a declaration in a stage, which must be named if the declaration has stages.
    pub fn read(path: &Path, stage: Option<&str>) -> Result<Self, DeclarationError> {
        Self::parse(path, &Self::source(path)?, stage)?.chosen(path, stage)
    }

    /// Returns the bytes of a file, unless it is larger than any declaration.
    pub fn source(path: &Path) -> Result<Vec<u8>, DeclarationError> {
        let unreadable = |source| DeclarationError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(DeclarationError::TooLarge(path.to_owned()));
        }
        Ok(bytes)
    }

    /// Reads and checks a declaration from the bytes of that file: in a stage, else in every stage.
    pub fn parse(path: &Path, bytes: &[u8], stage: Option<&str>) -> Result<Checked, DeclarationError> {
        Self::parse_with(path, bytes, stage, (&|_| Ok(None), &|_| Vec::new()))
    }

    /// Parses as `parse` does, checks every function's environment against the schema of its code, and adds what the declaration implies.
    pub fn parse_with(
        path: &Path,
        bytes: &[u8],
        stage: Option<&str>,
        further: (LookUp<'_>, Derive<'_>),
    ) -> Result<Checked, DeclarationError> {
        let source = String::from_utf8_lossy(bytes);
        let refuse = |list| DeclarationError::Invalid(Diagnostics::new(path, &source, list));
        if let Err(error) = std::str::from_utf8(bytes) {
            let start = error.valid_up_to();
            let diagnostic = Diagnostic::new(start..start + 1, "not UTF-8 from here on");
            return Err(refuse(vec![diagnostic.with_hint("save the file as UTF-8")]));
        }
        let mut root = tree::parse(&source).map_err(|diagnostic| refuse(vec![diagnostic]))?;
        if matches!(root.value, Value::Null) {
            let diagnostic = Diagnostic::new(0..0, "nothing is declared");
            return Err(refuse(vec![diagnostic.with_hint("begin with `stack: NAME` and `region: REGION`")]));
        }
        let stages = Stages::take(&mut root);
        if let Some(stage) = stage
            && !stages.names().iter().any(|known| known == stage)
        {
            let path = path.to_owned();
            return Err(DeclarationError::UnknownStage { path, stage: stage.to_owned(), stages: stages.names() });
        }
        let mut read = every_stage((&root, source.as_ref()), &stages, stage, further);
        let functions = read.declarations.iter_mut().flat_map(|declaration| declaration.functions.values_mut());
        for vpc in functions.filter_map(|function| function.vpc.as_mut()) {
            vpc.line = source.get(..vpc.start).unwrap_or_default().matches('\n').count() + 1;
        }
        let diagnostics = Diagnostics::new(path, &source, read.diagnostics);
        if diagnostics.list().iter().any(|diagnostic| !diagnostic.is_warning) {
            return Err(DeclarationError::Invalid(diagnostics));
        }
        let warnings = Some(diagnostics).filter(|diagnostics| !diagnostics.list().is_empty());
        Ok(Checked { declarations: read.declarations, warnings })
    }
}

/// The declarations that were read, with their diagnostics.
struct Reading {
    declarations: Vec<Declaration>,
    diagnostics: Vec<Diagnostic>,
}

/// Reads the declaration as it is in one stage, in every stage, or, without any, as it stands.
fn every_stage(
    (root, source): (&Node, &str),
    stages: &Stages,
    chosen: Option<&str>,
    further: (LookUp<'_>, Derive<'_>),
) -> Reading {
    let names: Vec<_> = stages.names().into_iter().filter(|name| chosen.is_none_or(|chosen| chosen == name)).collect();
    if names.is_empty() {
        let (mut declaration, mut diagnostics) = sections::declaration(root);
        declaration.places = Places::of(root, source);
        diagnostics.extend(beyond_sections(root, &declaration, &diagnostics, further));
        diagnostics.extend_from_slice(stages.diagnostics());
        return Reading { declarations: vec![declaration], diagnostics };
    }
    let (mut read, mut diagnostics_of) = (Vec::new(), Vec::new());
    for name in &names {
        let Some((merged, mut diagnostics)) = stages.laid_over(root, name) else { continue };
        let (mut declaration, found) = sections::declaration(&merged);
        declaration.stage = Some(name.clone());
        declaration.places = Places::of(&merged, source);
        diagnostics.extend(found);
        diagnostics.extend(beyond_sections(&merged, &declaration, &diagnostics, further));
        diagnostics_of.push((name.as_str(), diagnostics));
        read.push((stages.span(name), declaration));
    }
    let mut diagnostics = in_stages(&diagnostics_of);
    diagnostics.extend_from_slice(stages.diagnostics());
    diagnostics.extend(checks::shared_recipients(&read));
    Reading { declarations: read.into_iter().map(|(_, declaration)| declaration).collect(), diagnostics }
}

/// Checks what the sections cannot know: the code of functions, and, of a declaration without errors so far, what it implies.
fn beyond_sections(
    root: &Node,
    declaration: &Declaration,
    so_far: &[Diagnostic],
    (look_up, derive): (LookUp<'_>, Derive<'_>),
) -> Vec<Diagnostic> {
    let mut diagnostics = configuration::check(root, declaration, look_up);
    if so_far.iter().all(|diagnostic| diagnostic.is_warning) {
        diagnostics.extend(configuration::derived(root, declaration, derive));
    }
    diagnostics
}

/// Merges the diagnostics of several stages: each appears once, and names its stages unless it holds for all.
fn in_stages(diagnostics_of: &[(&str, Vec<Diagnostic>)]) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<(Diagnostic, Vec<&str>)> = Vec::new();
    for (stage, list) in diagnostics_of {
        for diagnostic in list {
            match diagnostics.iter_mut().find(|(known, _)| known == diagnostic) {
                Some((_, stages)) => stages.push(stage),
                None => diagnostics.push((diagnostic.clone(), vec![stage])),
            }
        }
    }
    let told = diagnostics.into_iter().map(|(mut diagnostic, stages)| {
        if stages.len() < diagnostics_of.len() {
            let quoted: Vec<_> = stages.iter().map(|stage| format!("`{stage}`")).collect();
            let word = if stages.len() == 1 { "stage" } else { "stages" };
            diagnostic.message = format!("{} ({word} {})", diagnostic.message, quoted.join(", "));
        }
        diagnostic
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{Action, Expiry, Invocation, Recipient, Tls};

    const SOUND: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {expire: 400d}}
functions:
  reader: {crate: maintenance, bin: maintenance, environment: {RELEASE: 1.10, DEBUG: true}, reads: [mail]}
  waiter: {crate: maintenance, bin: waiter, memory: 1GB, timeout: 30s, retries: 0, on_failure: failed}
queues: {failed: {}}
receipt_rules:
  - {name: one, recipients: [NOC@Example.com, Example.com, .Example.com], tls: require, actions: [{store: mail}, stop]}
  - {name: two, scan: false, actions: [{invoke: waiter, invocation: RequestResponse}]}
";

    fn parse(source: &[u8]) -> Result<Declaration, Diagnostics> {
        match Declaration::parse(Path::new("infra.yaml"), source, None) {
            Ok(checked) => Ok(checked.declarations[0].clone()),
            Err(DeclarationError::Invalid(diagnostics)) => Err(diagnostics),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn declared_keys_are_read_and_others_have_their_defaults() {
        let declaration = parse(SOUND.as_bytes()).unwrap();
        let reader = &declaration.functions["reader"];
        assert_eq!((reader.memory, reader.timeout, reader.retries), (256, Duration::from_secs(30), 2));
        assert_eq!(reader.environment["RELEASE"], "1.10", "a number is a text as written");
        assert_eq!(reader.environment["DEBUG"], "true");
        let waiter = &declaration.functions["waiter"];
        assert_eq!((waiter.memory, waiter.retries, waiter.on_failure.as_deref()), (1024, 0, Some("failed")));
        assert_eq!(declaration.buckets["mail"].expire, Expiry::Mails(Duration::from_hours(400 * 24)));
        assert_eq!(declaration.queues["failed"].retention, Duration::from_hours(14 * 24));
        let [one, two] = declaration.receipt_rules.as_slice() else { panic!("{declaration:?}") };
        assert_eq!((one.tls, one.scan, two.tls, two.scan), (Tls::Require, true, Tls::Optional, false));
        let recipients = [
            Recipient::Address("NOC@example.com".to_owned()),
            Recipient::Domain("example.com".to_owned()),
            Recipient::SubDomains("example.com".to_owned()),
        ];
        assert_eq!(one.recipients, recipients);
        assert_eq!(
            one.actions,
            [Action::Store { bucket: "mail".to_owned(), prefix: String::new(), topic: None }, Action::Stop]
        );
        let invoke =
            Action::Invoke { function: "waiter".to_owned(), invocation: Invocation::RequestResponse, topic: None };
        assert_eq!((two.actions.as_slice(), two.recipients.len()), ([invoke].as_slice(), 0));
    }

    #[test]
    fn whatever_mails_reach_can_be_watched_for_silence_and_nothing_else() {
        let watched = |source: &str| parse(format!("{source}alarms: {{silence: 36h}}\n").as_bytes());
        let sound = watched(SOUND).unwrap();
        assert_eq!(sound.alarms.silence, Some(Duration::from_hours(36)));
        assert_eq!(sound.receivers().into_iter().collect::<Vec<_>>(), ["waiter"], "nothing invokes the reader");
        for unheard in [
            SOUND.replace("{name: two,", "{name: two, enabled: false,"),
            SOUND.replace("{invoke: waiter, invocation: RequestResponse}", "{store: mail}"),
        ] {
            let said = format!("{:?}", watched(&unheard).unwrap_err());
            assert!(said.contains("nothing counts the mails of this stack"), "{said}");
        }
    }

    /// Limits of AWS, each with a piece of a declaration that passes it by one, and the words that tell it.
    #[test]
    fn what_aws_would_refuse_is_refused_at_once() {
        let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
        let tags = |count: usize, stem: &str| many(count, &|at| format!("{stem}{at}: x"));
        let subnets = many(17, &|at| format!("subnet-{at:08x}"));
        let groups = many(6, &|at| format!("sg-{at:08x}"));
        let vpc = |subnets: &str, groups: &str| {
            let vpc = format!("vpc: {{subnets: [{subnets}], security_groups: [{groups}]}}");
            SOUND.replace("bin: waiter,", &format!("bin: waiter, {vpc},"))
        };
        let two = "subnet-00000001, subnet-00000002";
        let cases = [
            (vpc(&subnets, "sg-00000001"), "Lambda takes at most 16 in `subnets`"),
            (vpc(two, &groups), "Lambda takes at most 5 in `security_groups`"),
            (format!("{SOUND}topics: {{news: {{display_name: {}}}}}\n", "n".repeat(101)), "one line of text, at most 100"),
            (format!("{SOUND}tags: {{Team: a, team: b}}\n"), "tag `team` differs from `Team` by its case alone"),
            (
                format!("{SOUND}tags: {{team: a}}\n").replace("{failed: {}}", "{failed: {tags: {TEAM: b}}}"),
                "tag `TEAM` differs from the stack's `team` by its case alone",
            ),
            (
                format!("{SOUND}tags: {{{}}}\n", tags(21, "a"))
                    .replace("{failed: {}}", &format!("{{failed: {{tags: {{{}}}}}}}", tags(20, "b"))),
                "with those of the stack these are 41 tags",
            ),
            (SOUND.replace("Example.com, ", "Example.com, noc@EXAMPLE.com, "), "this recipient is there twice"),
            (
                SOUND.replace(
                    "actions: [{invoke: waiter, invocation: RequestResponse}]",
                    "recipients: [a.example.com], actions: [{bounce: No, smtp_code: 550, status_code: 4.2.1, sender: a@example.com}]",
                ),
                "`4.2.1` contradicts the SMTP code `550`",
            ),
        ];
        for (source, words) in cases {
            let said = format!("{:?}", parse(source.as_bytes()).expect_err(words));
            assert!(said.contains(words), "{words}: {said}");
        }
        for sound in [
            vpc(&subnets.replace(", subnet-00000010", ""), &groups.replace(", sg-00000005", "")),
            format!("{SOUND}tags: {{{}}}\n", tags(21, "a"))
                .replace("{failed: {}}", &format!("{{failed: {{tags: {{{}}}}}}}", tags(21, "a"))),
        ] {
            parse(sound.as_bytes()).unwrap();
        }
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_change_nothing() {
        let crlf = SOUND.replace('\n', "\r\n");
        assert_eq!(parse(crlf.as_bytes()).unwrap(), parse(SOUND.as_bytes()).unwrap());
        let marked = format!("\u{feff}{SOUND}");
        assert_eq!(parse(marked.as_bytes()).unwrap(), parse(SOUND.as_bytes()).unwrap());
        let places = |source: &str| {
            let diagnostics =
                parse(source.replace("400d", "36h").replace("maintenance, bin: waiter", "'ä', bin: ä").as_bytes());
            let diagnostics = diagnostics.unwrap_err();
            diagnostics.list().iter().map(|one| diagnostics.position(one.span.start)).collect::<Vec<_>>()
        };
        assert_eq!(places(SOUND), [(3, 26), (6, 19), (6, 29), (6, 59), (6, 71)]);
        assert_eq!(places(&crlf), places(SOUND));
    }

    proptest! {
        #[test]
        fn any_text_has_an_answer(text in "[a-z:{}\\[\\]&*!'\"|>#%@,0-9äß \n\t\r-]{0,200}") {
            let _ = parse(text.as_bytes());
        }

        #[test]
        fn a_declaration_with_any_piece_replaced_has_an_answer(at in 0..SOUND.len(), length in 0..40_usize, piece in any::<Vec<u8>>()) {
            let mut bytes = SOUND.as_bytes().to_vec();
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, piece);
            if let Err(diagnostics) = parse(&bytes) {
                prop_assert!(!diagnostics.list().is_empty());
                for one in diagnostics.list() {
                    prop_assert!(diagnostics.source().get(one.span.clone()).is_some(), "{one:?}");
                }
            }
        }
    }
}
