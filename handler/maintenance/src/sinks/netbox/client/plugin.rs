//! Finds out which plugin answers, and what is needed to talk to it.
//!
//! Most installations have `netbox-circuitmaintenance`, so that is queried first; only if nothing of it is there, NetBox is asked for
//! its plugins: where it exists, finding out costs no call. The two cannot be in one NetBox.

use serde::Deserialize;
use serde_json::Value;

use super::{Client, PLUGIN, Page, plugin_version::PluginVersion};
use crate::sinks::netbox::{records::Fault, settings::Plugin};

/// Path of the plugin `netbox-notices` in the API.
pub(super) const NOTICES_PATH: &str = "/api/plugins/notices";

/// Names of the plugins in NetBox.
const CIRCUIT_MAINTENANCE: &str = "netbox_circuitmaintenance";
const NOTICES: &str = "notices";

/// The plugin that answers, with what is needed to talk to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    /// The plugin `netbox-circuitmaintenance` answers.
    CircuitMaintenance,
    /// The plugin `netbox-notices` answers.
    Notices(Types),
}

impl Spoken {
    /// Returns the path of the plugin's events.
    pub(super) fn events(self) -> String {
        match self {
            Self::CircuitMaintenance => format!("{PLUGIN}/circuitmaintenance/"),
            Self::Notices(_) => format!("{NOTICES_PATH}/maintenance/"),
        }
    }

    /// Returns the path of the plugin's impacts.
    pub(super) fn impacts(self) -> String {
        match self {
            Self::CircuitMaintenance => format!("{PLUGIN}/circuitmaintenanceimpact/"),
            Self::Notices(_) => format!("{NOTICES_PATH}/impact/"),
        }
    }
}

/// The numbers of content types, which vary from NetBox to NetBox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) maintenance: u64,
    pub(super) circuit: u64,
}

impl Client {
    /// Sets the plugin; `None` finds it out.
    #[must_use]
    pub fn with_plugin(mut self, plugin: Option<Plugin>) -> Self {
        self.plugin = plugin;
        self
    }

    /// Returns whether mails without an event can be stored: `true` until a refusal shows that they cannot.
    pub fn has_queue(&self) -> bool {
        !matches!(self.spoken.get(), Some(Spoken::Notices(_))) && self.shown.age() == PluginVersion::Current
    }

    /// Returns the plugin that answers, as far as a look-up has shown that.
    pub(super) async fn spoken(&self) -> Result<Spoken, Fault> {
        match (self.spoken.get(), self.plugin) {
            (Some(spoken), _) => Ok(*spoken),
            (None, Some(Plugin::Notices)) => {
                let spoken = Spoken::Notices(self.types().await?);
                Ok(*self.spoken.get_or_init(|| spoken))
            }
            (None, _) => Ok(Spoken::CircuitMaintenance),
        }
    }

    /// Looks something up with the plugin that answers.
    pub(super) async fn look_up<T>(&self, ask: impl AsyncFn(Spoken) -> Result<T, Fault>) -> Result<T, Fault> {
        let spoken = self.spoken().await?;
        match ask(spoken).await {
            Err(fault @ (Fault::Rejected(_) | Fault::Unavailable(_))) if self.spoken.get().is_none() => {
                match self.find_out().await {
                    Ok(Some(found @ Spoken::Notices(_))) => ask(*self.spoken.get_or_init(|| found)).await,
                    Ok(None) => Err(Fault::Unavailable(self.missing().to_owned())),
                    Ok(Some(Spoken::CircuitMaintenance)) | Err(_) => Err(fault),
                }
            }
            answer => {
                if answer.is_ok() {
                    self.spoken.get_or_init(|| spoken);
                }
                answer
            }
        }
    }

    /// Returns the plugin that NetBox names, of those that are supported; `None` if it has none.
    async fn find_out(&self) -> Result<Option<Spoken>, Fault> {
        let status: Value = self.get("/api/status/").await?;
        let has = |plugin: &str| status.get("plugins").is_some_and(|plugins| plugins.get(plugin).is_some());
        if has(CIRCUIT_MAINTENANCE) {
            return Ok(Some(Spoken::CircuitMaintenance));
        }
        if has(NOTICES) && self.plugin.is_none() {
            return Ok(Some(Spoken::Notices(self.types().await?)));
        }
        Ok(None)
    }

    fn missing(&self) -> &'static str {
        match self.plugin {
            None => "NetBox has neither the plugin netbox-circuitmaintenance nor netbox-notices",
            Some(_) => "NetBox does not have the plugin that `NETBOX_PLUGIN` names",
        }
    }

    async fn types(&self) -> Result<Types, Fault> {
        #[derive(Deserialize)]
        struct ObjectType {
            id: u64,
            app_label: String,
            model: String,
        }
        let path = "/api/core/object-types/?app_label=notices&app_label=circuits&model=maintenance&model=circuit\
                    &fields=id,app_label,model&limit=100";
        let page: Page<ObjectType> = self.get(path).await?;
        let number = |app: &str, model: &str| {
            let is_asked = |found: &&ObjectType| found.app_label == app && found.model == model;
            page.results.iter().find(is_asked).map(|found| found.id)
        };
        let (maintenance, circuit) = (number("notices", "maintenance"), number("circuits", "circuit"));
        maintenance
            .zip(circuit)
            .map(|(maintenance, circuit)| Types { maintenance, circuit })
            .ok_or_else(|| Fault::Unavailable(self.missing().to_owned()))
    }
}
