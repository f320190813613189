//! Tests `provision check`: faults of a NetBox or a token are known before the first mail.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use insta::assert_snapshot;

use super::server::NetBox;
use crate::harness::Folder;

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
    for token in ["", "V2", "ADMIN"] {
        insta::allow_duplicates!(assert_snapshot!(check(&netbox.url, netbox.token(token)), @r#"
        URL, NetBox 4.7.3, netbox-circuitmaintenance 0.8.0
          NetBox         fine
          token          fine
          plugin         fine
          providers      fine
          circuits       fine
          changelog      fine
          maintenances   fine
          impacts        fine
          notifications  fine
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
      token          fine
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
    exit code 1
    "#);
    assert_snapshot!(check(&netbox.url, netbox.token("NO_RIGHTS")), @r#"
    URL, NetBox 4.7.3, netbox-circuitmaintenance 0.8.0
      NetBox         fine
      token          fine
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
      token          fine
      plugin         wrong: neither `netbox_circuitmaintenance` nor `notices` is installed
                     hint: install netbox-circuitmaintenance 0.8
    exit code 1
    "#);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_snapshot!(check(&format!("http://{nobody}"), "t"), @r#"
    URL
      NetBox         wrong: io: Connection refused (os error 111)
                     hint: the address is NETBOX_URL; a certificate of your own CA goes into NETBOX_CA
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
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r#"{"netboxes":{"http://127.0.0.1:9":{"checks":[{"fault":"io: Connection refused (os error 111)","hint":"the address is NETBOX_URL; a certificate of your own CA goes into NETBOX_CA","subject":"NetBox"}],"netbox":null,"plugin":null}},"version":1}"#);
}
