//! Names, ids and ARNs of AWS.

use crate::{
    shape::Form,
    suggestion::{closest, did_you_mean, one_of},
    wrong::Wrong,
};

use super::form;

/// Words before the number in the name of a region: every region of every partition has one of them.
const DIRECTIONS: [&str; 9] =
    ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];
/// Beginnings of names that S3 keeps for itself
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
const RESERVED_BEGINNINGS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// Ends of names that S3 keeps for itself.
const RESERVED_ENDS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Form of an AWS region.
pub(crate) const REGION: Form = form("an AWS region such as `eu-west-1`", "^[a-z]{2,}(-[a-z]+)+-[0-9]+$");
/// Form of an AWS account.
pub(crate) const ACCOUNT: Form = form("the 12 digits of an AWS account", "^[0-9]{12}$");
/// Form of the name of a secret in Secrets Manager.
pub(crate) const SECRET: Form = form("the name of a secret in Secrets Manager", "^[A-Za-z0-9/_+=.@-]{1,512}$");
/// Form of a prefix of object keys.
pub(crate) const PREFIX: Form = form("a prefix such as `inbound/`", "^([A-Za-z0-9!_.*'()-][A-Za-z0-9/!_.*'()-]*/)?$");
/// Form of the name of a bucket in AWS.
pub(crate) const BUCKET: Form = form("the name of a bucket in AWS", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$");
/// Form of a subnet's id.
pub(crate) const SUBNET: Form = form("the id of a subnet, such as `subnet-0a1b2c3d`", "^subnet-[0-9a-f]+$");
/// Form of a security group's id.
pub(crate) const SECURITY_GROUP: Form = form("the id of a security group, such as `sg-0a1b2c3d`", "^sg-[0-9a-f]+$");
/// Form of the name of an attribute in `DynamoDB`.
pub(crate) const ATTRIBUTE: Form =
    form("the name of an attribute: letters, digits, `.`, `_` and `-`, at most 255", "^[A-Za-z0-9._-]{1,255}$");
/// A cluster of MSK, by its ARN.
pub(crate) const CLUSTER: Form = form(
    "the ARN of a cluster, `arn:PARTITION:kafka:REGION:ACCOUNT:cluster/NAME/ID`",
    "^arn:[a-z-]+:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+$",
);
/// Form of the type of a broker.
pub(crate) const BROKER: Form =
    form("the type of a broker, such as `kafka.m7g.large`", "^(express|kafka)\\.[a-z0-9]+\\.[a-z0-9]+$");
/// Form of a version of Kafka.
pub(crate) const KAFKA_VERSION: Form = form("a version of Kafka such as `3.9.x`", "^[0-9]+\\.[0-9]+(\\.[a-z0-9]+)*$");
/// A KMS key, by its ARN: an alias may come to mean another key, and rights name keys.
pub(crate) const KMS_KEY: Form = form(
    "the ARN of a KMS key, `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`",
    "^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
);
/// A managed policy that limits roles, by its ARN.
pub(crate) const BOUNDARY: Form = form(
    "the ARN of a managed policy, `arn:PARTITION:iam::ACCOUNT:policy/NAME`",
    "^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$",
);
/// Form of a tag's key.
pub(crate) const TAG: Form = form("the key of a tag", "^[A-Za-z0-9 _.:/=+@-]{1,128}$");
/// Form of a tag's value.
pub(crate) const TAG_VALUE: Form =
    form("the value of a tag: letters, digits, spaces and `_.:/=+-@`, at most 256", "^[A-Za-z0-9 _.:/=+@-]{0,256}$");

/// Returns the parts of an ARN after `arn:PARTITION:SERVICE:`: region, account and resource.
fn arn<'text>(text: &'text str, service: &str) -> Option<(&'text str, &'text str, &'text str)> {
    let mut parts = text.splitn(6, ':');
    let is_one = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| {
            partition.starts_with("aws") && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
        && parts.next() == Some(service);
    Some((parts.next()?, parts.next()?, parts.next()?)).filter(|_| is_one)
}

/// Reads the ARN of a KMS key.
pub(crate) fn kms_key(text: &str) -> Result<String, Wrong> {
    let sound = arn(text, "kms").is_some_and(|(place, owner, resource)| {
        let id = resource.strip_prefix("key/").unwrap_or_default();
        region(place).is_ok()
            && account(owner).is_ok()
            && !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads the name of an attribute.
pub(crate) fn attribute(text: &str) -> Result<String, Wrong> {
    let sound = (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads the ARN of a cluster of MSK.
pub(crate) fn cluster(text: &str) -> Result<String, Wrong> {
    let sound = arn(text, "kafka").is_some_and(|(place, owner, resource)| {
        let is_part =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let parts: Vec<&str> = resource.split('/').collect();
        region(place).is_ok()
            && account(owner).is_ok()
            && matches!(parts[..], ["cluster", name, id] if is_part(name) && is_part(id))
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads the type of a broker.
pub(crate) fn broker(text: &str) -> Result<String, Wrong> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let sound = matches!(parts[..], ["kafka" | "express", family, size] if is_part(family) && is_part(size));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Reads a version of Kafka whose topics AWS manages.
pub(crate) fn kafka_version(text: &str) -> Result<String, Wrong> {
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let (Some(Ok(first)), Some(Ok(second))) = (numbers.next(), numbers.next()) else { return Err(Wrong::default()) };
    if (first, second) < (3, 6) {
        return Err(Wrong::expected("3.6 or later: AWS makes topics in those alone").hint("write `3.9.x`"));
    }
    Ok(text.to_owned())
}

/// Reads the ARN of a managed policy.
pub(crate) fn boundary(text: &str) -> Result<String, Wrong> {
    let sound = arn(text, "iam").is_some_and(|(place, owner, resource)| {
        let name = resource.strip_prefix("policy/").unwrap_or_default();
        place.is_empty()
            && (owner == "aws" || account(owner).is_ok())
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&byte))
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the id of an AWS account.
pub(crate) fn account(text: &str) -> Result<String, Wrong> {
    let sound = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses an AWS region by its form: the list of regions grows, and not all of them receive mail.
pub(crate) fn region(text: &str) -> Result<String, Wrong> {
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let [area @ .., direction, number] = parts.as_slice() else { return Err(Wrong::default()) };
    let has_form = area.first().is_some_and(|first| first.len() >= 2)
        && area.iter().chain([direction]).all(is_word)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if !has_form {
        return Err(Wrong::default());
    }
    if DIRECTIONS.contains(direction) {
        return Ok(text.to_owned());
    }
    let hint = match closest(direction, &DIRECTIONS) {
        Some(meant) => did_you_mean(&format!("{}-{meant}-{number}", area.join("-"))),
        None => format!("before its number stands {}", one_of(&DIRECTIONS)),
    };
    Err(Wrong::default().hint(hint))
}

/// Parses the name of a secret in Secrets Manager.
pub(crate) fn secret(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses a prefix of object keys: empty, or ends with `/`.
pub(crate) fn prefix(text: &str) -> Result<String, Wrong> {
    if text.starts_with('/') {
        return Err(Wrong::expected("a prefix without a `/` at its beginning"));
    }
    if !text.is_empty() && !text.ends_with('/') {
        return Err(Wrong::expected("empty or end with `/`").hint(format!("write `{text}/`")));
    }
    let sound =
        text.len() <= 512 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/!-_.*'()".contains(&byte));
    if sound {
        Ok(text.to_owned())
    } else {
        Err(Wrong::expected("a prefix of letters, digits and `/!-_.*'()`, at most 512"))
    }
}

/// Parses the name of a bucket in AWS, by S3's rules for names.
pub(crate) fn bucket(text: &str) -> Result<String, Wrong> {
    let edges = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let sound = (3..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.'))
        && edges(text.bytes().next())
        && edges(text.bytes().next_back())
        && !text.contains("..");
    let wrong = || match text.strip_prefix("arn:").and_then(|rest| rest.split_once(":s3:::")).map(|(_, name)| name) {
        Some(name) => Wrong::default().hint(format!("write the name alone: `{name}`")),
        None => Wrong::default(),
    };
    let is_reserved = RESERVED_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
        || RESERVED_ENDS.iter().any(|end| text.ends_with(end));
    if is_reserved {
        let all = RESERVED_BEGINNINGS.iter().chain(&RESERVED_ENDS).map(|part| format!("`{part}`")).collect::<Vec<_>>();
        return Err(Wrong::expected(format!("a name without what S3 keeps for itself ({})", all.join(", "))));
    }
    let is_address = text.parse::<std::net::Ipv4Addr>().is_ok();
    if sound && !is_address { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// Parses an id such as `subnet-0a1b2c3d`.
pub(crate) fn id(text: &str, prefix: &str) -> Result<String, Wrong> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let sound = digits.is_some_and(|digits| {
        (8..=17).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the key of a tag; AWS's own and ours are refused.
pub(crate) fn tag(text: &str) -> Result<String, Wrong> {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("aws:") || lower.starts_with("provision:") {
        return Err(Wrong::expected("a key that is not reserved (`aws:…`, `provision:…`)"));
    }
    let sound = !text.is_empty() && text.len() <= 128 && text.bytes().all(is_of_a_tag);
    if sound {
        Ok(text.to_owned())
    } else {
        Err(Wrong::expected("a key of letters, digits, spaces and `_.:/=+-@`, at most 128"))
    }
}

/// Parses the value of a tag.
pub(crate) fn tag_value(text: &str) -> Result<String, Wrong> {
    if text.len() <= 256 && text.bytes().all(is_of_a_tag) { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

fn is_of_a_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" _.:/=+-@".contains(&byte)
}
