//! The forms of sizes, durations, names and recipients.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::{
    Recipient,
    reader::Wrong,
    shape::Form,
    suggestion::{closest, did_you_mean, one_of},
};

/// Length limit of a name: names in AWS are `STACK-STAGE-ENTRY`, of at most 63 or 64 characters.
const LONGEST_NAME: usize = 32;

/// Words before the number in the name of a region: every region of every partition has one of them.
const DIRECTIONS: [&str; 9] =
    ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

/// Beginnings of names that S3 keeps for itself
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
const RESERVED_BEGINNINGS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
/// Ends of names that S3 keeps for itself.
const RESERVED_ENDS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

const fn form(what: &'static str, pattern: &'static str) -> Form {
    Form { what, pattern }
}

/// Form of any text.
pub(super) const TEXT: Form = form("a text", "");
/// Form of the name of a stack, an entry, a stage or a rule.
pub(super) const NAME: Form = form("a name", "^(?=.{1,32}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$");
/// Form of an AWS region.
pub(super) const REGION: Form = form("an AWS region such as `eu-west-1`", "^[a-z]{2,}(-[a-z]+)+-[0-9]+$");
/// Form of an AWS account.
pub(super) const ACCOUNT: Form = form("the 12 digits of an AWS account", "^[0-9]{12}$");
/// A function that came with the command line.
pub(super) const SHIPPED: Form =
    form("the name of a function that came with `provision`", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// A Cargo package.
pub(super) const PACKAGE: Form = form("the name of a Cargo package", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// Form of the name of a binary of a Cargo package.
pub(super) const BINARY: Form = form("the name of a binary of that package", "^[A-Za-z0-9_][A-Za-z0-9_-]*$");
/// Form of an environment variable's name.
pub(super) const VARIABLE: Form = form("the name of an environment variable", "^[A-Za-z][A-Za-z0-9_]+$");
/// Form of the name of a secret in Secrets Manager.
pub(super) const SECRET: Form = form("the name of a secret in Secrets Manager", "^[A-Za-z0-9/_+=.@-]{1,512}$");
/// Form of a prefix of object keys.
pub(super) const PREFIX: Form = form("a prefix such as `inbound/`", "^([A-Za-z0-9!_.*'()-][A-Za-z0-9/!_.*'()-]*/)?$");
/// Form of the recipients that a rule takes mail for.
pub(super) const RECIPIENT: Form = form(
    "an address (`maintenance@example.com`), a domain (`example.com`) or its sub-domains (`.example.com`)",
    "^([^@ ]+@|\\.)?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
);
/// Form of the addresses of servers that mail comes from.
pub(super) const CIDR: Form =
    form("an IPv4 address, or a range of them such as `192.0.2.0/24`", "^[0-9]{1,3}(\\.[0-9]{1,3}){3}(/[0-9]{1,2})?$");
/// Form of a mail address.
pub(super) const ADDRESS: Form =
    form("a mail address such as `noc@example.com`", "^[^@ ]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$");
/// Form of the name of a bucket in AWS.
pub(super) const BUCKET: Form = form("the name of a bucket in AWS", "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$");
/// Form of a subnet's id.
pub(super) const SUBNET: Form = form("the id of a subnet, such as `subnet-0a1b2c3d`", "^subnet-[0-9a-f]+$");
/// Form of a security group's id.
pub(super) const SECURITY_GROUP: Form = form("the id of a security group, such as `sg-0a1b2c3d`", "^sg-[0-9a-f]+$");
/// Form of a domain.
pub(super) const DOMAIN: Form = form("a domain such as `links.example.com`", "^[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$");
/// Form of an identity of SES that mails are sent from.
pub(super) const SENDER: Form = form(
    "a domain (`example.com`) or an address (`noc@example.com`), at most 100 characters",
    "^([^@ ]+@)?[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$",
);
/// Form of the name of an attribute in `DynamoDB`.
pub(super) const ATTRIBUTE: Form =
    form("the name of an attribute: letters, digits, `.`, `_` and `-`, at most 255", "^[A-Za-z0-9._-]{1,255}$");
/// A cluster of MSK, by its ARN.
pub(super) const CLUSTER: Form = form(
    "the ARN of a cluster, `arn:PARTITION:kafka:REGION:ACCOUNT:cluster/NAME/ID`",
    "^arn:[a-z-]+:kafka:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+$",
);
/// Form of the type of a broker.
pub(super) const BROKER: Form =
    form("the type of a broker, such as `kafka.m7g.large`", "^(express|kafka)\\.[a-z0-9]+\\.[a-z0-9]+$");
/// Form of a version of Kafka.
pub(super) const KAFKA_VERSION: Form = form("a version of Kafka such as `3.9.x`", "^[0-9]+\\.[0-9]+(\\.[a-z0-9]+)*$");
/// A KMS key, by its ARN: an alias may come to mean another key, and rights name keys.
pub(super) const KMS_KEY: Form = form(
    "the ARN of a KMS key, `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`",
    "^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$",
);
/// A managed policy that limits roles, by its ARN.
pub(super) const BOUNDARY: Form = form(
    "the ARN of a managed policy, `arn:PARTITION:iam::ACCOUNT:policy/NAME`",
    "^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$",
);
/// Form of a tag's key.
pub(super) const TAG: Form = form("the key of a tag", "^[A-Za-z0-9 _.:/=+@-]{1,128}$");
/// Form of a tag's value.
pub(super) const TAG_VALUE: Form =
    form("the value of a tag: letters, digits, spaces and `_.:/=+-@`, at most 256", "^[A-Za-z0-9 _.:/=+@-]{0,256}$");
/// Form of a resource of an entry.
pub(super) const RESOURCE: Form = form(
    "a kind and an entry, such as `bucket/mail`",
    "^(bucket|function|queue|topic|api|secret|table|cluster|configuration-set|database|cache)/[a-z][a-z0-9-]*$",
);
/// Form of a file's path.
pub(super) const PATH: Form = form("the path of a file", "");
/// Form of an SMTP code that refuses a mail.
pub(super) const SMTP_CODE: Form = form("an SMTP code that refuses, such as `550`", "^[45][0-9]{2}$");
/// Form of an enhanced SMTP status code.
pub(super) const STATUS_CODE: Form =
    form("an enhanced SMTP status, such as `5.1.1`", "^[45]\\.[0-9]{1,3}\\.[0-9]{1,3}$");
/// Form of a header's name.
pub(super) const HEADER: Form =
    form("the name of a header: letters, digits and hyphens, at most 50", "^[A-Za-z0-9-]{1,50}$");
/// Form of a header's value.
pub(super) const HEADER_VALUE: Form = form("one line of ASCII, at most 2048", "^[ -~]{1,2048}$");
/// Form of the sender's name of a topic's mails.
pub(super) const DISPLAY_NAME: Form = form("one line of text, at most 100", "");
/// Form of one line of text for people.
pub(super) const LINE: Form = form("one line of text, at most 256", "");

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

/// The parts of an ARN after `arn:PARTITION:SERVICE:`: region, account and resource.
fn arn<'text>(text: &'text str, service: &str) -> Option<(&'text str, &'text str, &'text str)> {
    let mut parts = text.splitn(6, ':');
    let is_one = parts.next() == Some("arn")
        && parts.next().is_some_and(|partition| {
            partition.starts_with("aws") && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
        && parts.next() == Some(service);
    Some((parts.next()?, parts.next()?, parts.next()?)).filter(|_| is_one)
}

/// Parses an address, or a range that begins where its length says.
pub(super) fn cidr(text: &str) -> Result<Ipv4Net, Wrong> {
    let net = text.parse::<Ipv4Net>().or_else(|_| text.parse::<Ipv4Addr>().map(Ipv4Net::from));
    let is_v6 = || text.parse::<Ipv6Net>().is_ok() || text.parse::<Ipv6Addr>().is_ok();
    let net =
        net.map_err(|_| if is_v6() { Wrong::default().hint("SES filters IPv4 alone") } else { Wrong::default() })?;
    if net.addr() == net.network() {
        return Ok(net);
    }
    let wrong = Wrong::expected(format!("the beginning of a range: `{text}` is an address within one"));
    Err(wrong.hint(format!("write `{}` for the whole range, or `{}` for the address", net.trunc(), net.addr())))
}

/// A KMS key, by its ARN.
pub(super) fn kms_key(text: &str) -> Result<String, Wrong> {
    let sound = arn(text, "kms").is_some_and(|(place, owner, resource)| {
        let id = resource.strip_prefix("key/").unwrap_or_default();
        region(place).is_ok()
            && account(owner).is_ok()
            && !id.is_empty()
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// A domain.
pub(super) fn domain(text: &str) -> Result<String, Wrong> {
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let sound = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// An identity of SES: its name is part of a tag's key, so that it is not as long as SES takes it.
pub(super) fn sender(text: &str) -> Result<String, Wrong> {
    let sound = text.len() <= 100
        && match text.split_once('@') {
            Some((_, behind)) => address(text).is_ok() && domain(behind).is_ok() && tag_value(text).is_ok(),
            None => domain(text).is_ok(),
        };
    if !sound {
        return Err(Wrong::default());
    }
    let lower = text.to_ascii_lowercase();
    if text == lower { Ok(lower) } else { Err(Wrong::default().hint(format!("write it as `{lower}`"))) }
}

/// The name of an attribute.
pub(super) fn attribute(text: &str) -> Result<String, Wrong> {
    let sound = (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// A cluster of MSK, by its ARN.
pub(super) fn cluster(text: &str) -> Result<String, Wrong> {
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

/// The type of a broker.
pub(super) fn broker(text: &str) -> Result<String, Wrong> {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let sound = matches!(parts[..], ["kafka" | "express", family, size] if is_part(family) && is_part(size));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// A version of Kafka whose topics AWS manages.
pub(super) fn kafka_version(text: &str) -> Result<String, Wrong> {
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let (Some(Ok(first)), Some(Ok(second))) = (numbers.next(), numbers.next()) else { return Err(Wrong::default()) };
    if (first, second) < (3, 6) {
        return Err(Wrong::expected("3.6 or later: AWS makes topics in those alone").hint("write `3.9.x`"));
    }
    Ok(text.to_owned())
}

/// A managed policy, by its ARN.
pub(super) fn boundary(text: &str) -> Result<String, Wrong> {
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
pub(super) fn account(text: &str) -> Result<String, Wrong> {
    let sound = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses an AWS region by its form: the list of regions grows, and not all of them receive mail.
pub(super) fn region(text: &str) -> Result<String, Wrong> {
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

/// Parses the name of a Cargo package or binary.
pub(super) fn cargo_name(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !text.starts_with('-');
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the name of an environment variable as Lambda takes it; names that Lambda or `provision` sets are
/// refused.
pub(super) fn variable(text: &str) -> Result<String, Wrong> {
    let sound = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.len() > 1
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !sound {
        return Err(Wrong::expected("a name of letters, digits and `_` that begins with a letter"));
    }
    if text.starts_with("AWS_") || text.starts_with("LAMBDA_") || text.starts_with("PROVISION_") || text == "_HANDLER" {
        return Err(Wrong::expected("a name that is not reserved (`AWS_…`, `LAMBDA_…`, `PROVISION_…`)"));
    }
    Ok(text.to_owned())
}

/// Parses the name of a secret in Secrets Manager.
pub(super) fn secret(text: &str) -> Result<String, Wrong> {
    let sound = !text.is_empty()
        && text.len() <= 512
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses a prefix of object keys: empty, or ends with `/`.
pub(super) fn prefix(text: &str) -> Result<String, Wrong> {
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

/// Parses a recipient: an address, a domain, or every domain below one.
pub(super) fn recipient(text: &str) -> Result<Recipient, Wrong> {
    if let Some((local, domain)) = text.rsplit_once('@') {
        if local == "*" && is_domain(domain) {
            return Err(Wrong::default().hint(format!("for every address of the domain write `{domain}`")));
        }
        let local_is_sound = !local.is_empty()
            && local.len() <= 64
            && local.chars().all(|c| c.is_ascii_graphic() && !"<>@,;:\"()[]\\".contains(c));
        return if local_is_sound && is_domain(domain) {
            Ok(Recipient::Address(format!("{local}@{}", domain.to_ascii_lowercase())))
        } else {
            Err(bare(text))
        };
    }
    if let Some(domain) = text.strip_prefix("*.").filter(|domain| is_domain(domain)) {
        return Err(Wrong::default().hint(format!("for every sub-domain write `.{domain}`")));
    }
    match text.strip_prefix('.') {
        Some(domain) if is_domain(domain) => Ok(Recipient::SubDomains(domain.to_ascii_lowercase())),
        None if is_domain(text) => Ok(Recipient::Domain(text.to_ascii_lowercase())),
        _ => Err(bare(text)),
    }
}

/// Parses a mail address without a display name.
pub(super) fn address(text: &str) -> Result<String, Wrong> {
    match recipient(text)? {
        Recipient::Address(address) => Ok(address),
        Recipient::Domain(_) | Recipient::SubDomains(_) => Err(Wrong::default()),
    }
}

/// Parses the name of a bucket in AWS, by S3's rules for names.
pub(super) fn bucket(text: &str) -> Result<String, Wrong> {
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
pub(super) fn id(text: &str, prefix: &str) -> Result<String, Wrong> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
    let sound = digits.is_some_and(|digits| {
        (8..=17).contains(&digits.len()) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the key of a tag; AWS's own and ours are refused.
pub(super) fn tag(text: &str) -> Result<String, Wrong> {
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
pub(super) fn tag_value(text: &str) -> Result<String, Wrong> {
    if text.len() <= 256 && text.bytes().all(is_of_a_tag) { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

fn is_of_a_tag(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" _.:/=+-@".contains(&byte)
}

/// Parses an SMTP code that refuses a mail, for now or for good.
pub(super) fn smtp_code(text: &str) -> Result<String, Wrong> {
    let sound = text.len() == 3 && text.starts_with(['4', '5']) && text.bytes().all(|byte| byte.is_ascii_digit());
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses an enhanced SMTP status code that refuses (RFC 3463).
pub(super) fn status_code(text: &str) -> Result<String, Wrong> {
    let parts: Vec<_> = text.split('.').collect();
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let sound = matches!(parts.as_slice(), ["4" | "5", subject, detail] if is_number(subject) && is_number(detail));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the name of a header, within SES's bounds.
pub(super) fn header(text: &str) -> Result<String, Wrong> {
    let sound = (1..=50).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the value of a header, within SES's bounds.
pub(super) fn header_value(text: &str) -> Result<String, Wrong> {
    let sound = (1..=2048).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses one line of text for people.
pub(super) fn line(text: &str) -> Result<String, Wrong> {
    let sound = text.chars().count() <= 256 && !text.contains(char::is_control);
    if sound { Ok(text.to_owned()) } else { Err(Wrong::default()) }
}

/// Parses the sender's name of a topic's mails, within the bounds of SNS.
pub(super) fn display_name(text: &str) -> Result<String, Wrong> {
    if text.chars().count() <= 100 { line(text) } else { Err(Wrong::default()) }
}

/// Parses a path; whether the file exists is checked when it is read.
pub(super) fn path(text: &str) -> Result<std::path::PathBuf, Wrong> {
    if text.is_empty() || text.contains('\0') { Err(Wrong::default()) } else { Ok(text.into()) }
}

fn bare(text: &str) -> Wrong {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    match inner {
        Some(address) => Wrong::default().hint(format!("write the address alone: `{address}`")),
        None if !text.is_ascii() => Wrong::default().hint("write names beyond ASCII in their `xn--` form"),
        None => Wrong::default(),
    }
}

fn is_domain(text: &str) -> bool {
    let labels: Vec<_> = text.split('.').collect();
    text.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
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
