//! Tests profiles: every way in which credentials can be wrong, and what the person reads then.

use std::{fs, sync::Arc};

use serde_json::json;

use super::{
    DECLARATION, KEYS, Row,
    servers::{Server, answer},
};
use crate::{
    emulator::server::Emulator,
    harness::{Folder, Run},
};

const CONFIG: &str = "\
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = developer
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.example/start
sso_registration_scopes = sso:account:access
[profile former]
sso_start_url = https://former.example/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = developer
[profile former-late]
sso_start_url = https://late.example/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = developer
[profile of-sso]
role_arn = arn:aws:iam::123456789012:role/deploys
source_profile = sso
[profile console]
login_session = arn:aws:iam::123456789012:user/admin
[profile console-late]
login_session = arn:aws:iam::123456789012:user/late
[profile console-never]
login_session = arn:aws:iam::123456789012:user/never
[profile process]
credential_process = cat process.json
[profile process-fails]
credential_process = sh -c 'echo the vault is locked >&2; exit 3'
[profile process-talks]
credential_process = echo welcome
[profile keys]
aws_access_key_id = test
aws_secret_access_key = test
[profile half]
aws_access_key_id = test
[profile code]
role_arn = arn:aws:iam::123456789012:role/deploys
source_profile = keys
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile refused]
role_arn = arn:aws:iam::123456789012:role/deploys
source_profile = keys
[profile no-source]
role_arn = arn:aws:iam::123456789012:role/deploys
[profile dangling]
role_arn = arn:aws:iam::123456789012:role/deploys
source_profile = nobody
[profile only-region]
region = eu-west-1
";

/// Returns the name of the cache's file: the digest of what the login is of.
fn cached(of: &str, digest: &str) -> String {
    let tool = format!("printf %s '{of}' | {digest} | cut -d' ' -f1");
    let output = std::process::Command::new("sh").args(["-c", &tool]).output().unwrap();
    format!("{}.json", String::from_utf8(output.stdout).unwrap().trim())
}

/// A home folder with profiles, and with logins of which some have run out.
fn home() -> Folder {
    let folder = Folder::with_declaration(DECLARATION);
    for path in [".aws", ".aws/sso", ".aws/sso/cache", ".aws/login", ".aws/login/cache"] {
        fs::create_dir(folder.path(path)).unwrap();
    }
    folder.write(".aws/config", CONFIG);
    let keys = json!({"Version": 1, "AccessKeyId": "test", "SecretAccessKey": "test"});
    folder.write("process.json", keys.to_string());
    let token = json!({"accessToken": "token", "expiresAt": "2021-01-05T10:15:30Z", "region": "eu-west-1", "startUrl": "https://late.example/start"});
    for of in ["corp", "https://late.example/start"] {
        folder.write(&format!(".aws/sso/cache/{}", cached(of, "sha1sum")), token.to_string());
    }
    for (user, expires) in [("admin", "2199-01-05T10:15:30Z"), ("late", "2021-01-05T10:15:30Z")] {
        let login = json!({
            "accessToken": {"accessKeyId": "test", "secretAccessKey": "test", "sessionToken": "token", "accountId": "123456789012", "expiresAt": expires},
            "tokenType": "aws_sigv4", "refreshToken": "r", "identityToken": "i", "clientId": "aws:signin:::cli/same-device", "dpopKey": "none",
        });
        let name = cached(&format!("arn:aws:iam::123456789012:user/{user}"), "sha256sum");
        folder.write(&format!(".aws/login/cache/{name}"), login.to_string());
    }
    folder
}

fn run(folder: &Folder, endpoint: &str, environment: &[(&str, &str)]) -> Run {
    let mut command = folder.command(&["status"]);
    // The path is that of `credential_process`.
    command.env("HOME", folder.path("")).env("PATH", "/usr/bin:/bin").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ENDPOINT_URL", endpoint).env("PROVISION_PACING_MS", "20").envs(environment.iter().copied());
    folder.finish(&["status"], command.output().unwrap())
}

#[test]
fn every_kind_of_profile_gives_credentials() {
    let Some(emulator) = Emulator::start() else { return };
    let home = home();
    for profile in ["keys", "process", "console"] {
        let run = run(&home, &emulator.url, &[("AWS_PROFILE", profile)]);
        assert_eq!(run.code(), Some(0), "{profile}\n{run}");
        assert!(!run.stderr().contains("error:"), "{profile}\n{run}");
    }
    // What the environment holds comes first, whatever the profile.
    let run = run(&home, &emulator.url, &[&KEYS[..], &[("AWS_PROFILE", "nobody")]].concat());
    assert_eq!(run.code(), Some(0), "{run}");
}

/// Returns STS's refusal of a call.
fn refusal(status: &str, code: &str, message: &str) -> Vec<u8> {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    answer(status, "text/xml", &body)
}

