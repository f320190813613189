//! Reads `Authentication-Results` and `Received-SPF` as SES writes them (RFC 8601, RFC 7208).
//!
//! SES writes the result of SPF first, with what the sender said in the SMTP dialogue, then one result per signature, then that of
//! DMARC. A sender chooses what he says in the dialogue. So a value counts only if it is exactly as SES writes it: each part in its
//! place, each property in its alphabet, and what both headers repeat equal in both. Any other value proves nothing.

use super::lexer;
use mail::Domain;

/// The `authserv-id` with which SES begins its `Authentication-Results`.
const AUTHORITY: &str = "amazonses.com";

/// The result of one check of RFC 8601.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// The check passed: the sender is authenticated.
    Pass,
    /// The check failed: the sender is not authenticated.
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

/// The error of a value that SES does not write: the name of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Odd(pub(super) &'static str);

const SPF: Odd = Odd("Received-SPF");
const RESULTS: Odd = Odd("Authentication-Results");

/// The sender's statements in the SMTP dialogue, as one header repeats them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Dialogue<'value> {
    /// IP address of the sender's server.
    client: Option<&'value str>,
    /// Sender of the envelope.
    sender: Option<&'value str>,
    /// Host name by which the sender's server introduced itself.
    helo: Option<&'value str>,
}

impl<'value> Dialogue<'value> {
    /// Adds one `name=value`; `None` if it is no property of the dialogue, occurs twice, or has another alphabet.
    fn add(&mut self, word: &'value str) -> Option<()> {
        let (name, value) = word.split_once('=')?;
        let (slot, is_sound) = match name {
            "client-ip" => (&mut self.client, is_client(value)),
            "envelope-from" | "smtp.mailfrom" => (&mut self.sender, is_envelope_sender(value)),
            "helo" | "smtp.helo" => (&mut self.helo, is_host(value)),
            _ => return None,
        };
        let is_first = slot.replace(value).is_none();
        if is_sound && is_first { Some(()) } else { None }
    }

    /// Returns whether two headers repeat the same dialogue. A property that SES has left out of one of them is not compared; the sender
    /// cannot leave one out, for SES writes the names.
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

/// Reads the values of `Received-SPF` and `Authentication-Results`, which must agree about the dialogue. `None` if there are no results.
pub(super) fn read(spf: Option<&[u8]>, results: Option<&[u8]>) -> Result<Option<Results>, Odd> {
    let dialogue = spf.map(|value| read_spf(value).ok_or(SPF)).transpose()?;
    let Some(value) = results else { return Ok(None) };
    let (results, repeated) = read_results(value).ok_or(RESULTS)?;
    let agrees = dialogue.is_none_or(|dialogue| repeated.agrees(&dialogue));
    if agrees { Ok(Some(results)) } else { Err(RESULTS) }
}

/// Reads the value of `Received-SPF`; `None` for one that SES does not write.
fn read_spf(value: &[u8]) -> Option<Dialogue<'_>> {
    let mut words = lexer::clauses(value)?.into_iter().flatten();
    check_result(words.next()?)?;
    let mut dialogue = Dialogue::default();
    words.try_for_each(|word| dialogue.add(word))?;
    Some(dialogue)
}

/// The part of the value that the reader has reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Begin,
    Spf,
    Dkim,
    Dmarc,
}

/// Reads the value of `Authentication-Results`, with the dialogue that it repeats; `None` for one that SES does not write.
fn read_results(value: &[u8]) -> Option<(Results, Dialogue<'_>)> {
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
                results.spf = Some(check_result(result)?);
                properties.iter().try_for_each(|word| dialogue.add(word))?;
            }
            "dkim" if stage <= Stage::Dkim => {
                stage = Stage::Dkim;
                results.dkim.push((check_result(result)?, signer(properties).ok()?));
            }
            "dmarc" if stage <= Stage::Dkim => {
                stage = Stage::Dmarc;
                results.dmarc = Some(check_result(result)?);
                results.from = author(properties).ok()?;
            }
            // SES ends each property of SPF with a semicolon.
            _ if stage == Stage::Spf => clause.iter().try_for_each(|word| dialogue.add(word))?,
            _ => return None,
        }
    }
    Some((results, dialogue))
}

/// Returns the result that a word of RFC 8601 names; `None` for a word that SES does not write.
fn check_result(word: &str) -> Option<Checked> {
    match word {
        "pass" => Some(Checked::Pass),
        "fail" | "softfail" => Some(Checked::Fail),
        "temperror" | "permerror" => Some(Checked::Error),
        "none" | "neutral" | "policy" | "bestguesspass" => Some(Checked::Neutral),
        _ => None,
    }
}

