//! The declaration with every function's environment checked against the schema of its code.

use std::{collections::BTreeMap, path::Path};

use declaration::{Checked, Code, Configuration, Declaration, Unavailable};
use package::{NotBuilt, Request};

/// The schemas of the functions of this version: a declaration is checked by them where the functions' own are not to be had.
const OURS: &[(&str, &[u8])] = &[
    ("maintenance", include_bytes!("../../handler/maintenance/configuration.json")),
    ("echo", include_bytes!("../../handler/echo/configuration.json")),
    ("webhook-receiver", include_bytes!("../../handler/webhook-receiver/configuration.json")),
    ("webhook-worker", include_bytes!("../../handler/webhook-worker/configuration.json")),
    ("mail-events", include_bytes!("../../handler/mail-events/configuration.json")),
    ("kafka-access", include_bytes!("../../handler/kafka-access/configuration.json")),
    ("tracking", include_bytes!("../../handler/tracking/configuration.json")),
];

/// Reads a declaration, and checks it as a whole.
pub(crate) async fn check(file: &Path, stage: Option<&str>) -> anyhow::Result<Checked> {
    check_source(file, &Declaration::source(file)?, stage).await
}

/// Checks a declaration as a whole, from the bytes of its file.
async fn check_source(file: &Path, source: &[u8], stage: Option<&str>) -> anyhow::Result<Checked> {
    let declared = Declaration::parse(file, source, stage)?;
    let mut configurations = BTreeMap::new();
    for function in declared.declarations.iter().flat_map(|declaration| declaration.functions.values()) {
        if !configurations.contains_key(&function.code) {
            let request = Request { folder: package::folder(file), code: &function.code };
            let found = package::schema(&request).await;
            configurations.insert(&function.code, configuration(&function.code, found));
        }
    }
    let look_up = |code: &Code| configurations.get(code).cloned().unwrap_or(Ok(None));
    Ok(Declaration::parse_with(file, source, stage, (&look_up, &stack::oversized))?)
}

/// Reads a declaration in a stage, checked as a whole: a secret that stands where everybody reads it goes to nobody.
pub(crate) async fn read(file: &Path, source: &[u8], stage: Option<&str>) -> anyhow::Result<Declaration> {
    Ok(check_source(file, source, stage).await?.chosen(file, stage)?)
}

/// Returns the schema of this version's function of that name: the whole of it for a function that came with this version, and what
/// can be said by its name of another one.
fn ours(code: &Code) -> Result<Option<Configuration>, Unavailable> {
    let (Code::Crate { package: name, .. } | Code::Shipped(name)) = code;
    let ours = OURS.iter().find(|(ours, _)| ours == name).map(|(_, schema)| Configuration::read(schema)).transpose()?;
    Ok(if matches!(code, Code::Shipped(_)) { ours } else { ours.map(Configuration::by_name) })
}

/// Reads the schema that a function's code has. A machine that cannot build a crate can check its declaration all the same: what
/// the declaration itself says wrong is an error, and not what is missing around it.
fn configuration(code: &Code, found: Result<Option<Vec<u8>>, NotBuilt>) -> Result<Option<Configuration>, Unavailable> {
    match found {
        Ok(None) => Ok(Some(Configuration::none())),
        Ok(Some(schema)) => Configuration::read(&schema).map(Some),
        Err(NotBuilt::NoCargo(_) | NotBuilt::NoWorkspace { .. } | NotBuilt::NoLock { .. }) => ours(code),
        Err(error) => {
            let is_warning = matches!(error, NotBuilt::NoneShipped { .. });
            let key = match (&error, code) {
                (NotBuilt::NoBin { .. }, _) => "bin",
                (_, Code::Shipped(_)) => "use",
                (_, Code::Crate { .. }) => "crate",
            };
            let instead = if is_warning { ours(code)? } else { None };
            let message = problem::with_causes(&error);
            Err(Unavailable { message, hint: error.hint(), is_warning, key, instead })
        }
    }
}
