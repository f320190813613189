//! Every scheme, and everything that must not pass.

use contract::{secret::Secret, webhook::Scheme};
use proptest::{collection::vec, prelude::*, proptest};
use replaced::Replaced as _;
use webhook::{Draft, NotSigned, Refused, Stamp, TOLERANCE, sign};

use crate::schemes::{BODY, Example, NOW, Sent, examples};

#[test]
fn a_request_that_is_signed_so_passes_and_no_other_does() {
    for example in examples() {
        let Example { name, scheme, secret, other, .. } = &example;
        let sent = Sent::of(&example);
        assert_eq!(sent.verified(scheme, secret), Ok(()), "{name}");
        assert_eq!(sent.verified(scheme, other), Err(Refused::Mismatch), "{name}: another secret");
        for (secret, called) in [("", "empty"), (" \n\t\r\n ", "blank")] {
            assert_eq!(sent.verified(scheme, secret), Err(Refused::NoKey), "{name}: {called} secret");
        }
        for (secrets, called) in [
            (format!("{other}\n{secret}\n"), "behind another"),
            (format!("\r\n  {secret}\r\n{other}"), "before another, with white space"),
        ] {
            assert_eq!(sent.verified(scheme, &secrets), Ok(()), "{name}: a secret {called}");
        }
        let longer = format!("{other}\n{other}");
        assert_eq!(sent.verified(scheme, &longer), Err(Refused::Mismatch), "{name}: two other secrets");
    }
}

#[test]
fn a_changed_body_passes_where_nobody_signs_it_and_nowhere_else() {
    for example in examples() {
        for changed in [&br#"{"id":"016f6063-51a1-4948-a827-ce4c31ec53ee"}"#[..], b"", &[BODY, b" "].concat()] {
            let mut sent = Sent::of(&example);
            sent.body = changed.to_vec();
            let expected = if example.signs_body { Err(Refused::Mismatch) } else { Ok(()) };
            assert_eq!(sent.verified(&example.scheme, example.secret), expected, "{}", example.name);
        }
    }
}

#[test]
fn a_time_bounds_how_long_a_request_counts() {
    for example in examples() {
        for (time, is_timely) in [
            (NOW - TOLERANCE, true),
            (NOW + TOLERANCE, true),
            (NOW - TOLERANCE - 1, false),
            (NOW + TOLERANCE + 1, false),
            (0, false),
            (u64::MAX, false),
        ] {
            let sent = Sent::new(&example, example.secret, time, BODY, "application/json");
            let expected = if is_timely || !example.signs_time { Ok(()) } else { Err(Refused::Untimely) };
            assert_eq!(sent.verified(&example.scheme, example.secret), expected, "{} at {time}", example.name);
        }
        // A time that was changed is another message.
        let sent = Sent::of(&example);
        for changed in ["1800000001", "+1800000000", "1800000000.0", "", "-1", "99999999999999999999"] {
            let mut sent = sent.clone();
            for (_, value) in &mut sent.headers {
                *value = value.replace("1800000000", changed);
            }
            assert_eq!(
                sent.verified(&example.scheme, example.secret).is_err(),
                example.signs_time,
                "{}: {changed}",
                example.name
            );
        }
    }
}

