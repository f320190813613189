//! Queries DNS: does a name exist, and which hosts take a domain's mail?

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use domain::{
    base::{Name, Rtype, iana::Rcode},
    rdata::{A, Mx},
    resolv::{
        StubResolver,
        stub::{
            Answer,
            conf::{ResolvConf, ServerConf, Transport},
        },
    },
};

use problem::Problem;

/// Environment variable that names another resolver than the system's: `127.0.0.1:5353`, or `off` for none.
const VARIABLE: &str = "PROVISION_RESOLVER";
/// Timeout of a query: no answer is better than a long wait.
const PATIENCE: Duration = Duration::from_secs(4);

/// The resolver that is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dns {
    /// The resolver of the operating system.
    System,
    /// The resolver at this address.
    At(SocketAddr),
    /// No resolver: every query fails with [`NoAnswer::Off`].
    Off,
}

/// A domain's mail exchangers, best first: preference and name.
pub(super) type Exchanges = Vec<(u16, String)>;

/// The reasons why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("the resolver is switched off")]
    Off,
    #[error("not a valid domain name")]
    Name,
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Late,
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("the answer cannot be read")]
    Wrong,
    #[error("the resolver refuses: {0}")]
    Refused(Rcode),
}

impl Dns {
    /// Returns the system's resolver, or the one that the environment names.
    pub fn from_environment() -> Result<Self, Problem> {
        match std::env::var(VARIABLE) {
            Err(_) => Ok(Self::System),
            Ok(text) if text == "off" => Ok(Self::Off),
            Ok(text) => text.parse().map(Self::At).map_err(|_| {
                Problem::new(format!(
                    "Failed to read the environment variable `{VARIABLE}`: `{text}` is not an IP address"
                ))
                .with_hint("write `127.0.0.1:53`, or `off`")
            }),
        }
    }

    /// Returns `true` if a name has an address.
    pub(super) async fn exists(&self, name: &str) -> Result<bool, NoAnswer> {
        let answer = self.ask(name, Rtype::A).await?;
        Ok(answer.header().rcode() != Rcode::NXDOMAIN && answer.header_counts().ancount() > 0)
    }

    /// Looks up the addresses of a name.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<Ipv4Addr>, NoAnswer> {
        let answer = self.ask(name, Rtype::A).await?;
        let section = answer.answer().map_err(|_| NoAnswer::Wrong)?;
        let addresses = section.limit_to_in::<A>().map(|record| record.map(|record| record.data().addr()));
        addresses.collect::<Result<_, _>>().map_err(|_| NoAnswer::Wrong)
    }

    /// Looks up a domain's mail exchangers.
    pub(super) async fn exchanges(&self, domain: &str) -> Result<Exchanges, NoAnswer> {
        let answer = self.ask(domain, Rtype::MX).await?;
        let section = answer.answer().map_err(|_| NoAnswer::Wrong)?;
        let mut exchanges = Exchanges::new();
        for record in section.limit_to_in::<Mx<_>>() {
            let record = record.map_err(|_| NoAnswer::Wrong)?;
            let name = record.data().exchange().to_string().trim_end_matches('.').to_lowercase();
            exchanges.push((record.data().preference(), name));
        }
        exchanges.sort();
        Ok(exchanges)
    }

    async fn ask(&self, name: &str, kind: Rtype) -> Result<Answer, NoAnswer> {
        let name: Name<Vec<u8>> = name.parse().map_err(|_| NoAnswer::Name)?;
        let resolver = match self {
            Self::Off => return Err(NoAnswer::Off),
            Self::System => StubResolver::new(),
            Self::At(address) => {
                let mut configuration = ResolvConf::new();
                let servers = [Transport::UdpTcp, Transport::Tcp].map(|how| ServerConf::new(*address, how));
                configuration.servers = servers.into();
                configuration.finalize();
                StubResolver::from_conf(configuration)
            }
        };
        let answer = tokio::time::timeout(PATIENCE, resolver.query((name, kind))).await;
        let answer = answer.map_err(|_| NoAnswer::Late)??;
        match answer.header().rcode() {
            Rcode::NOERROR | Rcode::NXDOMAIN => Ok(answer),
            refused => Err(NoAnswer::Refused(refused)),
        }
    }
}
