//! The door of everything that listens here: open to the person who runs `provision dev`, and to nobody else of this machine.
//!
//! A listener takes connections of processes of the same user (and of root, who may do anything anyway), as far as the system
//! tells whose they are: Linux does. What answers HTTP answers only requests to its own address: a web page whose name was made to
//! lead to 127.0.0.1 sends its own name as `Host`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header::HOST},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tokio::net::{TcpListener, TcpStream};

/// The kernel's tables of TCP connections.
const TABLES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// The state of a connection in them that both ends have open.
const ESTABLISHED: &str = "01";

/// A listener on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Listener {
    inner: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on a port of 127.0.0.1; 0 is any.
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        let inner = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(Self { address: inner.local_addr()?, inner })
    }

    /// Returns the address on which it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for the next connection of the same user. Others are closed.
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            let (stream, client) = self.inner.accept().await?;
            if is_own(client, self.address) {
                return Ok((stream, client));
            }
            tracing::warn!(%client, "a connection of another user was closed");
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match Self::accept(self).await {
                Ok(accepted) => return accepted,
                // No more files may be open, for example: others will be closed.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Returns a router that answers only requests to this address.
pub(crate) fn of_host(router: Router, address: SocketAddr) -> Router {
    router.layer(from_fn_with_state(address, check_host))
}

async fn check_host(State(address): State<SocketAddr>, request: Request, next: Next) -> Response {
    if is_to(&request, address.port()) {
        return next.run(request).await;
    }
    (StatusCode::MISDIRECTED_REQUEST, "this is not the host of `provision dev`").into_response()
}

/// Returns `true` if the request names exactly one host, and this one.
fn is_to(request: &Request, port: u16) -> bool {
    let is_ours = |host: &str| {
        let name = host.strip_suffix(&format!(":{port}"));
        name.is_some_and(|name| name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
    };
    let mut hosts = request.headers().get_all(HOST).iter();
    let one = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
    one.is_some_and(is_ours) && request.uri().authority().is_none_or(|authority| is_ours(authority.as_str()))
}

/// Returns `true` if the connection is of the user that this process runs as; where the system does not tell, everybody is.
fn is_own(client: SocketAddr, server: SocketAddr) -> bool {
    if !Path::new(TABLES[0]).exists() {
        return true;
    }
    let own = rustix::process::geteuid().as_raw();
    TABLES.iter().any(|table| std::fs::read_to_string(table).is_ok_and(|table| has_own(&table, client, server, own)))
}

/// Returns `true` if a table has the client's end of the connection as that user's, or as root's.
fn has_own(table: &str, client: SocketAddr, server: SocketAddr, own: u32) -> bool {
    // There may be thousands of lines, and this is done for every connection.
    let port = format!(":{:04X} ", client.port());
    let lines = table
        .lines()
        .skip(1)
        .filter(|line| line.contains(&port))
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.into_iter().any(|fields| {
        let [_, local, remote, state, _, _, _, user, ..] = fields[..] else { return false };
        let is_it = endpoint(local) == Some(client) && endpoint(remote) == Some(server);
        // Of an end that was closed already the table has 0 as its user.
        is_it && user.parse().is_ok_and(|user: u32| user == own || (user == 0 && state == ESTABLISHED))
    })
}

/// Reads an end of a connection: the address in hexadecimal words of this machine's order, and the port.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Vec<u32> = (0..address.len() / 8)
        .map(|word| u32::from_str_radix(address.get(word * 8..word * 8 + 8)?, 16).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_ne_bytes).collect();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => IpAddr::from(bytes),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?).to_canonical(),
    };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_connection_is_of_the_user_that_the_kernel_names() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1\n\
             1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 2\n\
             2: 0100007F:C351 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 3\n\
             3: 0100007F:C352 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0\n\
             4: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:1F90 01 0:0 0:0 0  1000 0 4\n";
        let is_own = |port: u16, user: u32| {
            has_own(table, address(&format!("127.0.0.1:{port}")), address("127.0.0.1:8080"), user)
        };
        assert!(is_own(50000, 1000) && !is_own(50000, 1001), "one's own");
        assert!(is_own(50001, 1000), "root's");
        assert!(!is_own(50002, 1000), "closed already, by nobody knows whom");
        assert!(is_own(50003, 1000) && !is_own(50003, 1001), "by IPv6");
        assert!(!is_own(50004, 1000), "unknown");
        assert!(!has_own("", address("127.0.0.1:50000"), address("127.0.0.1:8080"), 1000));
    }

    #[test]
    fn only_its_own_address_is_the_host() {
        let request = |target: &str, hosts: &[&str]| {
            let request = Request::builder().uri(target);
            let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host));
            is_to(&request.body(axum::body::Body::empty()).unwrap(), 8080)
        };
        for host in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080"] {
            assert!(request("/", &[host]), "{host}");
        }
        for host in [
            "",
            "127.0.0.1",
            "localhost",
            "localhost:80",
            "evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "evil.example",
            "localhost:8080.evil.example",
            "127.0.0.1:8080@evil.example",
            "127.0.0.1:08080",
            "[::1]:8080",
            "127.1:8080",
            "localhost.:8080",
        ] {
            assert!(!request("/", &[host]), "{host}");
        }
        assert!(!request("/", &[]) && !request("/", &["localhost:8080", "localhost:8080"]));
        assert!(request("http://localhost:8080/", &["localhost:8080"]));
        assert!(!request("http://evil.example/", &["localhost:8080"]));
    }
}