/// A clause that SES does not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OddClause;

/// Returns the signing domain: that of `header.d=DOMAIN`, else that of `header.i=@DOMAIN`, which must be within the first. `None` if the
/// result has neither.
fn signer(properties: &[&str]) -> Result<Option<Domain>, OddClause> {
    let (mut identity, mut domain) = (None, None);
    for word in properties {
        let (name, value) = word.split_once('=').ok_or(OddClause)?;
        let slot = match name {
            "header.i" => &mut identity,
            "header.d" => &mut domain,
            "header.s" | "header.b" | "header.a" => continue,
            _ => return Err(OddClause),
        };
        let named = if name == "header.i" { domain_of_identity(value) } else { Domain::strict(value) };
        if slot.replace(named.ok_or(OddClause)?).is_some() {
            return Err(OddClause);
        }
    }
    match (identity, domain) {
        (Some(identity), Some(domain)) if !identity.is_within(domain.as_str()) => Err(OddClause),
        (identity, domain) => Ok(domain.or(identity)),
    }
}

/// Returns the domain of `LOCAL@DOMAIN`, where the local part may be empty.
fn domain_of_identity(identity: &str) -> Option<Domain> {
    let (local, host) = identity.split_once('@')?;
    let is_sound = local.bytes().all(|byte| byte == b'.' || mail::is_atext(byte));
    if is_sound { Domain::strict(host) } else { None }
}

/// Returns the domain of `header.from=DOMAIN`; `None` if the result has none.
fn author(properties: &[&str]) -> Result<Option<Domain>, OddClause> {
    match properties {
        // For a mail without an author, some results name none.
        [] | ["header.from="] => Ok(None),
        [word] => {
            let domain = word.strip_prefix("header.from=").and_then(Domain::strict);
            domain.map(Some).ok_or(OddClause)
        }
        _ => Err(OddClause),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signers(value: &str, spf: Option<&str>) -> Vec<String> {
        let results = read(spf.map(str::as_bytes), Some(value.as_bytes())).ok().flatten();
        let passed =
            results.into_iter().flat_map(|results| results.dkim).filter(|(result, _)| *result == Checked::Pass);
        passed.filter_map(|(_, domain)| Some(domain?.as_str().to_owned())).collect()
    }

    #[test]
    fn results_as_ses_writes_them_are_read() {
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
        let spf = "pass (spfCheck: x) client-ip=192.0.2.7; envelope-from=bounce+x=y@a.example; helo=mx.a.example;";
        assert_eq!(read(Some(spf.as_bytes()), Some(written.as_bytes())), Ok(Some(expected)));
        assert_eq!(read_spf(spf.as_bytes()).and_then(|read| read.helo), Some("mx.a.example"));
        assert_eq!(read(Some(spf.as_bytes()), None), Ok(None));
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
            assert_eq!(read(None, Some(value.as_bytes())), Err(RESULTS), "{value}");
        }
    }

    #[test]
    fn headers_that_contradict_each_other_or_are_odd_prove_nothing() {
        let results = "amazonses.com; spf=pass helo=mx; dkim=pass header.i=@a.example";
        let table = [
            (None, Ok(())),
            (Some("pass helo=mx"), Ok(())),
            (Some("pass client-ip=192.0.2.7; helo=mx"), Ok(())),
            (Some("pass helo=other"), Err(RESULTS)),
            // An odd header is none that is absent.
            (Some(""), Err(SPF)),
            (Some("pass helo=mx; helo=mx"), Err(SPF)),
            (Some("pass helo=m x"), Err(SPF)),
            (Some("passed helo=mx"), Err(SPF)),
        ];
        for (spf, expected) in table {
            let read = read(spf.map(str::as_bytes), Some(results.as_bytes()));
            assert_eq!(read.map(|results| assert!(results.is_some())), expected, "{spf:?}");
        }
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
            let signers = signers(&results, Some(&spf));
            prop_assert!(signers.iter().all(|signer| signer == "evil.example"), "{signers:?}: {results}");
        }

        /// A local part of letters that every address may have does not change the signers.
        #[test]
        fn any_local_part_of_atext_leaves_the_signers_alone(local in r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,40}") {
            let (spf, results) = written(&format!("{local}@evil.example"), "mx.evil.example");
            prop_assert!(read_spf(spf.as_bytes()).is_some(), "{}", spf);
            prop_assert_eq!(signers(&results, Some(&spf)), ["evil.example"]);
        }
    }
}
