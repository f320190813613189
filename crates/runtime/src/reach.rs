//! The addresses that a function may connect to when others have a say in the address: a redirect of a server, a name in somebody
//! else's DNS. The address that is checked here is the one that is connected to, so that a name that changes in between is harmless.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

/// Timeout of a TCP connection to one address.
const CONNECT: Duration = Duration::from_secs(3);
/// Maximum number of a name's addresses that are tried.
const ADDRESSES: usize = 4;
/// Log stream of the Runtime API of `provision dev`. AWS names each stream after the day, and lets nobody set the variable: whoever
/// declares, deploys or configures a function in AWS cannot make it look like one of `dev`.
const LOCAL_STREAM: &str = "local";
/// Variable of the name of the log stream, which Lambda reserves.
pub(crate) const STREAM: &str = "AWS_LAMBDA_LOG_STREAM_NAME";

/// The addresses that may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses alone: in Lambda.
    Public,
    /// Public addresses and those of this machine, over TLS or not: under `provision dev`.
    PublicAndLoopback,
}

impl Reach {
    /// Returns the reach of a function whose log stream has that name.
    pub(crate) fn of_stream(stream: Option<&str>) -> Self {
        if stream == Some(LOCAL_STREAM) { Self::PublicAndLoopback } else { Self::Public }
    }

    /// Returns whether that address may be connected to.
    ///
    /// ```
    /// use runtime::Reach;
    ///
    /// assert!(Reach::Public.permits("192.0.78.1".parse().unwrap()));
    /// assert!(!Reach::Public.permits("169.254.169.254".parse().unwrap()));
    /// assert!(!Reach::PublicAndLoopback.permits("10.0.0.1".parse().unwrap()));
    /// ```
    pub fn permits(self, address: IpAddr) -> bool {
        let is_public = match address {
            IpAddr::V4(address) => is_public_v4(address),
            IpAddr::V6(address) => is_public_v6(address),
        };
        is_public || self == Self::PublicAndLoopback && address.is_loopback()
    }
}

/// Networks that no public server has: IANA's registry of special-purpose addresses, and multicast. Network and length of its prefix.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Networks among the global unicast addresses `2000::/3` that are no public server's, or embed another address: protocols such as
/// Teredo, documentation, 6to4.
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in = |(network, length): &(Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (32 - length) == 0;
    !SPECIAL_V4.iter().any(is_in)
}

/// Returns `true` for public addresses. Outside `2000::/3` nothing is public: neither mapped and translated addresses of IPv4 (`::ffff:…`,
/// `64:ff9b::…`) nor local ones.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_in = |(network, length): &(Ipv6Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (128 - length) == 0;
    let segments = address.segments();
    // ISATAP: the last half is `[0200]:5efe:` and an address of IPv4.
    let embeds = segments.get(5) == Some(&0x5efe) && segments.get(4).is_some_and(|flags| flags & !0x0300 == 0);
    let is_global = segments.first().is_some_and(|first| first >> 13 == 1);
    is_global && !embeds && !SPECIAL_V6.iter().any(is_in)
}

/// A name that has no address that may be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreachable {
    host: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a public address: the function does not connect to it", self.host)
    }
}

impl Error for Unreachable {}

impl Unreachable {
    /// Returns whether an error is one, or was caused by one.
    pub(crate) fn caused(error: &(dyn Error + 'static)) -> bool {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<Self>() || inner.is_some_and(|inner| Self::caused(inner)) || error.source().is_some_and(Self::caused)
    }
}

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// Returns the addresses of a host and a port.
pub(crate) type Resolve = Arc<dyn Fn(String, u16) -> Pending<io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Returns the resolver of the system. It also reads the forms of addresses that C reads, such as `0177.1`.
pub(crate) fn system() -> Resolve {
    Arc::new(|host, port| Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) }))
}

/// Connects to permitted addresses alone.
#[derive(Clone)]
pub(crate) struct Guarded {
    reach: Reach,
    resolve: Resolve,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guarded").field("reach", &self.reach).finish_non_exhaustive()
    }
}

