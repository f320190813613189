//! Reads `Authentication-Results` and `Received-SPF` as SES writes them (RFC 8601, RFC 7208).
//!
//! SES writes the result of SPF first, with what the sender said in the SMTP dialogue, then one result per signature, then that of
//! DMARC. A sender can bring any text into his own part. So each part has its place, each property its alphabet, and repeated values
//! must be equal: a value that deviates in a single letter proves nothing.

use super::lexer;
use mail::Domain;

/// The `authserv-id` with which SES signs its `Authentication-Results`.
const AUTHORITY: &str = "amazonses.com";

/// One result of RFC 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The check passed.
    Pass,
    /// The check failed.
    Fail,
    /// The check could not be made.
    Error,
    /// There was nothing to check, or the result was neutral.
    Neutral,
}

/// SES's results of authenticating a mail's sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Result of SPF; `None` if there is none.
    pub spf: Option<Checked>,
    /// Result of each signature, with the domain that signed.
    pub dkim: Vec<(Checked, Option<Domain>)>,
    /// Result of DMARC; `None` if there is none.
    pub dmarc: Option<Checked>,
    /// Domain that DMARC was checked for: `header.from`.
    pub from: Option<Domain>,
}

/// The sender's statements in the SMTP dialogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dialogue<'value> {
    client: Option<&'value str>,
    sender: Option<&'value str>,
    helo: Option<&'value str>,
}

impl<'value> Dialogue<'value> {
    /// Takes one `name=value`; `None` if it is no such property, occurs twice or has another alphabet.
    fn take(&mut self, word: &'value str) -> Option<()> {
        let (name, value) = word.split_once('=')?;
        let (slot, is_sound) = match name {
            "client-ip" => (&mut self.client, is_client(value)),
            "envelope-from" | "smtp.mailfrom" => (&mut self.sender, is_envelope_sender(value)),
            "helo" | "smtp.helo" => (&mut self.helo, is_host(value)),
            _ => return None,
        };
        (is_sound && slot.replace(value).is_none()).then_some(())
    }

    /// Returns whether two dialogues state the same, where both state something.
    fn agrees(&self, other: &Self) -> bool {
        let same = |one: Option<&str>, two: Option<&str>| one.is_none() || two.is_none() || one == two;
        same(self.client, other.client) && same(self.sender, other.sender) && same(self.helo, other.helo)
    }
}

/// Returns whether a word can be a host name, or an address literal.
pub(super) fn is_host(text: &str) -> bool {
    let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.bytes().all(is_sound)
}

/// Returns whether a word can be the envelope's sender: nothing, or an address without quoted parts.
pub(super) fn is_envelope_sender(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return text.is_empty() || is_host(text) };
    let is_sound = |byte: u8| byte == b'.' || mail::is_atext(byte);
    local.bytes().all(is_sound) && is_host(domain)
}

fn is_client(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
}

/// Reads the value of `Received-SPF`; `None` for one that SES does not write.
pub(super) fn read_spf(value: &[u8]) -> Option<Dialogue<'_>> {
    let mut words = lexer::clauses(value)?.into_iter().flatten();
    checked(words.next()?)?;
    let mut dialogue = Dialogue::default();
    words.try_for_each(|word| dialogue.take(word))?;
    Some(dialogue)
}

/// The position within the value that the reader has reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Begin,
    Spf,
    Dkim,
    Dmarc,
}

/// Reads the value of `Authentication-Results`; `None` for one that SES does not write. `known` is the dialogue that `Received-SPF`
/// states, where SES has written one.
pub(super) fn read(value: &[u8], known: Option<&Dialogue<'_>>) -> Option<Results> {
    let clauses = lexer::clauses(value)?;
    let (authority, clauses) = clauses.split_first()?;
    if !matches!(authority.as_slice(), [AUTHORITY] | [AUTHORITY, "1"]) {
        return None;
    }
    let mut results = Results { spf: None, dkim: Vec::new(), dmarc: None, from: None };
    let mut dialogue = Dialogue::default();
    let mut stage = Stage::Begin;
    for clause in clauses {
        let (first, properties) = clause.split_first()?;
        let (method, result) = first.split_once('=')?;
        match method {
            "spf" if stage == Stage::Begin => {
                stage = Stage::Spf;
                results.spf = Some(checked(result)?);
                properties.iter().try_for_each(|word| dialogue.take(word))?;
            }
            "dkim" if stage <= Stage::Dkim => {
                stage = Stage::Dkim;
                results.dkim.push((checked(result)?, signer(properties)?));
            }
            "dmarc" if stage <= Stage::Dkim => {
                stage = Stage::Dmarc;
                results.dmarc = Some(checked(result)?);
                results.from = author(properties)?;
            }
            // SES ends each property of SPF with a semicolon.
            _ if stage == Stage::Spf => clause.iter().try_for_each(|word| dialogue.take(word))?,
            _ => return None,
        }
    }
    known.is_none_or(|other| dialogue.agrees(other)).then_some(results)
}

