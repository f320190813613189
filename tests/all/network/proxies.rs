//! Tests proxies, `NO_PROXY`, `AWS_CA_BUNDLE`, and endpoints of which some speak TLS.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    DECLARATION, KEYS, Row,
    servers::{Authority, Server, answer, passing_on, proxy},
};
use crate::{
    emulator::server::Emulator,
    harness::{Folder, Run},
};

/// Names under which AWS is reached.
const AWS: [&str; 3] = ["*.amazonaws.com", "*.eu-west-1.amazonaws.com", "*.s3.eu-west-1.amazonaws.com"];
const PASSWORD: &str = "s3cr3t";

/// A closed network: AWS under its own names, behind TLS.
struct Network {
    folder: Folder,
    emulator: Emulator,
    aws: Server,
}

impl Network {
    fn new() -> Option<Self> {
        let emulator = Emulator::start()?;
        let authority = Authority::new();
        let names = [&AWS[..], &["localhost"]].concat();
        let aws = Server::secure(&authority, &names, passing_on(&emulator.url));
        let folder = Folder::with_declaration(DECLARATION);
        folder.write("company.pem", &authority.pem);
        Some(Self { folder, emulator, aws })
    }

    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.folder.command(arguments);
        command.envs(KEYS).env("PROVISION_PACING_MS", "20").envs(environment.iter().copied());
        self.folder.finish(arguments, command.output().unwrap())
    }

    /// Returns the address of the server of TLS.
    fn secure_url(&self) -> String {
        format!("https://localhost:{}", self.aws.port)
    }
}

#[test]
fn every_call_takes_the_proxy_and_trusts_the_named_authority() {
    let Some(network) = Network::new() else { return };
    let proxy = proxy(network.aws.port, Some("me:s3cr3t"));
    let url = format!("http://me:{PASSWORD}@127.0.0.1:{}", proxy.port);
    for (variable, arguments) in
        [("HTTPS_PROXY", &["up", "--yes"][..]), ("https_proxy", &["diff"]), ("ALL_PROXY", &["status"])]
    {
        proxy.seen.lock().unwrap().clear();
        network.aws.seen.lock().unwrap().clear();
        let run = network.run(arguments, &[(variable, &url), ("AWS_CA_BUNDLE", "company.pem")]);
        assert_eq!(run.code(), Some(0), "{run}");
        assert!(!run.to_string().contains(PASSWORD), "{run}");
        let hosts: BTreeSet<String> = proxy.requests().iter().map(|request| request.target().to_owned()).collect();
        for host in
            ["sts.eu-west-1.amazonaws.com:443", "sqs.eu-west-1.amazonaws.com:443", "sns.eu-west-1.amazonaws.com:443"]
        {
            assert!(hosts.contains(host), "{hosts:?}");
        }
        assert!(hosts.iter().any(|host| host.contains("s3")), "{hosts:?}");
        for request in network.aws.requests() {
            let agent = request.header("user-agent").unwrap();
            assert!(agent.starts_with(&format!("provision/{} aws-sdk-rust/", env!("CARGO_PKG_VERSION"))), "{agent}");
            assert_eq!(request.header("proxy-authorization"), None, "the password is for the proxy alone");
        }
    }
}

#[test]
fn what_no_proxy_names_is_reached_without_one() {
    let Some(network) = Network::new() else { return };
    let proxy = proxy(network.aws.port, None);
    let (proxy_url, endpoint) = (proxy.url(), network.secure_url());
    let environment =
        [("HTTPS_PROXY", proxy_url.as_str()), ("AWS_ENDPOINT_URL", &endpoint), ("AWS_CA_BUNDLE", "company.pem")];
    for (rule, is_passed) in [("example.com,localhost", true), ("*", true), (".local", false), ("", false)] {
        proxy.seen.lock().unwrap().clear();
        let run = network.run(&["status"], &[&environment[..], &[("NO_PROXY", rule)]].concat());
        assert_eq!(run.code(), Some(0), "{run}");
        assert_eq!(proxy.requests().is_empty(), is_passed, "{rule}");
    }
}