impl Guarded {
    /// Returns the connector for that reach.
    pub(crate) fn new(reach: Reach, resolve: Resolve) -> Self {
        Self { reach, resolve }
    }

    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let addresses = (self.resolve)(host.clone(), port).await?;
        let permitted = addresses.into_iter().filter(|address| self.reach.permits(address.ip()));
        let mut last = io::Error::new(io::ErrorKind::PermissionDenied, Unreachable { host });
        for address in permitted.take(ADDRESSES) {
            match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no connection in time"),
            }
        }
        Err(last)
    }
}

impl Service<Uri> for Guarded {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pending<io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        for public in
            ["8.8.8.8", "192.0.78.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2600:1f18::1", "223.255.255.255"]
        {
            let address = public.parse().unwrap();
            assert!(Reach::Public.permits(address) && Reach::PublicAndLoopback.permits(address), "{public}");
        }
        for refused in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::a00:1",
            "100::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "2600:1f18::5efe:7f00:1",
            "2600:1f18::200:5efe:a00:1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            let address = refused.parse().unwrap();
            assert!(!Reach::Public.permits(address) && !Reach::PublicAndLoopback.permits(address), "{refused}");
        }
        for own in ["127.0.0.1", "127.255.0.1", "::1"] {
            let address = own.parse().unwrap();
            assert!(!Reach::Public.permits(address) && Reach::PublicAndLoopback.permits(address), "{own}");
        }
    }

    #[test]
    fn only_the_runtime_of_dev_reaches_this_machine() {
        for (stream, reach) in [
            (None, Reach::Public),
            (Some(""), Reach::Public),
            (Some("2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef"), Reach::Public),
            (Some("2026/11/28/local[$LATEST]0123456789abcdef"), Reach::Public),
            (Some("local"), Reach::PublicAndLoopback),
        ] {
            assert_eq!(Reach::of_stream(stream), reach, "{stream:?}");
        }
    }

    /// Connects to a host that a resolver knows by these addresses, one set for each question.
    async fn connect(reach: Reach, uri: &str, answers: &[&str]) -> io::Result<()> {
        let answers: Vec<SocketAddr> = answers.iter().map(|address| address.parse().unwrap()).collect();
        let resolve: Resolve = Arc::new(move |_, _| Box::pin(std::future::ready(Ok(answers.clone()))));
        Guarded::new(reach, resolve).connect(uri.parse().unwrap()).await.map(drop)
    }

    #[tokio::test]
    async fn a_name_that_leads_to_no_public_address_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        for answers in [&[own.as_str()][..], &["10.0.0.1:443", "[::1]:443", "[::ffff:127.0.0.1]:443"], &[]] {
            let error = connect(Reach::Public, "https://files.example.com/a", answers).await.unwrap_err();
            assert!(Unreachable::caused(&error), "{error}");
        }
        connect(Reach::PublicAndLoopback, "https://files.example.com/a", &["10.0.0.1:443", &own]).await.unwrap();
        // The system's resolver reads other forms of the address too; what it makes of them is what is checked.
        for host in
            ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"]
        {
            let uri = format!("https://{host}:1/").parse().unwrap();
            let error = Guarded::new(Reach::Public, system()).connect(uri).await.unwrap_err();
            assert!(Unreachable::caused(&error), "{host}: {error}");
        }
    }

    #[tokio::test]
    async fn a_name_that_changes_leads_to_the_address_that_was_checked() {
        // Each connection asks once, and connects to what it was told.
        let questions = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counter = Arc::clone(&questions);
        let resolve: Resolve = Arc::new(move |_, _| {
            let address = ["10.0.0.1:443", "127.0.0.1:1"][counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst)];
            Box::pin(std::future::ready(Ok(vec![address.parse().unwrap()])))
        });
        let guarded = Guarded::new(Reach::PublicAndLoopback, resolve);
        let error = guarded.clone().connect("https://a.example/".parse().unwrap()).await.unwrap_err();
        assert!(Unreachable::caused(&error));
        assert_eq!(questions.load(std::sync::atomic::Ordering::SeqCst), 1);
        let error = guarded.connect("https://a.example/".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