#[test]
fn each_header_of_a_proof_must_be_there_once_in_any_case_of_its_name() {
    for example in examples() {
        let (name, scheme, secret) = (example.name, &example.scheme, example.secret);
        let sent = Sent::of(&example);
        let proof: Vec<usize> = (0..sent.headers.len()).filter(|at| sent.headers[*at].0 != "Content-Type").collect();
        assert_eq!(proof.is_empty(), *scheme == Scheme::Path, "{name}");
        for at in proof {
            let header = sent.headers[at].clone();
            let mut changed = sent.clone();
            changed.headers.remove(at);
            assert!(matches!(changed.verified(scheme, secret), Err(Refused::Missing(_))), "{name} without {header:?}");

            for shape in [str::to_ascii_lowercase, str::to_ascii_uppercase] {
                changed = sent.clone();
                changed.headers[at].0 = shape(&header.0);
                assert_eq!(changed.verified(scheme, secret), Ok(()), "{name}, {}", changed.headers[at].0);
            }

            // An HTTP API joins repeated headers with commas, a REST API hands on each.
            let joined = format!("{0},{0}", header.1);
            for (called, more, value) in [
                ("twice", 1, header.1.clone()),
                ("joined", 0, joined),
                ("empty", 0, String::new()),
                ("odd", 0, "ü".into()),
            ] {
                changed = sent.clone();
                changed.headers[at].1.clone_from(&value);
                changed.headers.extend(std::iter::repeat_n((header.0.clone(), value), more));
                assert!(changed.verified(scheme, secret).is_err(), "{name}: {} {called}", header.0);
            }
        }
        if *scheme == Scheme::Path {
            for token in [None, Some(""), Some("example"), Some(example.other)] {
                let changed = Sent { token: token.map(str::to_owned), ..sent.clone() };
                assert!(changed.verified(scheme, secret).is_err(), "{name}: {token:?}");
            }
        }
    }
}

#[test]
fn a_code_counts_for_its_own_scheme_and_for_several_keys_at_once() {
    let examples = examples();
    let by_name = |name: &str| examples.iter().find(|example| example.name == name).unwrap();
    for (name, header, old, new) in [
        ("standard-webhooks", "webhook-signature", "v1,", "v1a,AAAA v2,AAAA v1,c29tZSBvdGhlciBjb2Rl v1,"),
        ("svix", "svix-signature", "v1,", "v1,c29tZSBvdGhlciBjb2Rl v1,"),
        ("stripe", "Stripe-Signature", "v1=", "v0=00,v1=0011,v1="),
    ] {
        let example = by_name(name);
        let mut sent = Sent::of(example);
        let value = &mut sent.headers.iter_mut().find(|(known, _)| known == header).unwrap().1;
        assert!(value.contains(old));
        *value = value.replace(old, new);
        assert_eq!(sent.verified(&example.scheme, example.secret), Ok(()), "{name}");
    }
    for (name, old, new) in [
        ("github", "sha256=", ""),
        ("github", "sha256=", "sha1="),
        ("slack", "v0=", "v1="),
        ("stripe", "v1=", "v0="),
        ("stripe", "t=1800000000", "t=1800000000,t=1800000000"),
        ("standard-webhooks", "v1,", "v1a,"),
        ("standard-webhooks", "v1,", "v1"),
        ("bearer", "Bearer ", "Basic "),
        ("bearer", "Bearer ", "Bearer"),
        ("bearer", "Bearer ", "Bearer x"),
    ] {
        let example = by_name(name);
        let mut sent = Sent::of(example);
        let before = sent.headers.clone();
        for (_, value) in &mut sent.headers {
            *value = value.replace(old, new);
        }
        assert_ne!(before, sent.headers, "{name}");
        assert!(sent.verified(&example.scheme, example.secret).is_err(), "{name}: {old} as {new}");
    }
}

#[test]
fn twilio_signs_the_address_and_the_form_or_the_hash_of_the_body() {
    let examples = examples();
    let twilio = examples.iter().find(|example| example.name == "twilio").unwrap();
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let sent = Sent::new(twilio, twilio.secret, NOW, b"b=2&a=1+%2B", form);
    let verified = |change: &dyn Fn(&mut Sent)| {
        let mut sent = sent.clone();
        change(&mut sent);
        sent.verified(&twilio.scheme, twilio.secret)
    };
    assert_eq!(verified(&|_| {}), Ok(()));
    assert_eq!(verified(&|sent| sent.body = b"a=1%20%2b&b=2".to_vec()), Ok(()), "the same form");
    assert_eq!(verified(&|sent| sent.url = sent.url.replaced(".com/", ".com:443/")), Ok(()), "the same address");
    for (called, change) in [
        ("another field", &(|sent: &mut Sent| sent.body = b"b=3&a=1+%2B".to_vec()) as &dyn Fn(&mut Sent)),
        ("one more field", &|sent| sent.body.extend(b"&c=1")),
        ("another host", &|sent| sent.url = sent.url.replaced("in.", "out.")),
        ("another query", &|sent| sent.url.push_str("&a=2")),
        ("no form", &|sent| sent.headers[1].1 = "application/json".to_owned()),
        ("no content type", &|sent| sent.headers.truncate(1)),
    ] {
        assert!(verified(change).is_err(), "{called}");
    }
    // What is signed with an empty form says nothing of a body of another type.
    let empty = Sent::new(twilio, twilio.secret, NOW, b"", form);
    let mut changed = empty;
    changed.headers[1].1 = "application/json".to_owned();
    changed.body = BODY.to_vec();
    assert_eq!(changed.verified(&twilio.scheme, twilio.secret), Err(Refused::Missing("bodySHA256")));
    let mut twice = Sent::of(twilio);
    twice.url.push_str("&bodySHA256=00");
    assert_eq!(twice.verified(&twilio.scheme, twilio.secret), Err(Refused::Malformed("bodySHA256")));
}

