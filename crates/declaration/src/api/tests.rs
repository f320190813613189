//! Tests the reading of `apis`: routes with their defaults, authentication, and mistakes that are told.

use std::path::Path;

use replaced::Replaced as _;

use crate::{Declaration, DeclarationError};

/// A sound declaration, to be made worse.
const SOUND: &str = "\
stack: egress
region: eu-west-1
functions:
  receiver: {crate: receiver, secrets: {WEBHOOK_SECRET: a/secret, OTHER: b/secret}}
  bare: {crate: bare}
apis:
  egress:
    routes:
      - {route: POST /job-complete, invoke: receiver, authentication: {scheme: bearer, secret: WEBHOOK_SECRET}}
";

/// Returns the diagnostics of a declaration, each with its line and its hint; none if it is sound.
fn told(source: &str) -> Vec<String> {
    let list = match Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None) {
        Ok(checked) => {
            return checked
                .warnings
                .map_or(0, |warnings| warnings.list().len())
                .to_string()
                .lines()
                .filter(|count| *count != "0")
                .map(str::to_owned)
                .collect();
        }
        Err(DeclarationError::Invalid(wrong)) => wrong,
        Err(other) => panic!("{other}"),
    };
    let line = |start: usize| source[..start].lines().count().max(1);
    let told = list
        .list()
        .iter()
        .map(|one| format!("{}: {} | {}", line(one.span.start + 1), one.message, one.hint.as_deref().unwrap_or("")));
    told.collect()
}

fn with(old: &str, new: &str) -> Vec<String> {
    assert!(SOUND.contains(old), "{old}");
    told(&SOUND.replaced(old, new))
}

#[test]
fn a_route_has_its_defaults() {
    let checked = Declaration::parse(Path::new("infra.yaml"), SOUND.as_bytes(), None).unwrap();
    let api = &checked.declarations[0].apis["egress"];
    let route = &api.routes[0];
    assert_eq!((route.rate, route.burst, route.sources.len()), (10, 20, 0));
    assert_eq!((route.route.method(), route.route.path(), route.route.has_token()), ("POST", "/job-complete", false));
    assert_eq!((api.stage.as_str(), api.log_retention, api.cors.is_none()), ("$default", 30, true));
}

