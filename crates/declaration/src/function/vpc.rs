//! `vpc` of a function.

use crate::{
    diagnostic::Diagnostic,
    network::{self, NetworkPart},
    reader::{Fields, Reader},
    scalars, security_group,
    shape::{Field, Holds, Shape},
    tree::{Node, Value},
};

/// The VPC of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// Entry of the declared network in whose private subnets the function is; `None` if the subnets are named.
    pub network: Option<String>,
    /// At least two subnets, in different availability zones.
    pub subnets: Vec<NetworkPart>,
    /// At least one security group.
    pub security_groups: Vec<NetworkPart>,
    /// Line of the declaration at which the VPC is declared, from 1, for mistakes that only AWS's answers show.
    pub line: usize,
    /// Place of that line, in bytes from the start of the file.
    pub(crate) start: usize,
}

pub(super) static SHAPE: Shape = Shape {
    name: "vpc",
    keys: &[
        Field::new(
            "subnets",
            Holds::List(&Holds::Text(scalars::SUBNET)),
            "At least two subnets, in different availability zones. Either these or `network` is required.",
        ),
        Field::new("security_groups", security_group::GROUPS, "At least one security group.").required("[sg-0a1b2c3d]"),
        network::NETWORK,
    ],
};

/// Reads `vpc`: a declared network, or at least two subnets, with security groups.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Option<Vpc> {
    let start = fields.entry("vpc").map(|(key, _)| key.span.start).unwrap_or_default();
    let fields = &reader.mapping(fields, "vpc")?;
    let key = network::key(fields);
    if fields.entry(key).is_none() {
        let message = format!("{} has neither `network` nor `subnets`", fields.subject);
        let hint = "add `subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]`, or a declared network";
        reader.diagnose(&fields.span, message, hint);
    }
    let (network, subnets) = network::subnets(reader, fields);
    let security_groups = security_group::groups(reader, fields, "security_groups");
    check_length(reader, fields, ("subnets", "subnet"), MOST_SUBNETS);
    check_length(reader, fields, ("security_groups", "sg"), MOST_SECURITY_GROUPS);
    let is_single = matches!(fields.get("subnets"), Some(Node { value: Value::List(items), .. }) if items.len() == 1);
    if is_single || network.is_some() && subnets.len() == 1 {
        let message = "a function needs two subnets: with one it stops when that zone does";
        let hint = if is_single { "add a subnet in another zone" } else { "give the network two zones at least" };
        reader.diagnose(&fields.span_of(key), message, hint);
    }
    Some(Vpc { start, line: 0, network, subnets, security_groups })
}

/// Most subnets that Lambda takes for a function.
const MOST_SUBNETS: usize = 16;
/// Most security groups that Lambda takes for a function.
const MOST_SECURITY_GROUPS: usize = 5;

/// Reports a list that is empty, or longer than Lambda takes. `prefix` begins the ids of its items.
fn check_length(reader: &mut Reader, fields: &Fields<'_>, (name, prefix): (&str, &str), most: usize) {
    let Some(Node { value: Value::List(items), span }) = fields.get(name) else { return };
    if let Some(item) = items.get(most) {
        reader.report(Diagnostic::new(item.span.clone(), format!("Lambda takes at most {most} in `{name}`")));
    }
    if items.is_empty() {
        let message = format!("`{name}` is empty");
        reader.diagnose(span, message, format!("name one at least: `{name}: [{prefix}-0a1b2c3d]`"));
    }
}
