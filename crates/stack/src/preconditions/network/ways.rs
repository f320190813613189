//! The ways that lead from a function in a subnet to a service or to an address, as far as AWS tells.

use std::{collections::BTreeSet, net::Ipv4Addr};

use super::{
    facts::{Endpoint, Form, Gate, Network, Rule, Subnet, Table},
    needs::Service,
};

/// Port of every service.
const HTTPS: u16 = 443;

/// A way from a function to a service, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// There is one, or there may be one behind something that is not known from here.
    Open,
    /// There may be one, if somebody has seen to what AWS does not tell; the words say what.
    Doubtful(String),
    /// There is none; the words say why.
    Closed(String),
}

/// A function's place in a network: one of its subnets, with its security groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'network> {
    pub(super) network: &'network Network,
    pub(super) subnet: &'network Subnet,
    /// Route table of the subnet; `None` if AWS tells none, so that nothing is known of its routes.
    pub(super) table: Option<&'network Table>,
    /// Security groups of the function.
    pub(super) groups: &'network [String],
}

/// Addresses to which security groups let a port out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Egress {
    /// No address at all.
    Nowhere,
    /// Private ones, or those of other security groups.
    Private,
    /// Public ones, or some that are not known here.
    Public,
}

impl<'network> Place<'network> {
    /// Returns the place of a function in a subnet; `None` if the subnet is not known.
    pub(super) fn of(network: &'network Network, subnet: &str, groups: &'network [String]) -> Option<Self> {
        let found = network.subnets.get(subnet)?;
        let tables = || network.tables.iter().filter(|table| table.vpc == found.vpc);
        let own = tables().find(|table| table.subnets.contains(subnet));
        let table = own.or_else(|| tables().find(|table| table.is_main));
        Some(Self { network, subnet: found, table, groups })
    }