#[test]
fn every_scheme_is_read_as_functions_read_it() {
    for (written, json) in [
        ("standard-webhooks", r#"{"scheme":"standard-webhooks"}"#),
        ("svix", r#"{"scheme":"svix"}"#),
        ("github", r#"{"scheme":"github"}"#),
        ("gitlab", r#"{"scheme":"gitlab"}"#),
        ("stripe", r#"{"scheme":"stripe"}"#),
        ("slack", r#"{"scheme":"slack"}"#),
        ("shopify", r#"{"scheme":"shopify"}"#),
        ("twilio", r#"{"scheme":"twilio"}"#),
        ("bearer", r#"{"scheme":"bearer"}"#),
        ("hmac, header: X-Code", r#"{"scheme":"hmac","header":"X-Code","algorithm":"sha256","encoding":"hex"}"#),
        (
            "hmac, header: X-Code, algorithm: sha1, encoding: base64, prefix: 'v1='",
            r#"{"scheme":"hmac","header":"X-Code","algorithm":"sha1","encoding":"base64","prefix":"v1="}"#,
        ),
    ] {
        let source = SOUND.replaced("scheme: bearer", &format!("scheme: {written}"));
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let authentication = &checked.declarations[0].apis["egress"].routes[0].authentication;
        assert_eq!(serde_json::to_string(&authentication.scheme).unwrap(), json, "{written}");
        assert_eq!(authentication.secret, "WEBHOOK_SECRET");
    }
    let path = SOUND.replaced("scheme: bearer", "scheme: path").replaced("/job-complete,", "'/in/{token}',");
    assert_eq!(told(&path.replaced("POST '/in/{token}'", "'POST /in/{token}'")), [""; 0]);
}

#[test]
fn a_route_that_would_not_do_what_it_says_is_refused() {
    for (old, new, words) in [
        ("POST /job-complete", "$default", "`$default` would take every request"),
        ("POST /job-complete", "/job-complete", "write `POST /job-complete`"),
        ("POST /job-complete", "post /job-complete", "write `POST /job-complete`"),
        ("POST /job-complete", "GET /job-complete", "as webhooks come"),
        ("POST /job-complete", "ANY /job-complete", "as webhooks come"),
        ("POST /job-complete", "POST job-complete", "a method and a path"),
        ("POST /job-complete", "POST /a/../b", "a method and a path"),
        ("POST /job-complete", "POST /a//b", "a method and a path"),
        ("POST /job-complete", "POST /a/", "a method and a path"),
        ("POST /job-complete", "POST /a?b=c", "a method and a path"),
        ("POST /job-complete", "POST /a b", "a method and a path"),
        ("POST /job-complete", "'POST /{proxy+}'", "write `{proxy+}` out"),
        ("POST /job-complete", "'POST /in/{id}'", "write `{id}` out"),
        ("POST /job-complete", "'POST /in/x{token}'", "write `x{token}` out"),
        ("POST /job-complete", "'POST /{token}/{token}'", "a method and a path"),
        ("POST /job-complete", "'POST /in/{token}'", "no other scheme than `path` checks it"),
        ("scheme: bearer", "scheme: path", "write `route: POST /job-complete/{token}`"),
        ("scheme: bearer", "scheme: hmac", "lacks `header`"),
        ("scheme: bearer", "scheme: github, header: X-Code", "`header` is of scheme `hmac`"),
        ("scheme: bearer", "scheme: github, algorithm: sha1", "`algorithm` is of scheme `hmac`"),
        ("scheme: bearer", "scheme: beerer", "did you mean `bearer`?"),
        ("scheme: bearer, ", "", "lacks `scheme`"),
        (", secret: WEBHOOK_SECRET", "", "lacks `secret`"),
        ("secret: WEBHOOK_SECRET", "secret: WEBHOK_SECRET", "did you mean `WEBHOOK_SECRET`?"),
        ("invoke: receiver", "invoke: bare", "write `secrets: {WEBHOOK_SECRET: ENTRY}` in the function"),
        ("invoke: receiver", "invoke: nobody", "function `nobody` is not declared"),
        (", authentication: {scheme: bearer, secret: WEBHOOK_SECRET}", "", "lacks `authentication`"),
        ("invoke: receiver,", "invoke: receiver, rate: 0,", "`rate` must be a whole number from 1 to 10000"),
        ("invoke: receiver,", "invoke: receiver, burst: 0,", "`burst` must be a whole number from 1 to 5000"),
        ("invoke: receiver,", "invoke: receiver, sources: [],", "take requests from anywhere"),
        ("invoke: receiver,", "invoke: receiver, sources: [203.0.113.7],", "write `203.0.113.7/32`"),
        ("invoke: receiver,", "invoke: receiver, sources: [203.0.113.7/24],", "write `203.0.113.0/24`"),
        ("invoke: receiver,", "invoke: receiver, sources: ['2001:db8::1/32'],", "write `2001:db8::/32`"),
        ("invoke: receiver,", "invoke: receiver, sources: [0.0.0.0/0],", "remove `sources` to allow any"),
        ("invoke: receiver,", "invoke: receiver, sources: [203.0.113.0/33],", "a network in CIDR notation"),
        ("invoke: receiver,", "invoke: receiver, sources: [203.0.113.0/+8],", "a network in CIDR notation"),
        ("invoke: receiver,", "invoke: receiver, sources: [10.0.0.0/8, 10.0.0.0/8],", "is there twice in `sources`"),
        ("    routes:", "    stage: a b\n    routes:", "`$default`, or letters"),
        ("    routes:", "    cors: {methods: [POST]}\n    routes:", "lacks `origins`"),
        ("    routes:", "    cors: {origins: [example.com], methods: [POST]}\n    routes:", "an origin such as"),
        ("    routes:", "    cors: {origins: ['*'], methods: [GET]}\n    routes:", "`POST`, `PUT` or `*`"),
        ("    routes:", "    protekt: true\n    routes:", "did you mean `protect`?"),
        ("  egress:", "  Egress_1:", "the name of an api must be"),
    ] {
        let told = with(old, new);
        assert!(matches!(told.as_slice(), [one] if one.contains(words)), "{new}: {told:#?}");
        let line = told[0].split(':').next().unwrap().parse::<usize>().unwrap();
        assert!((5..=10).contains(&line), "{new}: {told:?}");
    }
}

#[test]
fn routes_are_told_apart_by_their_keys() {
    let route = SOUND.lines().last().unwrap();
    let twice = format!("{SOUND}{}\n", route.replaced("receiver", "receiver, rate: 5"));
    let told_twice = told(&twice);
    assert!(
        matches!(told_twice.as_slice(), [one] if one.contains("10: route `POST /job-complete` is there twice")),
        "{told_twice:?}"
    );
    assert_eq!(told(&format!("{SOUND}{}\n", route.replaced("POST", "PUT"))), [""; 0]);
    let elsewhere = |route: &str| told(&format!("{SOUND}  other:\n    routes:\n{route}\n"));
    assert_eq!(elsewhere(route), [""; 0]);
    for (old, new) in [
        ("WEBHOOK_SECRET", "OTHER"),
        ("scheme: bearer", "scheme: svix"),
        ("invoke: receiver", "invoke: receiver, sources: [10.0.0.0/8]"),
    ] {
        let told = elsewhere(&route.replaced(old, new));
        assert!(
            matches!(told.as_slice(), [one] if one.contains("12: ") && one.contains("another proof")),
            "{new}: {told:?}"
        );
    }
    assert!(told(&SOUND.replaced(&format!("\n{route}"), " []")).concat().contains("has no routes"));
}

#[test]
fn settings_without_effect_behind_a_route_are_told() {
    let source = SOUND.replaced("{crate: receiver, ", "{crate: receiver, retries: 1, ");
    let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
    let warnings = checked.warnings.unwrap();
    assert!(warnings.list()[0].message.contains("`retries` has no effect: API Gateway waits"), "{warnings:?}");
}