#[test]
fn a_plain_address_takes_the_proxy_for_plain_ones() {
    let Some(network) = Network::new() else { return };
    let port = network.emulator.url.rsplit(':').next().unwrap().parse().unwrap();
    let proxy = proxy(port, None);
    let run = network.run(
        &["status"],
        &[
            ("HTTP_PROXY", &proxy.url()),
            // Nobody listens there: what is plain must not go there.
            ("HTTPS_PROXY", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL", "http://aws.example"),
        ],
    );
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(proxy.requests().iter().all(|request| request.target().starts_with("http://")), "{:?}", proxy.requests());
    assert!(!proxy.requests().is_empty());
}

/// Some endpoints speak TLS and others do not, in either direction.
#[test]
fn plain_and_secure_endpoints_may_be_mixed() {
    let Some(network) = Network::new() else { return };
    let (plain, secure) = (network.emulator.url.clone(), network.secure_url());
    let of_service = |requests: &[super::servers::Request], service: &str| {
        let scope = format!("/{service}/aws4_request");
        let of =
            |request: &&super::servers::Request| request.header("authorization").is_some_and(|it| it.contains(&scope));
        requests.iter().filter(of).count()
    };
    for (all, sqs, s3) in [(&plain, &secure, &plain), (&secure, &plain, &plain), (&secure, &secure, &plain)] {
        network.aws.seen.lock().unwrap().clear();
        let run = network.run(
            &["up", "--yes"],
            &[
                ("AWS_ENDPOINT_URL", all),
                ("AWS_ENDPOINT_URL_SQS", sqs),
                ("AWS_ENDPOINT_URL_S3", s3),
                ("AWS_CA_BUNDLE", "company.pem"),
            ],
        );
        assert_eq!(run.code(), Some(0), "{run}");
        let seen = network.aws.requests();
        assert_eq!(of_service(&seen, "sqs") > 0, sqs == &secure, "{run}");
        assert_eq!(of_service(&seen, "sns") > 0, all == &secure, "{run}");
        assert_eq!(of_service(&seen, "s3"), 0, "{run}");
    }
    // An endpoint of S3 alone has no subdomain for each bucket either.
    let proxy = proxy(network.aws.port, None);
    let environment =
        [("HTTPS_PROXY", proxy.url()), ("AWS_ENDPOINT_URL_S3", plain), ("AWS_CA_BUNDLE", "company.pem".to_owned())];
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let run = network.run(&["diff"], &environment);
    assert_eq!(run.code(), Some(0), "{run}");
    assert!(proxy.requests().iter().all(|request| !request.target().contains("s3")), "{:?}", proxy.requests());
}

#[test]
fn a_faulty_way_to_aws_is_told_with_what_to_do() {
    let Some(network) = Network::new() else { return };
    network.folder.write("empty.pem", "");
    network.folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let locked = proxy(network.aws.port, Some("me:other"));
    let refusing = Server::plain(Arc::new(|_| answer("403 Forbidden", "text/html", "<h1>not here</h1>")));
    let secure = network.secure_url();
    let (locked_url, refusing_url) = (format!("http://me:{PASSWORD}@127.0.0.1:{}", locked.port), refusing.url());
    let table: &[Row<'_>] = &[
        (
            &[("AWS_ENDPOINT_URL", &secure)],
            &["invalid peer certificate: UnknownIssuer", "name that in `AWS_CA_BUNDLE`"],
        ),
        (&[("AWS_CA_BUNDLE", "nowhere.pem")], &["read the certificates of `nowhere.pem`", "No such file", "in PEM"]),
        (&[("AWS_CA_BUNDLE", "empty.pem")], &["certificates of `empty.pem`: it has none", "hint: `AWS_CA_BUNDLE`"]),
        (
            &[("AWS_CA_BUNDLE", "broken.pem")],
            &["certificates of `broken.pem`: it has none, or one that cannot be read"],
        ),
        (
            &[("HTTPS_PROXY", "http://127.0.0.1:9")],
            &["Connection refused", "through the proxy that `HTTPS_PROXY` names"],
        ),
        (&[("https_proxy", &refusing_url)], &["through the proxy that `https_proxy` names", "`NO_PROXY`"]),
        (&[("HTTPS_PROXY", &locked_url)], &["the proxy that `HTTPS_PROXY` names wants a user and a password"]),
        (
            &[("ALL_PROXY", "socks5://127.0.0.1:1080")],
            &["the proxy that `ALL_PROXY` names", "SOCKS", "http://HOST:PORT"],
        ),
        (&[("HTTPS_PROXY", "http://me:s3cr3t@")], &["the proxy that `HTTPS_PROXY` names: it has no host"]),
    ];
    for (environment, expected) in table {
        let run = network.run(&["status"], environment);
        assert_eq!(run.code(), Some(2), "{environment:?}\n{run}");
        for words in *expected {
            assert!(run.stderr().contains(words), "{words}\n{run}");
        }
        assert!(!run.to_string().contains(PASSWORD), "{run}");
    }
}

#[test]
fn check_reaches_netbox_through_the_proxy_and_says_so() {
    let authority = Authority::new();
    let netbox = Server::secure(
        &authority,
        &["netbox.example"],
        Arc::new(|request| match request.target() {
            "/api/status/" => answer(
                "200 OK",
                "application/json",
                r#"{"netbox-version": "4.6.0", "plugins": {"netbox_circuitmaintenance": "0.8.0"}}"#,
            ),
            _ => answer("403 Forbidden", "application/json", "{}"),
        }),
    );
    let proxy = proxy(netbox.port, Some("me:s3cr3t"));
    let url = format!("http://me:{PASSWORD}@127.0.0.1:{}", proxy.port);
    let folder = Folder::new();
    folder.write("company.pem", &authority.pem);
    let check = |environment: &[(&str, &str)]| {
        let arguments = ["check", "--netbox", "https://netbox.example"];
        let mut command = folder.command(&arguments);
        command.env("NETBOX_TOKEN", "0123456789abcdef0123456789abcdef01234567").envs(environment.iter().copied());
        folder.finish(&arguments, command.output().unwrap())
    };
    folder.write("config", "[default]\nca_bundle = company.pem\n");
    let trusted =
        [("AWS_CA_BUNDLE", "company.pem"), ("NETBOX_CA", authority.pem.as_str()), ("AWS_CONFIG_FILE", "config")];
    for trusted in trusted {
        let run = check(&[("HTTPS_PROXY", &url), trusted]);
        assert!(run.stdout().contains("through the proxy that HTTPS_PROXY names here"), "{run}");
        assert!(run.stdout().contains("NetBox 4.6.0"), "{run}");
        assert!(!run.to_string().contains(PASSWORD), "{run}");
    }
    assert!(proxy.requests().iter().all(|request| request.target() == "netbox.example:443"));
    let run = check(&[("HTTPS_PROXY", &url)]);
    assert!(run.stdout().contains("UnknownIssuer"), "{run}");
    // What is hidden by another variable is not looked at, and what counts has to be readable.
    let run = check(&[("HTTPS_PROXY", &url), ("ALL_PROXY", "socks5://127.0.0.1:9"), ("AWS_CA_BUNDLE", "company.pem")]);
    assert!(run.stdout().contains("NetBox 4.6.0"), "{run}");
    for wrong in ["socks5://127.0.0.1:9", "http://me:s3cr3t@"] {
        let run = check(&[("ALL_PROXY", wrong)]);
        assert!(run.to_string().contains("Failed to read the proxy that `ALL_PROXY` names"), "{run}");
        assert!(!run.to_string().contains(PASSWORD), "{run}");
    }
    let asked = proxy.requests().len();
    let run = check(&[("HTTPS_PROXY", &url), ("NO_PROXY", "netbox.example"), ("AWS_CA_BUNDLE", "company.pem")]);
    assert_eq!((run.code(), proxy.requests().len()), (Some(1), asked), "{run}");
}
