//! Lists the services that a function calls, by its declaration.

use std::net::Ipv4Addr;

use declaration::Function;

/// Something that a function calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    /// A service of AWS.
    Service(Service),
    /// A server that a variable of the environment names.
    Server {
        /// Name of the variable.
        variable: String,
        /// Name or address of the server.
        host: String,
        /// Port of the server.
        port: u16,
        /// Addresses of the server, as far as they are known here.
        addresses: Vec<Ipv4Addr>,
    },
}

/// A service of AWS that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Service {
    /// Name of the service, for people.
    pub(super) title: &'static str,
    /// Last part of the name of its endpoints.
    pub(super) name: &'static str,
    /// `true` if it has gateway endpoints, which cost nothing.
    pub(super) has_gateway: bool,
}

const S3: Service = Service { title: "S3", name: "s3", has_gateway: true };
const DYNAMODB: Service = Service { title: "DynamoDB", name: "dynamodb", has_gateway: true };
const SECRETS: Service = Service { title: "Secrets Manager", name: "secretsmanager", has_gateway: false };
const SQS: Service = Service { title: "SQS", name: "sqs", has_gateway: false };
const SNS: Service = Service { title: "SNS", name: "sns", has_gateway: false };

/// Returns what a function calls. Its failure queue is not among it: Lambda itself sends there, and writes its log.
pub(super) fn of(function: &Function) -> Vec<Need> {
    let has_objects = [&function.reads, &function.writes, &function.deletes].iter().any(|places| !places.is_empty());
    let services = [
        (S3, has_objects),
        (DYNAMODB, !function.queries.is_empty()),
        (SECRETS, !function.secrets.is_empty() || !function.databases.is_empty() || !function.caches.is_empty()),
        (SQS, !function.sends.is_empty()),
        (SNS, !function.publishes.is_empty()),
    ];
    let services = services.into_iter().filter(|(_, is_used)| *is_used).map(|(service, _)| Need::Service(service));
    services.chain(function.environment.iter().filter_map(|(variable, value)| server(variable, value))).collect()
}

/// Returns the server that a variable names; `None` if its value is no address of one.
fn server(variable: &str, value: &str) -> Option<Need> {
    let (scheme, rest) = value.trim().split_once("://")?;
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    // An address of IPv6 is in brackets. Functions have none, so that nothing is known of the way there.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, typed)) => (host, typed.parse().ok()?),
        None => (authority, port),
    };
    if host.is_empty() || host.contains(['[', ']']) || host == "localhost" {
        return None;
    }
    let addresses: Vec<Ipv4Addr> = super::block::address(host).into_iter().collect();
    if addresses.iter().any(|one| one.is_loopback() || one.is_link_local() || one.is_unspecified()) {
        return None;
    }
    Some(Need::Server { variable: variable.to_owned(), host: host.to_owned(), port, addresses })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_read_from_whatever_variable_names_one() {
        let read = |value: &str| match server("ANY", value)? {
            Need::Server { host, port, addresses, .. } => Some((host, port, addresses.len())),
            Need::Service(_) => None,
        };
        let found = |host: &str, port, known| Some((host.to_owned(), port, known));
        assert_eq!(read("https://netbox.example.com/api"), found("netbox.example.com", 443, 0));
        assert_eq!(read("https://10.0.0.7:8443?a=b"), found("10.0.0.7", 8443, 1));
        assert_eq!(read("http://user:word@hooks.example.com"), found("hooks.example.com", 80, 0));
        for none in [
            "",
            "lines",
            "netbox.example.com",
            "s3://bucket/key",
            "https://",
            "https://[fd00::1]/",
            "https://a:b",
            "http://127.0.0.1:8000",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