#[test]
fn every_fault_of_credentials_is_told_with_what_to_do() {
    let denying = Server::plain(Arc::new(|_| {
        refusal("403 Forbidden", "AccessDenied", "not authorized to perform: sts:AssumeRole")
    }));
    let home = home();
    let table: &[Row<'_>] = &[
        (
            &[("AWS_PROFILE", "sos")],
            &[
                "error: Failed to find the AWS profile `sos`, which `AWS_PROFILE` names",
                "hint: the profiles of `~/.aws/config` and `~/.aws/credentials` are `code`, `console`",
                "`sso`",
            ],
        ),
        (&[("AWS_PROFILE", "sso")], &["SSO token", "hint: log in again: `aws sso login --profile sso`"]),
        (&[("AWS_PROFILE", "former")], &["hint: log in again: `aws sso login --profile former`"]),
        (&[("AWS_PROFILE", "former-late")], &["hint: log in again: `aws sso login --profile former-late`"]),
        (&[("AWS_PROFILE", "of-sso")], &["hint: log in again: `aws sso login --profile sso`"]),
        (&[("AWS_PROFILE", "console-never")], &["hint: log in again: `aws login --profile console-never`"]),
        (&[("AWS_PROFILE", "console-late")], &["hint: log in again: `aws login --profile console-late`"]),
        (
            &[("AWS_PROFILE", "code")],
            &[
                "profile `code` asks for a code (`mfa_serial`)",
                "aws configure export-credentials --profile code --format env",
            ],
        ),
        (
            &[("AWS_PROFILE", "process-fails")],
            &["the vault is locked", "`credential_process` of profile `process-fails` must print"],
        ),
        (
            &[("AWS_PROFILE", "process-talks")],
            &["`credential_process` of profile `process-talks` must print credentials as JSON"],
        ),
        (&[("AWS_PROFILE", "half")], &["aws_secret_access_key", "hint: mend profile `half`"]),
        (&[("AWS_PROFILE", "no-source")], &["source_profile", "hint: mend profile `no-source`"]),
        (&[("AWS_PROFILE", "dangling")], &["profile `dangling` has `source_profile = nobody`", "are `code`"]),
        (
            &[("AWS_PROFILE", "refused")],
            &[
                "hint: the credentials of profile `keys` may not assume `arn:aws:iam::123456789012:role/deploys`: look at the trust \
                 policy",
            ],
        ),
        (
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", "infra.yaml"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")],
            &[
                "`AWS_WEB_IDENTITY_TOKEN_FILE` may not assume `arn:aws:iam::123456789012:role/ci`: look at the trust policy",
            ],
        ),
        (&[("AWS_PROFILE", "only-region")], &["hint: set up credentials as for every AWS tool", "`sso`"]),
        (&[("AWS_CONFIG_FILE", "/nonexistent")], &["hint: set up credentials as for every AWS tool"]),
        (
            &[("AWS_CONFIG_FILE", "/nonexistent"), ("AWS_PROFILE", "sso")],
            &["Failed to find the AWS profile `sso`", "has a profile"],
        ),
        (&[("AWS_ACCESS_KEY_ID", "test")], &["hint: `AWS_ACCESS_KEY_ID` is set and `AWS_SECRET_ACCESS_KEY` is not"]),
        (
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ci")],
            &["the file that `AWS_WEB_IDENTITY_TOKEN_FILE` names cannot be read"],
        ),
    ];
    for (environment, expected) in table {
        let run = run(&home, &denying.url(), environment);
        assert_eq!(run.code(), Some(2), "{environment:?}\n{run}");
        for words in *expected {
            assert!(run.stderr().contains(words), "{words}\n{run}");
        }
    }
    home.write(".aws/broken", "[profile a\nkey = value\n");
    let broken = home.path(".aws/broken").display().to_string();
    let run = run(&home, &denying.url(), &[("AWS_CONFIG_FILE", &broken)]);
    assert_eq!(run.code(), Some(2), "{run}");
    for words in ["Failed to read the profiles of AWS", "broken on line 1", "hint: mend the file"] {
        assert!(run.stderr().contains(words), "{words}\n{run}");
    }
}

#[test]
fn every_refusal_of_credentials_is_told_with_what_to_do() {
    let home = home();
    let skewed = "Signature expired: 20270105T101530Z is now earlier than 20270105T102030Z";
    let table = [
        (
            "403 Forbidden",
            "ExpiredToken",
            "The security token included in the request is expired",
            "have run out: get new ones",
        ),
        (
            "403 Forbidden",
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "AWS does not know the access key of",
        ),
        (
            "403 Forbidden",
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match",
            "is not that of its access key",
        ),
        ("403 Forbidden", "SignatureDoesNotMatch", skewed, "the clock of this machine is wrong"),
        ("403 Forbidden", "AccessDenied", "explicit deny", "may not do this"),
    ];
    for (status, code, message, expected) in table {
        let server = Server::plain(Arc::new(move |_| refusal(status, code, message)));
        let places: [(&[(&str, &str)], &str); 2] =
            [(&KEYS, "the environment (`AWS_ACCESS_KEY_ID`)"), (&[("AWS_PROFILE", "keys")], "profile `keys`")];
        for (environment, place) in places {
            let run = run(&home, &server.url(), environment);
            assert_eq!(run.code(), Some(2), "{run}");
            assert!(run.stderr().contains("hint: ") && run.stderr().contains(expected), "{expected}\n{run}");
            assert!(expected.contains("clock") || run.stderr().contains(place), "{place}\n{run}");
        }
    }
    // Whoever logs in does so again.
    let server = Server::plain(Arc::new(|_| refusal("403 Forbidden", "ExpiredToken", "expired")));
    let run = run(&home, &server.url(), &[("AWS_PROFILE", "console")]);
    assert!(run.stderr().contains("hint: log in again: `aws login --profile console`"), "{run}");
}
