//! A route that invokes the function.

use std::net::IpAddr;

use contract::webhook::{Route, Scheme};
use ipnet::IpNet;

/// Variable of a path that has the secret.
pub(crate) const TOKEN: &str = "token";

/// A route whose requests the function takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivingRoute {
    /// Method and path as API Gateway writes them.
    pub key: String,
    /// Way in which a request proves its sender.
    pub scheme: Scheme,
    /// Environment variable of the secret.
    pub secret: String,
    /// Networks that requests may come from; empty allows all.
    pub networks: Vec<IpNet>,
}

impl ReceivingRoute {
    /// Reads a declared route; the error says what is wrong with it.
    pub fn read(route: &Route) -> Result<Self, String> {
        let key = &route.route;
        let network = |text: &String| {
            text.parse()
                .map_err(|_| format!("has the route `{key}` with `{text}`, which is not a network in CIDR notation"))
        };
        if route.authentication.scheme == Scheme::Path && !key.contains(&format!("{{{TOKEN}}}")) {
            return Err(format!("has the route `{key}`, whose path lacks `{{{TOKEN}}}`"));
        }
        Ok(Self {
            key: key.clone(),
            scheme: route.authentication.scheme.clone(),
            secret: route.authentication.secret.clone(),
            networks: route.sources.iter().map(network).collect::<Result<_, _>>()?,
        })
    }

    /// Returns whether requests from that address are taken; an address that is not known is in no network.
    pub(crate) fn allows(&self, source: Option<IpAddr>) -> bool {
        let is_in = |address: IpAddr| self.networks.iter().any(|network| network.contains(&address));
        self.networks.is_empty() || source.is_some_and(is_in)
    }
}

#[cfg(test)]
mod tests {
    use contract::webhook::Authentication;

    use super::*;

    fn route(sources: &[&str]) -> Result<ReceivingRoute, String> {
        let authentication = Authentication { scheme: Scheme::Bearer, secret: "S".to_owned() };
        let sources = sources.iter().map(ToString::to_string).collect();
        ReceivingRoute::read(&Route { route: "POST /a".to_owned(), authentication, sources })
    }

    #[test]
    fn a_route_takes_requests_from_its_networks() {
        for (sources, address, is_allowed) in [
            (&[][..], None, true),
            (&[], Some("203.0.113.50"), true),
            (&["203.0.113.0/24"], Some("203.0.113.255"), true),
            (&["203.0.113.0/24"], Some("203.0.114.0"), false),
            (&["203.0.113.0/24"], None, false),
            (&["203.0.113.0/24"], Some("2001:db8::1"), false),
            (&["203.0.113.7/32", "2001:db8::/32"], Some("2001:db8:ffff::1"), true),
            (&["203.0.113.7/32", "2001:db8::/32"], Some("2001:db9::"), false),
            (&["0.0.0.0/0"], Some("2001:db8::1"), false),
            (&["0.0.0.0/0"], Some("198.51.100.1"), true),
            (&["::/0"], Some("198.51.100.1"), false),
        ] {
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(route(sources).unwrap().allows(address), is_allowed, "{sources:?} {address:?}");
        }
        for odd in ["203.0.113.0", "203.0.113.0/33", "a/1", ""] {
            assert!(route(&[odd]).unwrap_err().contains("CIDR"), "{odd}");
        }
    }
}