    /// Returns the rules by which the security groups let a port out; `None` if one of the groups is not known.
    fn rules(self, port: u16) -> Option<Vec<&'network Rule>> {
        let groups: Option<Vec<_>> = self.groups.iter().map(|id| self.network.groups.get(id)).collect();
        Some(groups?.into_iter().flat_map(|group| &group.egress).filter(|rule| rule.is_for(port)).collect())
    }

    fn egress(self, port: u16) -> Egress {
        let Some(rules) = self.rules(port) else { return Egress::Public };
        let of_rule = |rule: &&Rule| match rule {
            _ if rule.has_lists || rule.blocks.iter().any(|block| !block.is_private()) => Egress::Public,
            _ if !rule.blocks.is_empty() || !rule.groups.is_empty() => Egress::Private,
            // It may be one of IPv6 alone.
            _ => Egress::Nowhere,
        };
        rules.iter().map(of_rule).max().unwrap_or(Egress::Nowhere)
    }

    /// Returns what is known of the way to a service.
    pub(super) fn to_service(self, service: Service) -> Way {
        let egress = self.egress(HTTPS);
        if egress == Egress::Nowhere {
            return Way::Closed(self.not_let_out(HTTPS));
        }
        let endpoints = self.network.endpoints.iter();
        let endpoints: Vec<_> =
            endpoints.filter(|one| one.vpc == self.subnet.vpc && one.service == service.name).collect();
        let ready = |form: Form| endpoints.iter().filter(move |one| one.form == form && one.is_available);
        // The service's own name leads to the interface then, whatever routes there are.
        let mut named = ready(Form::NamedInterface).map(|endpoint| self.to_interface(endpoint));
        if let Some(first) = named.next() {
            return if first == Way::Open { first } else { named.find(|way| *way == Way::Open).unwrap_or(first) };
        }
        let Some(table) = self.table else { return Way::Open };
        let is_public = egress == Egress::Public;
        let has = |gate: &Gate| table.routes.iter().any(|route| route.by == *gate);
        let only_private =
            || Way::Closed(format!("{} let port {HTTPS} out to private addresses alone", self.its_groups()));
        if has(&Gate::Anything) {
            return Way::Open;
        }
        if ready(Form::Gateway).any(|endpoint| endpoint.tables.contains(&table.id)) {
            return if is_public { Way::Open } else { only_private() };
        }
        if has(&Gate::Nat) {
            // A private gateway, or one whose own subnet leads on, reaches private addresses.
            let Way::Closed(reason) = only_private() else { return Way::Open };
            return if is_public { Way::Open } else { Way::Doubtful(reason) };
        }
        if let Some(endpoint) = endpoints.iter().find(|one| one.form != Form::Gateway || one.tables.contains(&table.id))
        {
            let what = if endpoint.is_available { "has no private DNS" } else { "is not available yet" };
            return Way::Doubtful(format!("endpoint `{}` {what}, and there is no other way", endpoint.id));
        }
        Way::Closed(no_way_out(table))
    }

    /// Returns what is known of the way to an interface endpoint in the network.
    fn to_interface(self, endpoint: &Endpoint) -> Way {
        let groups: Option<Vec<_>> = endpoint.groups.iter().map(|id| self.network.groups.get(id)).collect();
        let Some(groups) = groups else { return Way::Open };
        let is_met = |rule: &Rule| {
            let from_subnet = rule.blocks.iter().any(|block| self.subnet.block.is_none_or(|own| own.meets(*block)));
            rule.has_lists || from_subnet || self.groups.iter().any(|id| rule.groups.contains(id))
        };
        if !groups.iter().flat_map(|group| &group.ingress).any(|rule| rule.is_for(HTTPS) && is_met(rule)) {
            let words = format!("the security groups of endpoint `{}` do not let it in on port {HTTPS}", endpoint.id);
            return Way::Closed(words);
        }
        let Some(table) = self.table else { return Way::Open };
        // The routes of the network itself have all its blocks, and the endpoint is in one of them.
        let own = || table.routes.iter().filter(|route| route.by == Gate::Local).filter_map(|route| route.to);
        let leads = |rule: &Rule| {
            let within = rule.blocks.iter().any(|block| own().any(|own| own.meets(*block)));
            rule.has_lists || within || endpoint.groups.iter().any(|id| rule.groups.contains(id))
        };
        match self.rules(HTTPS) {
            Some(rules) if !rules.iter().any(|rule| leads(rule)) => {
                Way::Closed(format!("{} do not let port {HTTPS} out to endpoint `{}`", self.its_groups(), endpoint.id))
            }
            _ => Way::Open,
        }
    }

    /// Returns what is known of the way to an address.
    pub(super) fn to_address(self, address: Ipv4Addr, port: u16) -> Way {
        if let Some(rules) = self.rules(port) {
            let is_let = |rule: &&Rule| {
                rule.has_lists || !rule.groups.is_empty() || rule.blocks.iter().any(|block| block.has(address))
            };
            if !rules.iter().any(is_let) {
                return Way::Closed(format!("{} do not let port {port} out to {address}", self.its_groups()));
            }
        }
        let Some(table) = self.table else { return Way::Open };
        // A list of blocks that is not known may have the address.
        if table.routes.iter().any(|route| route.to.is_none() && matches!(route.by, Gate::Nat | Gate::Anything)) {
            return Way::Open;
        }
        let fitting =
            table.routes.iter().filter_map(|route| Some((route.to.filter(|block| block.has(address))?, &route.by)));
        match fitting.max_by_key(|(block, _)| block.length).map(|(_, by)| by) {
            Some(Gate::Local | Gate::Nat | Gate::Anything) => Way::Open,
            Some(Gate::Internet(_)) => Way::Closed(no_way_out(table)),
            Some(Gate::Endpoint | Gate::Nothing) | None => {
                Way::Closed(format!("route table `{}` has no route to {address}", table.id))
            }
        }
    }

    /// Returns the words if no rule lets a port out at all; `None` if one does.
    pub(super) fn is_shut(self, port: u16) -> Option<String> {
        (self.egress(port) == Egress::Nowhere).then(|| self.not_let_out(port))
    }

    fn not_let_out(self, port: u16) -> String {
        format!("{} let port {port} out to nothing", self.its_groups())
    }

    fn its_groups(self) -> String {
        let names: BTreeSet<&str> = self.groups.iter().map(String::as_str).collect();
        let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
        format!("the rules of {}", names.join(", "))
    }
}

fn no_way_out(table: &Table) -> String {
    let internet = table.routes.iter().find_map(|route| match &route.by {
        Gate::Internet(id) => Some(id),
        _ => None,
    });
    match internet {
        Some(id) => format!(
            "route table `{}` leads out through internet gateway `{id}` alone, which serves public addresses, and a function has none",
            table.id
        ),
        None => format!("route table `{}` does not lead out of the VPC", table.id),
    }
}
