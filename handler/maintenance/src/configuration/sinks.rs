//! The kinds of sinks. Their settings are in their own folders.

use contract::context::Context;
use runtime::environment::Reader;

use crate::sinks::{SINK, calendar, netbox, webhook};

/// A sink, with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkKind {
    /// Writes JSON lines to the log.
    Lines,
    /// Delivers notices to a NetBox.
    NetBox(netbox::settings::Settings),
    /// Posts to a web server.
    Webhook(webhook::settings::Settings),
    /// Writes an iCalendar file into a bucket.
    Calendar(calendar::settings::Settings),
}

/// Reads the sinks and their settings.
pub(super) fn sinks(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<Vec<SinkKind>> {
    let list = reader.required(SINK)?;
    let names: Vec<&str> = list.split(',').map(str::trim).collect();
    let mut sinks = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|other| other == name) {
            reader.problem(SINK, format!("names `{name}` twice"));
            continue;
        }
        sinks.push(match *name {
            "lines" => Some(SinkKind::Lines),
            "netbox" => netbox::settings::Settings::read(reader, context).map(SinkKind::NetBox),
            "webhook" => webhook::settings::Settings::read(reader, context).map(SinkKind::Webhook),
            "calendar" => calendar::settings::Settings::read(reader, context, names.len() == 1).map(SinkKind::Calendar),
            other => {
                reader
                    .problem(SINK, format!("is `{other}`, supported are `lines`, `netbox`, `webhook` and `calendar`"));
                None
            }
        });
    }
    sinks.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{environment, read},
        *,
    };
    use contract::context;
    use runtime::environment::SecretPlace;

    use crate::sinks::{
        netbox::settings::{NETBOX_PROVIDERS, NETBOX_TOKEN, NETBOX_URL},
        webhook::settings::{WEBHOOK_SECRET, WEBHOOK_URL},
    };

    #[test]
    fn the_sink_netbox_needs_an_address_and_a_token() {
        let netbox = |changes: &[(&'static str, &'static str)]| {
            let mut all = vec![(SINK, "netbox"), (NETBOX_URL, "https://netbox.example/"), (NETBOX_TOKEN, "abc")];
            all.extend(changes);
            read(&environment(&all))
        };
        let SinkKind::NetBox(settings) =
            netbox(&[(NETBOX_PROVIDERS, "telia=arelion, x y = Y Z")]).unwrap().sinks.remove(0)
        else {
            panic!("another sink")
        };
        assert_eq!(
            (settings.url.expose(), &settings.token),
            ("https://netbox.example/", &SecretPlace::Given("abc".into()))
        );
        assert_eq!(
            settings.providers,
            [("telia", "arelion"), ("x y", "Y Z")].map(|(a, b)| (a.to_owned(), b.to_owned())).into()
        );
        assert!(!format!("{settings:?}").contains("abc"), "the token is shown nowhere");
        let secret = r#"{"stack":"s","function":"f","mail":[{"bucket":"b","prefix":""}],"secrets":{"NETBOX_TOKEN":"netbox/token"}}"#;
        let SinkKind::NetBox(settings) =
            netbox(&[(context::VARIABLE, secret), (NETBOX_TOKEN, "")]).unwrap().sinks.remove(0)
        else {
            panic!("another sink")
        };
        assert_eq!(settings.token, SecretPlace::SecretsManager("netbox/token".to_owned()));
        let table = [
            (NETBOX_URL, "", "is missing"),
            (NETBOX_URL, "netbox.example", "expected an address"),
            (NETBOX_URL, "http://netbox.example", "is `http://netbox.example`"),
            (NETBOX_URL, "http://localhost.example", "expected an address"),
            (NETBOX_URL, "https://me:secret@netbox.example", "expected an address"),
            (NETBOX_TOKEN, "", "the function's `secrets` can name it"),
            (NETBOX_TOKEN, "a b", "is not an API token"),
            (NETBOX_PROVIDERS, "telia", "expected `OURS=THEIRS`"),
        ];
        for (variable, value, fault) in table {
            let error = netbox(&[(variable, value)]).unwrap_err();
            assert!(error.to_string().contains(fault), "{variable}={value}: {error}");
        }
        assert!(netbox(&[(NETBOX_URL, "http://127.0.0.1:8000")]).is_ok());
    }

    #[test]
    fn the_other_sinks_report_their_missing_variables() {
        const NONE: &str = r#"{"stack":"s","function":"f","mail":[{"bucket":"b","prefix":""}]}"#;
        const PLACES: &str = r#"{"stack":"s","function":"f","mail":[{"bucket":"b","prefix":""}],
            "writes":[{"bucket":"b","prefix":"unmatched/"},{"bucket":"b","prefix":"calendar/"}]}"#;
        let all = |changes: &[(&'static str, &'static str)]| {
            let mut all = vec![
                (context::VARIABLE, PLACES),
                (SINK, "webhook, calendar"),
                (WEBHOOK_URL, "https://hooks.example/in?key=1"),
                (WEBHOOK_SECRET, "whsec_abc"),
            ];
            all.extend(changes);
            read(&environment(&all))
        };
        let sinks = all(&[]).unwrap().sinks;
        let [SinkKind::Webhook(webhook), SinkKind::Calendar(calendar)] = &sinks[..] else { panic!("{sinks:?}") };
        assert_eq!(webhook.url.expose(), "https://hooks.example/in?key=1");
        assert_eq!((calendar.name.as_str(), calendar.place.prefix.as_str()), ("s", "calendar/"));
        assert!(calendar.unmatched.is_some() && !format!("{webhook:?}").contains("abc"));
        let table: [(&[(&'static str, &'static str)], &str); 5] = [
            (&[(WEBHOOK_URL, "http://hooks.example/")], "`WEBHOOK_URL` is `http://hooks.example`: it is not encrypted"),
            (&[(WEBHOOK_SECRET, "abc")], "`WEBHOOK_SECRET` is not a webhook secret"),
            (&[(WEBHOOK_SECRET, "")], "the function's `secrets` can name it"),
            (&[(context::VARIABLE, NONE)], "no prefix that ends in `calendar/`"),
            (
                &[(SINK, "calendar"), (context::VARIABLE, NONE)],
                "no prefix that ends in `calendar/`, and none that ends in `unmatched/`; declare `writes: [{bucket: mail, \
                 prefix: calendar/}, {bucket: mail, prefix: unmatched/}]`",
            ),
        ];
        for (changes, fault) in table {
            let error = all(changes).unwrap_err();
            assert!(error.to_string().contains(fault), "{changes:?}: {error}");
        }
    }
}
