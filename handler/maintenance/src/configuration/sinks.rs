//! Which sinks there are, and what each needs to know.

use std::collections::BTreeMap;

use contract::context::{Context, Place};
use runtime::environment::{Reader, SecretPlace};

/// Where notices go: one or several of `lines`, `netbox`, `webhook` and `calendar`, separated by commas.
pub const SINK: &str = "SINK";

/// For the sink `netbox`: where NetBox is, `https://…` (`http://` on this machine only).
pub const NETBOX_URL: &str = "NETBOX_URL";
/// Its API token. In AWS a secret of the declaration, which names it in [`Context::secrets`]; the value itself only for trying things out.
pub const NETBOX_TOKEN: &str = "NETBOX_TOKEN";
/// Certificates that are trusted besides the public ones, as PEM.
pub const NETBOX_CA: &str = "NETBOX_CA";
/// `OURS=THEIRS, …`: our slug of a provider (or the name that its calendars give) and NetBox's slug or name of it.
pub const NETBOX_PROVIDERS: &str = "NETBOX_PROVIDERS";
/// Which plugin it has: `circuitmaintenance` or `notices`. Without this it is found out.
pub const NETBOX_PLUGIN: &str = "NETBOX_PLUGIN";

/// For the sink `webhook`: where documents are sent to, as [`NETBOX_URL`].
pub const WEBHOOK_URL: &str = "WEBHOOK_URL";
/// What they are signed with, as [`NETBOX_TOKEN`]: `whsec_` and base64.
pub const WEBHOOK_SECRET: &str = "WEBHOOK_SECRET";
/// As [`NETBOX_CA`].
pub const WEBHOOK_CA: &str = "WEBHOOK_CA";

/// For the sink `calendar`: what people call the calendar; without this the stack's name.
pub const CALENDAR_NAME: &str = "CALENDAR_NAME";

/// Where notices go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkKind {
    /// To the log, as JSON lines.
    Lines,
    /// To NetBox.
    NetBox(NetBoxSettings),
    /// To a server of your own.
    Webhook(WebhookSettings),
    /// To an iCalendar file in a bucket.
    Calendar(CalendarSettings),
}

/// How to reach NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetBoxSettings {
    /// Without a slash at its end.
    pub url: String,
    /// Where the token is.
    pub token: SecretPlace,
    /// Certificates that are trusted besides the public ones, as PEM.
    pub ca: Option<String>,
    /// Our slug or the calendar's name → NetBox's slug or name.
    pub providers: BTreeMap<String, String>,
    /// Which plugin it has; `None`: find out.
    pub plugin: Option<Plugin>,
    /// Where mails for a person are kept if the plugin has no queue of them.
    pub unmatched: Option<Place>,
}

/// NetBox's plugins for maintenances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// `netbox-circuitmaintenance`.
    CircuitMaintenance,
    /// `netbox-notices`.
    Notices,
}

/// How to reach a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// With its path.
    pub url: String,
    /// Where the secret is.
    pub secret: SecretPlace,
    /// Certificates that are trusted besides the public ones, as PEM.
    pub ca: Option<String>,
}

/// Which calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSettings {
    /// What people call it.
    pub name: String,
    /// Where its file is.
    pub place: Place,
    /// Where mails for a person are kept; `None` if another sink sees to them.
    pub unmatched: Option<Place>,
}

/// Reads which sinks there are, and the settings of each.
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
            "netbox" => netbox(reader, context).map(SinkKind::NetBox),
            "webhook" => webhook(reader, context).map(SinkKind::Webhook),
            "calendar" => calendar(reader, context, names.len() == 1).map(SinkKind::Calendar),
            other => {
                reader
                    .problem(SINK, format!("is `{other}`, supported are `lines`, `netbox`, `webhook` and `calendar`"));
                None
            }
        });
    }
    sinks.into_iter().collect()
}

