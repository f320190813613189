//! Forms and parsers of names, variables, paths and lines. Those of AWS and of mails are in `aws` and `mail`, sizes and durations in `measures`.

mod aws;
mod mail;

use super::{shape::Form, wrong::Wrong};

pub(super) use aws::*;
pub(super) use mail::*;

/// Length limit of a name. Names in AWS are `STACK-STAGE-ENTRY`, of at most 63 or 64 characters; longer ones are cut, and end with a hash. The
/// pattern of [`NAME`] has the same limit.
const LONGEST_NAME: usize = 32;

const fn form(what: &'static str, pattern: &'static str) -> Form {
    Form { what, pattern }
}

/// Form of any text.
pub(super) const TEXT: Form = form("a text", "");
/// Form of the name of a stack, an entry, a stage or a rule.
pub(super) const NAME: Form = form("a name", "^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$");
/// Form of the name of a function that came with the command line.
pub(super) const SHIPPED: Form =
    form("the name of a function that came with `provision`", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// Form of the name of a Cargo package.
pub(super) const PACKAGE: Form = form("the name of a Cargo package", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// Form of the name of a binary of a Cargo package.
pub(super) const BINARY: Form = form("the name of a binary of that package", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// Form of an environment variable's name.
pub(super) const VARIABLE: Form = form("the name of an environment variable", "^[A-Za-z][A-Za-z0-9_]+$");
/// Form of `KIND/ENTRY`, of an entry that can be renamed.
pub(super) const RESOURCE: Form = form(
    "a kind and an entry, such as `bucket/mail`",
    "^(bucket|function|queue|topic|api|secret|table|cluster|configuration-set|database|network|security-group|cache|server)/[a-z][a-z0-9-]*$",
);
/// Form of a file's path.
pub(super) const PATH: Form = form("the path of a file", "");
/// Form of one line of text for people.
pub(super) const LINE: Form = form("one line of text of at most 256 characters", "");

/// Parses the name of an entry, a stage, a stack or a rule. Names in AWS are made of it, and a bucket's name has lower-case
/// letters, digits and hyphens only. Two hyphens in a row are in names that were cut, and in no other.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let sound = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.len() <= LONGEST_NAME;
    if sound {
        return Ok(text.to_owned());
    }
    let mended: String = text
        .to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .skip_while(|character| !character.is_ascii_lowercase())
        .take(LONGEST_NAME)
        .collect();
    let mended = mended.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    let wrong =
        Wrong::expected(format!("a name of lower case letters, digits and single hyphens, at most {LONGEST_NAME}"));
    if text.starts_with("arn:") {
        return Err(wrong.hint("name an entry of this declaration, not what it has become in AWS"));
    }
    Err(if mended.is_empty() { wrong } else { wrong.hint(format!("for example `{mended}`")) })
}

/// Parses the name of a Cargo package, of a binary, or of a function that came with the command line.
pub(super) fn cargo_name(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !text.starts_with('-');
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the name of an environment variable as Lambda takes it; the reserved ones, which
/// Lambda or `provision` sets, are refused.
pub(super) fn variable(text: &str) -> Result<String, Wrong> {
    let sound = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() > 1
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !sound {
        return Err(Wrong::expected("a name of letters, digits and `_` that begins with a letter"));
    }
    if text.starts_with("AWS_") || text.starts_with("LAMBDA_") || text.starts_with("PROVISION_") {
        return Err(Wrong::expected("a name that is not reserved (`AWS_…`, `LAMBDA_…`, `PROVISION_…`)"));
    }
    Ok(text.to_owned())
}

/// Parses one line of text for people.
pub(super) fn line(text: &str) -> Result<String, Wrong> {
    let sound = text.chars().count() <= 256 && !text.contains(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses a path; whether the file exists is checked when it is read.
pub(super) fn path(text: &str) -> Result<std::path::PathBuf, Wrong> {
    if text.is_empty() || text.contains('\0') { Err(Wrong::default()) } else { Ok(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_would_refuse_are_refused_with_what_is_meant() {
        let regions = |text: &str| region(text).map_err(|wrong| wrong.hint);
        for sound in
            ["eu-west-1", "us-gov-east-1", "cn-northwest-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1"]
        {
            assert_eq!(regions(sound).as_deref(), Ok(sound));
        }
        assert_eq!(regions("eu-wset-1"), Err(Some("did you mean `eu-west-1`?".to_owned())));
        assert!(regions("eu-moon-1").unwrap_err().unwrap().starts_with("before its number stands `north`, "));
        assert_eq!(regions("eu-west"), Err(None));
        assert_eq!(regions("west-1"), Err(None));
        for taken in ["xn--mail", "sthree-mail", "mail-s3alias", "mail--x-s3", "mail.mrap", "192.168.5.4"] {
            assert!(bucket(taken).is_err(), "{taken}");
        }
        let arn = name("arn:aws:sqs:eu-west-1:123456789012:failed").unwrap_err().hint;
        assert_eq!(arn.as_deref(), Some("name an entry of this declaration, not what it has become in AWS"));
    }
}
