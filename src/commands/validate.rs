//! `provision validate`: checks the declaration, without an account and without the network.

use std::{collections::BTreeMap, process::ExitCode};

use super::block_on;
use crate::{cli::Common, render::Printer};
use declaration::{Code, Configuration, Declaration, Unavailable};
use package::{NotBuilt, Request};

pub(super) fn run(printer: &Printer, common: &Common) -> anyhow::Result<ExitCode> {
    let stage = common.stage.as_deref();
    let declared = Declaration::check(&common.file, stage)?;
    let mut configurations = BTreeMap::new();
    for function in declared.declarations.iter().flat_map(|declaration| declaration.functions.values()) {
        if !configurations.contains_key(&function.code) {
            let request = Request { folder: package::folder(&common.file), code: &function.code };
            let found = block_on(async { Ok(package::schema(&request).await) })?;
            configurations.insert(&function.code, configuration(found));
        }
    }
    let look_up = |code: &Code| configurations.get(code).cloned().unwrap_or(Ok(None));
    let checked = Declaration::check_with(&common.file, stage, &look_up)?;
    printer.valid(&common.file, &checked);
    Ok(ExitCode::SUCCESS)
}

/// Reads the schema that a function's code has. A machine that cannot build a crate can check its declaration all the same: what
/// the declaration itself says wrong is an error, and not what is missing around it.
fn configuration(found: Result<Option<Vec<u8>>, NotBuilt>) -> Result<Option<Configuration>, Unavailable> {
    match found {
        Ok(schema) => schema.map(|bytes| Configuration::read(&bytes)).transpose(),
        Err(NotBuilt::NoCargo(_) | NotBuilt::NoWorkspace { .. } | NotBuilt::NoLock { .. }) => Ok(None),
        Err(error) => {
            let is_warning = matches!(error, NotBuilt::NoneShipped { .. });
            Err(Unavailable { message: error.to_string(), hint: error.hint(), is_warning })
        }
    }
}