fn netbox(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<NetBoxSettings> {
    let url = reader.url(NETBOX_URL, "https://netbox.example.com", false);
    let url = url.map(|url| url.trim_end_matches('/').to_owned());
    let is_token = |token: &str| token.chars().all(|letter| letter.is_ascii_graphic());
    let token = reader.secret(NETBOX_TOKEN, context, is_token, "is no API token of NetBox");
    let providers = netbox_providers(reader);
    let plugin = match reader.optional(NETBOX_PLUGIN).as_deref().map(str::trim) {
        None => Some(None),
        Some("circuitmaintenance") => Some(Some(Plugin::CircuitMaintenance)),
        Some("notices") => Some(Some(Plugin::Notices)),
        Some(other) => {
            reader.problem(NETBOX_PLUGIN, format!("is `{other}`, supported are `circuitmaintenance` and `notices`"));
            None
        }
    };
    let ca = reader.optional(NETBOX_CA);
    let unmatched = context.and_then(Context::unmatched).cloned();
    Some(NetBoxSettings { url: url?, token: token?, ca, providers: providers?, plugin: plugin?, unmatched })
}

fn webhook(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<WebhookSettings> {
    let url = reader.url(WEBHOOK_URL, "https://maintenance.example.com/notices", true);
    let is_secret = |secret: &str| secret.starts_with("whsec_");
    let malformed = "is not a webhook secret, which begins with `whsec_`";
    let secret = reader.secret(WEBHOOK_SECRET, context, is_secret, malformed);
    let ca = reader.optional(WEBHOOK_CA);
    Some(WebhookSettings { url: url?, secret: secret?, ca })
}

/// `alone`: no other sink sees to mails for a person.
fn calendar(reader: &mut Reader<'_>, context: Option<&Context>, alone: bool) -> Option<CalendarSettings> {
    let context = context?;
    let unmatched = context.unmatched().cloned();
    if context.calendar().is_none() {
        reader.problem(SINK, "is `calendar`, and the function's `writes` names no prefix that ends in `calendar/`");
    }
    if alone && unmatched.is_none() {
        let fault = "is `calendar` alone, and the function's `writes` names no prefix that ends in `unmatched/`, \
                     where mails for a person would be kept";
        reader.problem(SINK, fault);
        return None;
    }
    let name = reader.optional(CALENDAR_NAME).map(|name| name.trim().to_owned());
    let name = name.unwrap_or_else(|| context.stack.clone());
    Some(CalendarSettings { name, place: context.calendar()?.clone(), unmatched })
}

fn netbox_providers(reader: &mut Reader<'_>) -> Option<BTreeMap<String, String>> {
    let mut providers = BTreeMap::new();
    for entry in reader.list(NETBOX_PROVIDERS) {
        match entry.split_once('=').map(|(ours, theirs)| (ours.trim(), theirs.trim())) {
            Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
                providers.insert(ours.to_owned(), theirs.to_owned());
            }
            _ => {
                reader.problem(NETBOX_PROVIDERS, format!("has `{entry}`, expected `OURS=THEIRS`"));
                return None;
            }
        }
    }
    Some(providers)
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{environment, read},
        *,
    };
    use contract::context;
    use runtime::environment::Secret;

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
            (settings.url.as_str(), &settings.token),
            ("https://netbox.example", &SecretPlace::Given(Secret("abc".to_owned())))
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
            (NETBOX_URL, "netbox.example", "is `netbox.example`"),
            (NETBOX_URL, "http://netbox.example", "is `http://netbox.example`"),
            (NETBOX_URL, "http://localhost.example", "expected an address"),
            (NETBOX_URL, "https://me:secret@netbox.example", "expected an address"),
            (NETBOX_TOKEN, "", "the function's `secrets` can name it"),
            (NETBOX_TOKEN, "a b", "is no API token"),
            (NETBOX_PROVIDERS, "telia", "expected `OURS=THEIRS`"),
        ];
        for (variable, value, fault) in table {
            let error = netbox(&[(variable, value)]).unwrap_err();
            assert!(error.to_string().contains(fault), "{variable}={value}: {error}");
        }
        assert!(netbox(&[(NETBOX_URL, "http://127.0.0.1:8000")]).is_ok());
    }

    #[test]
    fn the_other_sinks_say_what_they_lack() {
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
        assert_eq!(webhook.url, "https://hooks.example/in?key=1");
        assert_eq!((calendar.name.as_str(), calendar.place.prefix.as_str()), ("s", "calendar/"));
        assert!(calendar.unmatched.is_some() && !format!("{webhook:?}").contains("abc"));
        let table: [(&[(&'static str, &'static str)], &str); 5] = [
            (
                &[(WEBHOOK_URL, "http://hooks.example/")],
                "`WEBHOOK_URL` is `http://hooks.example/`, expected an address",
            ),
            (&[(WEBHOOK_SECRET, "abc")], "`WEBHOOK_SECRET` is not a webhook secret"),
            (&[(WEBHOOK_SECRET, "")], "the function's `secrets` can name it"),
            (&[(context::VARIABLE, NONE)], "no prefix that ends in `calendar/`"),
            (&[(SINK, "calendar"), (context::VARIABLE, NONE)], "no prefix that ends in `unmatched/`"),
        ];
        for (changes, fault) in table {
            let error = all(changes).unwrap_err();
            assert!(error.to_string().contains(fault), "{changes:?}: {error}");
        }
    }
}
