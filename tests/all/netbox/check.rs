//! Tests `provision check`: faults of a NetBox or a token are known before the first mail.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use insta::assert_snapshot;

use super::proxy::Proxy;
use super::server::NetBox;
use crate::harness::{Folder, replaced};

/// Remark on constraints for a token that may not look at them.
const UNSEEN: &str = "none that can be seen; the token may not look at permissions";

/// Returns the output of `check` for that address, with the address replaced; with `declared` the address comes from the
/// declaration.
fn check(url: &str, token: &str) -> String {
    let folder = Folder::new();
    let output = folder.command(&["check", "--netbox", url]).env("NETBOX_TOKEN", token).output().unwrap();
    let output = [output.stdout, output.stderr, format!("exit code {}", output.status.code().unwrap()).into()].concat();
    String::from_utf8(output).unwrap().replace(url, "URL")
}

#[test]
fn the_least_rights_are_enough_with_either_kind_of_token() {
    let Some(netbox) = NetBox::find() else { return };
    let before = netbox.content();
    for (token, said) in [("", "1 of user `function`"), ("V2", "2 of user `function`"), ("ADMIN", "1 of user `admin`")]
    {
        let shown = check(&netbox.url, netbox.token(token));
        let shown = replaced(&shown, &[(said, "N of user U")]).replace(UNSEEN, "none");
        insta::allow_duplicates!(assert_snapshot!(shown, @r#"
        URL, NetBox 4.7.3, netbox-circuitmaintenance 0.8.0
          NetBox         fine
          token          fine: version N of user U, does not expire
          plugin         fine
          providers      fine
          circuits       fine
          changelog      fine
          maintenances   fine
          impacts        fine
          notifications  fine
          constraints    fine: none
        exit code 0
        "#));
    }
    assert_eq!(netbox.content(), before, "nothing was written");
}

#[test]
fn missing_rights_are_named() {
    let Some(netbox) = NetBox::find() else { return };
    assert_snapshot!(check(&netbox.url, netbox.token("READ_ONLY")), @r#"
    URL, NetBox 4.7.3, netbox-circuitmaintenance 0.8.0
      NetBox         fine
      token          wrong: version 1 of user `admin`, does not expire: it may only read
                     hint: allow it to write: `Write enabled`
      plugin         fine
      providers      fine
      circuits       fine
      changelog      fine
      maintenances   wrong: the token may not add, change
                     hint: its user needs view, add, change, and the token must be allowed to write
      impacts        wrong: the token may not add, change, delete
                     hint: its user needs view, add, change, delete, and the token must be allowed to write
      notifications  wrong: the token may not add, change
                     hint: its user needs view, add, change, and the token must be allowed to write
      constraints    fine: none
    exit code 1
    "#);
    assert_snapshot!(check(&netbox.url, netbox.token("NO_RIGHTS")), @r#"
    URL, NetBox 4.7.3, netbox-circuitmaintenance 0.8.0
      NetBox         fine
      token          fine: version 1 of user `nobody`, does not expire
      plugin         fine
      providers      wrong: the token may not view
                     hint: its user needs view
      circuits       wrong: the token may not view
                     hint: its user needs view
      changelog      wrong: the token may not view
                     hint: its user needs view
      maintenances   wrong: the token may not view, add, change
                     hint: its user needs view, add, change, and the token must be allowed to write
      impacts        wrong: the token may not view, add, change, delete
                     hint: its user needs view, add, change, delete, and the token must be allowed to write
      notifications  wrong: the token may not view, add, change
                     hint: its user needs view, add, change, and the token must be allowed to write
      constraints    fine: none that can be seen; the token may not look at permissions
    exit code 1
    "#);
}

#[test]
fn a_wrong_token_is_told_from_missing_rights() {
    let Some(netbox) = NetBox::find() else { return };
    assert_snapshot!(check(&netbox.url, "0000000000000000000000000000000000000000"), @r#"
    URL
      token          wrong: 403 {"detail":"Invalid v1 token"}
                     hint: make one for the function's user, and put it into NETBOX_TOKEN
    exit code 1
    "#);
    assert_snapshot!(check(&netbox.url, "nbt_Unknown00001.0000000000000000000000000000000000000000"), @r#"
    URL
      token          wrong: 403 {"detail":"Invalid v2 token"}
                     hint: make one for the function's user, and put it into NETBOX_TOKEN
    exit code 1
    "#);
}

/// Starts a server that gives every request the same answer; returns its address.
fn server(status: &str, body: &str) -> String {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _read = stream.read(&mut [0; 4096]);
            let _written = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn another_server_and_a_netbox_without_plugin_are_reported() {
    let other = server("200 OK", "hello");
    assert_snapshot!(check(&other, "t"), @r#"
    URL
      NetBox         wrong: no NetBox answers at this address: 200 hello
                     hint: set NETBOX_URL to the address without `/api`
    exit code 1
    "#);
    let moved = server("301 Moved\r\nLocation: https://netbox.example/", "");
    assert_snapshot!(check(&moved, "t"), @r#"
    URL
      NetBox         wrong: 301, see https://netbox.example/
                     hint: name the address that it leads to
    exit code 1
    "#);
    let bare = server("200 OK", r#"{"netbox-version":"4.7.3","plugins":{"another":"1.3.0"}}"#);
    assert_snapshot!(check(&bare, "t"), @r#"
    URL, NetBox 4.7.3
      NetBox         fine
      token          fine: version 1; NetBox does not tell when it expires
      plugin         wrong: neither `netbox_circuitmaintenance` nor `notices` is installed
                     hint: install netbox-circuitmaintenance 0.8
    exit code 1
    "#);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_snapshot!(check(&format!("http://{nobody}"), "t"), @r#"
    URL
      NetBox         wrong: client error (Connect): tcp connect error: Connection refused (os error 111)
                     hint: the address is NETBOX_URL; a certificate of your own goes into NETBOX_CA
    exit code 1
    "#);
}

#[test]
fn the_address_is_declared_and_the_token_is_not() {
    let declared = |environment: &str| {
        Folder::with_declaration(format!(
            "stack: s\nregion: eu-west-1\nfunctions:\n  reader: {{crate: maintenance, bin: maintenance, environment: {environment}}}\n"
        ))
    };
    assert_snapshot!(declared("{SINK: lines}").run(&["check"]).shown(), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find a NetBox: no function of the declaration has the variable `NETBOX_URL`
    hint: name one with `--netbox URL`
    "#);
    let folder = declared("{NETBOX_URL: 'http://127.0.0.1:9'}");
    assert_snapshot!(folder.run(&["check"]).shown(), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: Failed to find NetBox's token: the environment variable `NETBOX_TOKEN` is not set
    hint: set it to a token of the function's user
    "#);
    let output = folder.command(&["--json", "check"]).env("NETBOX_TOKEN", "t").output().unwrap();
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"{"netboxes":{"http://127.0.0.1:9":{"checks":[{"detail":null,"fault":"client error (Connect): tcp connect error: Connection refused (os error 111)","hint":"the address is NETBOX_URL; a certificate of your own goes into NETBOX_CA","subject":"NetBox"}],"netbox":null,"plugin":null}},"version":1}"#);
}

/// Returns the output of a command with that token, and the exit code.
fn run(folder: &Folder, arguments: &[&str], token: &str, ca: Option<&str>) -> String {
    let mut command = folder.command(arguments);
    command.env("NETBOX_TOKEN", token).env_remove("NETBOX_CA").envs(ca.map(|pem| ("NETBOX_CA", pem)));
    let output = command.output().unwrap();
    let code = format!("exit code {}", output.status.code().unwrap());
    String::from_utf8([output.stdout, output.stderr, code.into()].concat()).unwrap()
}

#[test]
fn an_address_or_a_token_that_was_pasted_wrong_is_told_before_anybody_is_asked() {
    let folder = Folder::new();
    for (url, token, said) in [
        ("netbox.example.com", "t", "put `https://` in front of it: `https://netbox.example.com`"),
        ("netbox.example.com:8000/path-canary", "t", "`https://netbox.example.com:8000`"),
        ("http://netbox.example.com", "t", "it is not encrypted"),
        ("me:canary@netbox.example.com", "t", "name it with `https://`"),
        ("https://127.0.0.1:9", "Token canary", "`NETBOX_TOKEN` begins with `Token`, which is not part of the token"),
        ("https://127.0.0.1:9", "bearer nbt_canary.canary", "`NETBOX_TOKEN` begins with `bearer`"),
        ("https://127.0.0.1:9", "Authorization: Token canary", "`NETBOX_TOKEN` begins with `Authorization`"),
        ("https://127.0.0.1:9", "\"canary\"", "`NETBOX_TOKEN` has quotation marks in it"),
        ("https://127.0.0.1:9", "canary canary", "`NETBOX_TOKEN` has blanks"),
    ] {
        let shown = run(&folder, &["check", "--netbox", url], token, None);
        assert!(
            shown.contains(said) && shown.ends_with("exit code 2") && !shown.contains("canary"),
            "{url} {token}: {shown}"
        );
        assert!(shown.contains("hint: "), "{shown}");
    }
}

#[test]
fn a_server_that_speaks_plain_http_where_tls_is_expected_and_the_other_way_round_is_told() {
    let plain = server("200 OK", "{}").replace("http://", "https://");
    let shown = check(&plain, "t");
    assert!(shown.contains("the server does not speak TLS at this port") && shown.ends_with("exit code 1"), "{shown}");
    let nginx = server("400 Bad Request", "<center>The plain HTTP request was sent to HTTPS port</center>");
    let shown = check(&nginx, "t");
    assert!(shown.contains("hint: the server expects TLS: NETBOX_URL needs `https://`"), "{shown}");
    let (proxy, _) = Proxy::with_tls("http://127.0.0.1:9");
    let shown = check(&proxy.url.replace("https://", "http://"), "t");
    assert!(shown.contains("a server that expects TLS needs `https://`") && shown.ends_with("exit code 1"), "{shown}");
}

#[test]
fn a_netbox_without_if_match_and_a_plugin_without_a_queue_are_told() {
    for (version, is_refused) in
        [("4.5.9", true), ("3.7.8", true), ("4.6.0", false), ("4.6.0-beta1", false), ("5.0.0", false)]
    {
        let old = server("200 OK", &format!(r#"{{"netbox-version":"{version}","plugins":{{"another":"1"}}}}"#));
        let shown = check(&old, "t");
        let said = format!("version {version} does not know `If-Match`");
        assert_eq!(
            shown.contains(&said) && shown.contains("hint: update NetBox to 4.6 or newer"),
            is_refused,
            "{shown}"
        );
    }
    let declaration = |writes: &str, url: &str| {
        Folder::with_declaration(format!(
            "stack: s\nregion: eu-west-1\nbuckets: {{mail: {{}}}}\nfunctions:\n  reader:\n    crate: maintenance\n    bin: maintenance\n    \
             environment: {{NETBOX_URL: '{url}'}}\n    {writes}\n"
        ))
    };
    for plugins in [r#"{"notices":"1.3.0"}"#, r#"{"netbox_circuitmaintenance":"0.7.0"}"#] {
        let url = server("200 OK", &format!(r#"{{"netbox-version":"4.7.3","plugins":{plugins}}}"#));
        let with = run(&declaration("writes: [{bucket: mail, prefix: unmatched/}]", &url), &["check"], "t", None);
        assert!(with.contains("unmatched      fine\n"), "{with}");
        let without = declaration("writes: [{bucket: mail, prefix: calendar/}]", &url);
        let other = url.replace("127.0.0.1", "localhost");
        for arguments in [&["check"][..], &["check", "--netbox", &other]] {
            let shown = run(&without, arguments, "t", None);
            assert!(shown.contains("its `writes` names no prefix that ends in `unmatched/`"), "{arguments:?}: {shown}");
            assert!(
                shown.contains("hint: add `writes: [{bucket: mail, prefix: unmatched/}]` to the function"),
                "{shown}"
            );
        }
        let unknown = run(&Folder::new(), &["check", "--netbox", &url], "t", None);
        assert!(unknown.contains("unmatched      fine: ") && unknown.contains("it needs `writes: "), "{unknown}");
    }
    let current = server("200 OK", r#"{"netbox-version":"4.7.3","plugins":{"netbox_circuitmaintenance":"0.8.0"}}"#);
    assert!(!check(&current, "t").contains("unmatched"));
}

#[test]
fn the_declarations_certificates_are_used_whichever_address_is_checked() {
    let (proxy, authority) = Proxy::self_signed("http://127.0.0.1:9");
    let indented = authority.trim_end().replace('\n', "\n        ");
    let folder = Folder::with_declaration(format!(
        "stack: s\nregion: eu-west-1\nfunctions:\n  reader:\n    crate: maintenance\n    bin: maintenance\n    environment:\n      \
         NETBOX_URL: {}\n      NETBOX_CA: |\n        {indented}\n",
        proxy.url
    ));
    let other = format!("{}/", proxy.url.replace("localhost", "127.0.0.1"));
    for arguments in [&["check"][..], &["check", "--netbox", &proxy.url], &["check", "--netbox", &other]] {
        let shown = run(&folder, arguments, "t", None);
        assert!(!shown.contains("invalid peer certificate"), "{arguments:?}: {shown}");
    }
    let none = run(&Folder::new(), &["check", "--netbox", &proxy.url], "t", None);
    assert!(none.contains("invalid peer certificate") && none.contains("`NETBOX_CA`"), "{none}");
    let given = run(&Folder::new(), &["check", "--netbox", &proxy.url], "t", Some(&authority));
    assert!(!given.contains("invalid peer certificate"), "{given}");
    let broken = run(&Folder::new(), &["check", "--netbox", &proxy.url], "t", Some("no certificate"));
    assert!(
        broken.contains("the certificates of `NETBOX_CA` cannot be read") && broken.ends_with("exit code 2"),
        "{broken}"
    );
}

#[test]
fn the_tokens_end_its_addresses_and_its_constraints_are_told() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    netbox.fill_more(&[("other.example".to_owned(), ["A".to_owned(), "B".to_owned()].into())].into());
    let user = netbox.user("function");
    let made = |end: &str, more: &str| {
        let token: serde_json::Value = serde_json::from_str(&format!(
            r#"{{"user":{user},"version":1,"write_enabled":true,"expires":"{end}"{more}}}"#
        ))
        .unwrap();
        netbox.post("users/tokens", &token)
    };
    let later = made("2199-01-01T00:00:00Z", r#","allowed_ips":["127.0.0.0/8"]"#);
    let soon = made(&(jiff::Timestamp::now() + jiff::Span::new().hours(30)).to_string(), "");
    let shown = check(&netbox.url, later["token"].as_str().unwrap());
    assert!(
        shown.contains("version 1 of user `function`, expires 2199-01-01T00:00:00Z, is taken from 127.0.0.0/8 only"),
        "{shown}"
    );
    let shown = check(&netbox.url, soon["token"].as_str().unwrap());
    assert!(
        shown.contains("token          wrong: version 1 of user `function`, expires ")
            && shown.ends_with("exit code 1"),
        "{shown}"
    );
    for token in [later, soon] {
        netbox.delete(&format!("users/tokens/{}", token["id"]));
    }
    let before = netbox.get("users/permissions/2")["constraints"].clone();
    netbox.patch("users/permissions/2", &serde_json::json!({"constraints": {"provider__name": "other.example"}}));
    let (function, admin) = (check(&netbox.url, netbox.token("")), check(&netbox.url, netbox.token("ADMIN")));
    netbox.patch("users/permissions/2", &serde_json::json!({"constraints": before}));
    assert!(
        function
            .contains("constraints    wrong: the token sees 2 of 3 circuits: a permission of its user has constraints"),
        "{function}"
    );
    assert!(function.ends_with("exit code 1") && admin.contains("constraints    fine: none\n"), "{admin}");
}
