//! The settings of the sink `netbox`.

use std::collections::BTreeMap;

use contract::{
    address::{Address, Query},
    context::{Context, Place},
};
use runtime::environment::{Reader, SecretPlace};

/// Variable: address of NetBox, `https://…` (`http://` on this machine only).
pub const NETBOX_URL: &str = "NETBOX_URL";
/// Variable: API token of NetBox. In AWS a secret of the declaration, which names it in [`Context::secrets`]; the value itself for trials
/// only.
pub const NETBOX_TOKEN: &str = "NETBOX_TOKEN";
/// Variable: certificates that are trusted besides the public ones, as PEM.
pub const NETBOX_CA: &str = "NETBOX_CA";
/// Variable: `OURS=THEIRS, …`, our slug of a provider (or the name that its calendars give) and NetBox's slug or name of it.
pub const NETBOX_PROVIDERS: &str = "NETBOX_PROVIDERS";
/// Variable: name of the custom field of circuits that holds other names of them, separated by commas or on lines of their own.
pub const NETBOX_CIRCUIT_ALIASES: &str = "NETBOX_CIRCUIT_ALIASES";
/// Variable: plugin for maintenances, `circuitmaintenance` or `notices`. By default it is found out.
pub const NETBOX_PLUGIN: &str = "NETBOX_PLUGIN";

/// The settings of a NetBox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address of the NetBox that is written to.
    pub url: Address,
    /// Place of the token.
    pub token: SecretPlace,
    /// Certificates that are trusted besides the public ones, as PEM.
    pub ca: Option<String>,
    /// Our slug or the calendar's name → NetBox's slug or name.
    pub providers: BTreeMap<String, String>,
    /// Custom field of circuits with other names of them; `None` if there is none.
    pub aliases: Option<String>,
    /// Plugin for maintenances; `None` finds it out.
    pub plugin: Option<Plugin>,
    /// Place of mails for a person if the plugin has no queue of them.
    pub unmatched: Option<Place>,
    /// Place of the memory of events; `None` if the function remembers none.
    pub state: Option<Place>,
}

/// The plugins for maintenances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// The plugin `netbox-circuitmaintenance`.
    CircuitMaintenance,
    /// The plugin `netbox-notices`.
    Notices,
}

impl Settings {
    /// Reads the settings from the environment.
    pub fn read(reader: &mut Reader<'_>, context: Option<&Context>) -> Option<Self> {
        let url = reader.url(NETBOX_URL, "https://netbox.example.com", Query::Refused);
        let is_token = |token: &str| token.chars().all(|letter| letter.is_ascii_graphic());
        let token = reader.secret(NETBOX_TOKEN, context, is_token, "is not an API token of NetBox");
        let providers = providers(reader);
        let plugin = match reader.optional(NETBOX_PLUGIN).as_deref().map(str::trim) {
            None => Some(None),
            Some("circuitmaintenance") => Some(Some(Plugin::CircuitMaintenance)),
            Some("notices") => Some(Some(Plugin::Notices)),
            Some(other) => {
                reader
                    .problem(NETBOX_PLUGIN, format!("is `{other}`, supported are `circuitmaintenance` and `notices`"));
                None
            }
        };
        let aliases = aliases(reader);
        let ca = reader.optional(NETBOX_CA);
        let unmatched = context.and_then(Context::unmatched).cloned();
        let state = context.and_then(Context::state).cloned();
        Some(Self { url: url?, token: token?, ca, providers: providers?, aliases, plugin: plugin?, unmatched, state })
    }
}

/// Reads the name of the custom field with other names of circuits; `None` if there is none, or it is reported as wrong.
fn aliases(reader: &mut Reader<'_>) -> Option<String> {
    let field = reader.optional(NETBOX_CIRCUIT_ALIASES)?.trim().to_owned();
    if field.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Some(field);
    }
    let fault = format!("is `{field}`, expected the name of a custom field of circuits: letters, digits and `_`");
    reader.problem(NETBOX_CIRCUIT_ALIASES, fault);
    None
}

fn providers(reader: &mut Reader<'_>) -> Option<BTreeMap<String, String>> {
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