fn checked(word: &str) -> Option<Checked> {
    match word {
        "pass" => Some(Checked::Pass),
        "fail" | "softfail" => Some(Checked::Fail),
        "temperror" | "permerror" => Some(Checked::Error),
        "none" | "neutral" | "policy" | "bestguesspass" => Some(Checked::Neutral),
        _ => None,
    }
}

/// Returns the domain of `header.i=@DOMAIN` or `header.d=DOMAIN`; the inner `None` if the result has neither.
#[expect(clippy::option_option, reason = "the outer one says that the clause is odd")]
fn signer(properties: &[&str]) -> Option<Option<Domain>> {
    let (mut identity, mut domain) = (None, None);
    for word in properties {
        let (name, value) = word.split_once('=')?;
        match name {
            "header.i" => {
                let (local, host) = value.split_once('@')?;
                let is_sound = local.bytes().all(|byte| byte == b'.' || mail::is_atext(byte));
                let named = is_sound.then(|| Domain::strict(host)).flatten()?;
                identity.replace(named).is_none().then_some(())?;
            }
            "header.d" => domain.replace(Domain::strict(value)?).is_none().then_some(())?,
            "header.s" | "header.b" | "header.a" => {}
            _ => return None,
        }
    }
    match (identity, domain) {
        (Some(identity), Some(domain)) => identity.is_within(domain.as_str()).then_some(Some(domain)),
        (identity, domain) => Some(domain.or(identity)),
    }
}

