//! `receipt_filters`: the addresses from which SES takes mail, or refuses it, before any rule.

use ipnet::Ipv4Net;

use super::{
    diagnostic::Diagnostic,
    reader::{Fields, Reader},
    scalars,
    shape::{Field, Holds, Shape, Word, words},
    tree::Node,
};

/// A receipt IP address filter. It is for all mail that SES receives in the account and the region, not for the stack's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptFilter {
    /// Name within the stack.
    pub name: String,
    /// Treatment of mail from these addresses.
    pub policy: FilterPolicy,
    /// Addresses of the servers that mail comes from.
    pub cidr: Ipv4Net,
}

/// The treatment of mail by the address that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterPolicy {
    /// SES refuses mail from there.
    Block,
    /// Takes it, even if another filter blocks it.
    Allow,
}

impl Word for FilterPolicy {
    const WORDS: &'static [(&'static str, Self)] = &[("block", Self::Block), ("allow", Self::Allow)];
}

/// SES's quota of filters in an account.
const MOST_FILTERS: usize = 100;

pub(super) static SHAPE: Shape = Shape {
    name: "receipt_filter",
    keys: &[
        Field::new("name", Holds::Text(scalars::NAME), "Name of the filter within the stack.").required("carriers"),
        Field::new(
            "policy",
            Holds::Word(words::<FilterPolicy>),
            "Refuse mail from these addresses, or take it even if another filter blocks it.",
        )
        .required("allow"),
        Field::new("cidr", Holds::Text(scalars::CIDR), "Addresses of the servers that mail comes from.")
            .required("192.0.2.0/24"),
    ],
};

/// Reads the list of filters; mistakes go to the reader.
pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<ReceiptFilter> {
    let items = reader.items(fields, "receipt_filters", "{name: …, policy: allow, cidr: 192.0.2.0/24}");
    if let Some(item) = items.get(MOST_FILTERS) {
        let message = format!("SES takes at most {MOST_FILTERS} filters in an account");
        reader.diagnose(&item.span, message, "put neighbouring addresses into one range");
    }
    let mut filters: Vec<ReceiptFilter> = Vec::new();
    let mut of_everybody = None;
    for item in items {
        if let Some((filter, cidr)) = receipt_filter(reader, item, &filters) {
            if filter.policy == FilterPolicy::Block && filter.cidr.prefix_len() == 0 {
                of_everybody = Some(cidr.span.clone());
            }
            filters.push(filter);
        }
    }
    // What was not understood may allow somebody.
    let allows_nobody =
        items.len() == filters.len() && filters.iter().all(|filter| filter.policy == FilterPolicy::Block);
    if let Some(span) = of_everybody.filter(|_| allows_nobody) {
        let message = "this refuses every mail: no filter allows any address";
        reader.diagnose(
            &span,
            message,
            "add those that may send: `{name: carriers, policy: allow, cidr: 192.0.2.0/24}`",
        );
    }
    filters
}

/// Reads a filter, with the node of its addresses; `None` if there are none that can be understood.
fn receipt_filter<'tree>(
    reader: &mut Reader,
    node: &'tree Node,
    before: &[ReceiptFilter],
) -> Option<(ReceiptFilter, &'tree Node)> {
    let fields = &reader.fields(node, &node.span, "a receipt filter", &SHAPE);
    let name = reader.text(fields, "name", scalars::name).unwrap_or_default();
    if before.iter().any(|filter| !name.is_empty() && filter.name == name) {
        let message = format!("a second receipt filter is named `{name}`");
        reader.diagnose(&fields.span_of("name"), message, "names of filters must differ");
    }
    let policy = reader.word(fields, "policy");
    let cidr = reader.text(fields, "cidr", scalars::cidr)?;
    let written = fields.get("cidr")?;
    if let Some(other) = before.iter().find(|filter| filter.cidr == cidr) {
        let message = format!("filter `{}` is for these addresses, too", other.name);
        reader.report(Diagnostic::new(written.span.clone(), message));
    }
    Some((ReceiptFilter { name, policy: policy?, cidr }, written))
}