#[test]
fn a_secret_that_is_no_key_neither_signs_nor_verifies() {
    for example in examples() {
        let sent = Sent::of(&example);
        let is_keyed = matches!(example.scheme, Scheme::StandardWebhooks | Scheme::Svix);
        for secret in ["", "\n", "whsec_", "whsec_???", "whsec_="] {
            let draft = Draft { url: &sent.url, content_type: None, body: BODY };
            let signed = sign(&example.scheme, &Secret::from(secret), draft, Stamp { id: "1", time: NOW });
            let is_key = !secret.trim().is_empty() && !is_keyed;
            assert_eq!(signed.is_ok(), is_key, "{}: {secret:?}", example.name);
            if !is_key {
                assert_eq!(signed.unwrap_err(), NotSigned);
                assert_eq!(sent.verified(&example.scheme, secret), Err(Refused::NoKey), "{}", example.name);
            }
        }
    }
}

#[test]
fn nothing_that_is_shown_has_a_secret_in_it() {
    for example in examples() {
        let sent = Sent::of(&example);
        let draft = Draft { url: &sent.url, content_type: None, body: BODY };
        let signed = sign(&example.scheme, &Secret::from(example.secret), draft, Stamp { id: "1", time: NOW }).unwrap();
        let refused = sent.verified(&example.scheme, example.other).unwrap_err();
        for shown in [format!("{signed:?}"), format!("{refused} {refused:?}")] {
            assert!(!shown.contains(example.secret) && !shown.contains(example.other), "{shown}");
        }
    }
}

proptest! {
    #[test]
    fn no_headers_body_or_secret_panic_or_pass(
        values in vec("[ -~]{0,40}|v1,[A-Za-z0-9+/=]{0,60}|t=[0-9]{0,22},v1=[0-9a-f]{0,70}", 8),
        body in vec(any::<u8>(), 0..60),
        url in "\\PC{0,40}|https://[a-z:0-9]{0,9}/\\PC{0,20}",
    ) {
        let names = [
            "webhook-id", "webhook-timestamp", "webhook-signature", "stripe-signature", "authorization", "x-twilio-signature", "x-code",
            "content-type",
        ];
        let headers: Vec<_> = names.iter().map(ToString::to_string).zip(values).collect();
        let sent = Sent { url, headers, body, token: Some(String::new()) };
        for example in examples() {
            prop_assert!(sent.verified(&example.scheme, example.secret).is_err(), "{}", example.name);
        }
    }

    #[test]
    fn whatever_is_signed_passes(body in vec(any::<u8>(), 0..200), secret in "[!-~]{1,60}", is_form in any::<bool>()) {
        let content_type = if is_form { "application/x-www-form-urlencoded" } else { "text/plain" };
        for example in examples() {
            if matches!(example.scheme, Scheme::StandardWebhooks | Scheme::Svix) || example.scheme == Scheme::Path {
                continue;
            }
            let sent = Sent::new(&example, &secret, NOW, &body, content_type);
            prop_assert_eq!(sent.verified(&example.scheme, &secret), Ok(()), "{}", example.name);
        }
    }
}