/// Returns the domain of `header.from=DOMAIN`; the inner `None` if the result has none.
#[expect(clippy::option_option, reason = "the outer one says that the clause is odd")]
fn author(properties: &[&str]) -> Option<Option<Domain>> {
    match properties {
        [] => Some(None),
        [word] => {
            let value = word.strip_prefix("header.from=")?;
            // For a mail without an author, some results name none.
            if value.is_empty() { Some(None) } else { Domain::strict(value).map(Some) }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dialogue<'value>(sender: &'value str, helo: &'value str) -> Dialogue<'value> {
        Dialogue { client: None, sender: Some(sender), helo: Some(helo) }
    }

    fn signers(value: &str, known: Option<&Dialogue<'_>>) -> Vec<String> {
        let results = read(value.as_bytes(), known);
        let passed =
            results.into_iter().flat_map(|results| results.dkim).filter(|(result, _)| *result == Checked::Pass);
        passed.filter_map(|(_, domain)| Some(domain?.as_str().to_owned())).collect()
    }

    #[test]
    fn what_ses_writes_is_read() {
        let written = "amazonses.com;\r\n spf=pass (spfCheck: domain of a.example designates 192.0.2.7 as permitted sender) \
                       client-ip=192.0.2.7; envelope-from=bounce+x=y@a.example; helo=mx.a.example;\r\n \
                       dkim=pass header.i=@bulk.example;\r\n dkim=fail header.i=@a.example;\r\n dmarc=pass header.from=a.example;";
        let domain = |name| Domain::new(name);
        let expected = Results {
            spf: Some(Checked::Pass),
            dkim: vec![(Checked::Pass, domain("bulk.example")), (Checked::Fail, domain("a.example"))],
            dmarc: Some(Checked::Pass),
            from: domain("a.example"),
        };
        assert_eq!(read(written.as_bytes(), Some(&dialogue("bounce+x=y@a.example", "mx.a.example"))), Some(expected));
        let spf = "pass (spfCheck: x) client-ip=192.0.2.7; envelope-from=a@a.example; helo=mx;";
        assert_eq!(read_spf(spf.as_bytes()).and_then(|read| read.helo), Some("mx"));
    }

    #[test]
    fn anything_else_is_no_evidence() {
        let table = [
            "",
            ";",
            "mx.evil.example; dkim=pass header.i=@a.example",
            "amazonses.com 2; dkim=pass header.i=@a.example",
            "amazonses.com dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass envelope-from=x; dkim=pass header.i=@a.example; helo=h; dkim=none",
            "amazonses.com; dkim=pass header.i=@a.example; spf=pass",
            "amazonses.com; dmarc=pass header.from=a.example; dkim=pass header.i=@a.example",
            "amazonses.com; dkim=pass header.i=@a.example; dmarc=pass; dmarc=fail",
            "amazonses.com; spf=pass; spf=pass; dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass helo=a; helo=b; dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass helo=a;; dkim=pass header.i=@a.example",
            "amazonses.com; dkim=pass header.i=@a.example@evil.example",
            "amazonses.com; dkim=pass header.i=@a.example header.d=evil.example",
            "amazonses.com; dkim=pass header.i=@a.example header.i=@evil.example",
            "amazonses.com; dkim=pass header.x=@a.example",
            "amazonses.com; dkim=passed header.i=@a.example",
            "amazonses.com; DKIM=pass header.i=@a.example",
            "amazonses.com; dkim = pass header.i=@a.example",
            "amazonses.com; arc=pass; dkim=pass header.i=@a.example",
            "amazonses.com; dkim=pass header.i=@a_b.example",
            "amazonses.com; spf=pass (open; dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass close); dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass reason=\"x\"; dkim=pass header.i=@a.example",
            "amazonses.com; spf=pass; dkim=pass header.i=@a.example; dmarc=none header.from=\"a.example\"",
        ];
        for value in table {
            assert_eq!(read(value.as_bytes(), None), None, "{value}");
        }
    }

    #[test]
    fn fields_that_contradict_each_other_prove_nothing() {
        let value = "amazonses.com; spf=pass helo=mx; dkim=pass header.i=@a.example";
        assert_eq!(signers(value, Some(&Dialogue { helo: Some("mx"), ..Dialogue::default() })), ["a.example"]);
        assert_eq!(signers(value, Some(&dialogue("x", "other"))), Vec::<String>::new());
    }

    /// Returns both fields as SES writes them for a sender that said this.
    fn written(sender: &str, helo: &str) -> (String, String) {
        let spf =
            format!("none (spfCheck: no policy of {sender}) client-ip=192.0.2.7; envelope-from={sender}; helo={helo};");
        let results = format!(
            "amazonses.com;\r\n spf={spf}\r\n dkim=pass header.i=@evil.example;\r\n dmarc=none header.from=zayo.com;"
        );
        (spf, results)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever the dialogue contains, the only signer is the one that SES names.
        #[test]
        fn no_dialogue_adds_a_signer(
            sender in r#"([a-z0-9;:=?_@()"\\ <>,.-]|dkim=pass header.i=@zayo.com|;|\(|\)|header.d=zayo.com|helo=| dkim=pass|=\?utf-8\?q\?){0,12}@evil.example"#,
            helo in r#"([a-z0-9;:=?_@()"\\.-]|;dkim=pass\(\)header.i=@zayo.com|dkim=pass|\(\)header.i=@zayo.com|;dmarc=pass){0,8}"#,
        ) {
            let (spf, results) = written(&sender, &helo);
            let Some(dialogue) = read_spf(spf.as_bytes()) else { return Ok(()) };
            let signers = signers(&results, Some(&dialogue));
            prop_assert!(signers.iter().all(|signer| signer == "evil.example"), "{signers:?}: {results}");
        }

        /// A local part of letters that every address may have does not change the signers.
        #[test]
        fn any_local_part_of_atext_leaves_the_signers_alone(local in r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}") {
            let (spf, results) = written(&format!("{local}@evil.example"), "mx.evil.example");
            let dialogue = read_spf(spf.as_bytes());
            prop_assert!(dialogue.is_some(), "{spf}");
            prop_assert_eq!(signers(&results, dialogue.as_ref()), ["evil.example"]);
        }
    }
}
