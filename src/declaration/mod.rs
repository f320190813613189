//! `infra.yaml` → [`Declaration`]: what a person means, in AWS's words, and nothing that follows from it.
//!
//! A value of these types is consistent: every reference names something that is declared.

mod alarms;
mod bucket;
mod diagnostic;
mod function;
mod queue;
mod reader;
mod rule;
mod scalars;
mod secret;
mod sections;
mod topic;
mod tree;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

pub use alarms::{AlarmKind, Alarms, Measure, Notify, Unit, Watched};
pub use bucket::{Bucket, Place};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use function::{Architecture, Function, LOG_RETENTION, SecretReference, Vpc};
pub use queue::{Queue, Redrive};
use reader::Reader;
pub(crate) use reader::choose;
pub use rule::{Action, Bounce, Encoding, Invocation, ReceiptRule, Recipient, Tls};
pub use secret::{Secret, SecretSource, ValueFrom};
pub use topic::{Subscription, Topic};
use tree::Value;

/// A whole declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The stack's name; every name in AWS begins with it.
    pub stack: String,
    /// The stage that was chosen; `None` where the declaration has none.
    pub stage: Option<String>,
    /// The AWS region.
    pub region: String,
    /// The one account in which the stack may stand, as 12 digits; `None` is whichever the credentials are for.
    pub account: Option<String>,
    /// On everything that takes tags.
    pub tags: BTreeMap<String, String>,
    /// Whether our receipt rule set is made the active one although another is.
    pub take_over: bool,
    /// Buckets by entry name.
    pub buckets: BTreeMap<String, Bucket>,
    /// Functions by entry name.
    pub functions: BTreeMap<String, Function>,
    /// Queues by entry name.
    pub queues: BTreeMap<String, Queue>,
    /// Topics by entry name.
    pub topics: BTreeMap<String, Topic>,
    /// Secrets by entry name.
    pub secrets: BTreeMap<String, Secret>,
    /// What is watched, and who is told.
    pub alarms: Alarms,
    /// In the order in which they are evaluated.
    pub receipt_rules: Vec<ReceiptRule>,
}

/// Larger than any declaration, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

impl Declaration {
    /// Reads and checks a declaration.
    pub fn read(path: &Path) -> Result<Self, DeclarationError> {
        let unreadable = |source| DeclarationError::Unreadable { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(DeclarationError::TooLarge(path.to_owned()));
        }
        Self::parse(path, &bytes).map_err(DeclarationError::Invalid)
    }

    /// Reads a declaration from the bytes of that file.
    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let source = String::from_utf8_lossy(bytes);
        let refuse = |list| Diagnostics::new(path, &source, list);
        if let Err(error) = std::str::from_utf8(bytes) {
            let start = error.valid_up_to();
            let diagnostic = Diagnostic::new(start..start + 1, "not UTF-8 from here on");
            return Err(refuse(vec![diagnostic.with_hint("save the file as UTF-8")]));
        }
        let root = tree::parse(&source).map_err(|diagnostic| refuse(vec![diagnostic]))?;
        if matches!(root.value, Value::Null) {
            let diagnostic = Diagnostic::new(0..0, "nothing is declared");
            return Err(refuse(vec![diagnostic.with_hint("begin with `stack: NAME` and `region: REGION`")]));
        }
        let mut reader = Reader::default();
        let declaration = sections::declaration(&mut reader, &root);
        let noted = reader.finish();
        if noted.is_empty() { Ok(declaration) } else { Err(refuse(noted)) }
    }
}

/// Why there is no declaration.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    /// The file cannot be read.
    #[error("Failed to read the declaration `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No declaration is that large.
    #[error("Failed to read the declaration `{}`: it is larger than 1 MiB", .0.display())]
    TooLarge(PathBuf),
    /// It is there, and says what it must not.
    #[error(transparent)]
    Invalid(Diagnostics),
}

impl DeclarationError {
    /// What would mend it. Diagnostics have hints of their own.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("name the declaration with `-f FILE`")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const SOUND: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {expire: 400d}}
functions:
  reader: {crate: handler, bin: maintenance, environment: {RELEASE: 1.10, DEBUG: true}, reads: [mail]}
  waiter: {crate: handler, bin: waiter, memory: 1GB, timeout: 30s, retries: 0, on_failure: failed}
queues: {failed: {}}
receipt_rules:
  - {name: one, recipients: [NOC@Example.com, Example.com, .Example.com], tls: require, actions: [{store: mail}, stop]}
  - {name: two, scan: false, actions: [{invoke: waiter, invocation: RequestResponse}]}
";

    fn parse(source: &[u8]) -> Result<Declaration, Diagnostics> {
        Declaration::parse(Path::new("infra.yaml"), source)
    }

    #[test]
    fn what_is_declared_is_read_and_what_is_not_has_its_default() {
        let declaration = parse(SOUND.as_bytes()).unwrap();
        let reader = &declaration.functions["reader"];
        assert_eq!((reader.memory, reader.timeout, reader.retries), (256, Duration::from_secs(30), 2));
        assert_eq!(reader.environment["RELEASE"], "1.10", "a number is a text as written");
        assert_eq!(reader.environment["DEBUG"], "true");
        let waiter = &declaration.functions["waiter"];
        assert_eq!((waiter.memory, waiter.retries, waiter.on_failure.as_deref()), (1024, 0, Some("failed")));
        assert_eq!(declaration.buckets["mail"].expire, Some(Duration::from_hours(400 * 24)));
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
    fn line_ends_and_a_byte_order_mark_change_nothing() {
        let crlf = SOUND.replace('\n', "\r\n");
        assert_eq!(parse(crlf.as_bytes()).unwrap(), parse(SOUND.as_bytes()).unwrap());
        let marked = format!("\u{feff}{SOUND}");
        assert_eq!(parse(marked.as_bytes()).unwrap(), parse(SOUND.as_bytes()).unwrap());
        let places = |source: &str| {
            let diagnostics =
                parse(source.replace("400d", "36h").replace("handler, bin: waiter", "'ä', bin: ä").as_bytes());
            let diagnostics = diagnostics.unwrap_err();
            diagnostics.list().iter().map(|one| diagnostics.position(one.span.start)).collect::<Vec<_>>()
        };
        assert_eq!(places(SOUND), [(3, 26), (6, 19), (6, 29)]);
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
