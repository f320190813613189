//! `provision build`: packs every function as Lambda takes it, without an account and without the network.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::until_interrupted;
use crate::{
    cli::{Build, Common},
    render::{
        self, Printer,
        build::{Building, Built},
    },
};
use declaration::Declaration;
use package::{Architecture, Artifact, NotBuilt, Request};
use problem::Problem;

pub(super) fn run(printer: &Printer, common: &Common, typed: &Build) -> anyhow::Result<ExitCode> {
    let declaration = Declaration::read(&common.file, common.stage.as_deref())?;
    until_interrupted(async { all(printer, common, typed, &declaration).await.map(|()| ExitCode::SUCCESS) })
}

/// Builds the functions, and prints their zips.
async fn all(printer: &Printer, common: &Common, typed: &Build, declaration: &Declaration) -> anyhow::Result<()> {
    let artifacts = artifacts(printer, common, declaration).await?;
    let mut built: Vec<Built<'_>> = Vec::new();
    for entry in declaration.functions.keys() {
        let Some(artifact) = artifacts.get(entry).cloned() else { continue };
        let path = match &typed.out {
            Some(out) => copy(&artifact, out, entry)?,
            None => artifact.path.clone(),
        };
        built.push(Built { function: entry, artifact, path });
    }
    render::build::built(printer, &built)?;
    Ok(())
}

/// Builds the functions one after the other: Cargo uses all cores by itself. Two that run the same code share it.
pub(super) async fn artifacts(
    printer: &Printer,
    common: &Common,
    declaration: &Declaration,
) -> Result<BTreeMap<String, Artifact>, NotBuilt> {
    let folder = package::folder(&common.file);
    let mut built: BTreeMap<_, Artifact> = BTreeMap::new();
    let mut artifacts = BTreeMap::new();
    for (entry, function) in &declaration.functions {
        let request = Request { folder, code: &function.code };
        let architecture = Architecture::from(function.architecture);
        let artifact = match built.entry((request.code, architecture)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(artifact(printer, entry, &request, architecture).await?),
        };
        artifacts.insert(entry.clone(), artifact.clone());
    }
    Ok(artifacts)
}

/// Builds a function's artifact, and shows the progress.
async fn artifact(
    printer: &Printer,
    entry: &str,
    request: &Request<'_>,
    architecture: Architecture,
) -> Result<Artifact, NotBuilt> {
    let building = Building::begin(printer, entry, request.code);
    let artifact = package::artifact(request, architecture, &|progress| building.show(progress)).await?;
    building.end(&artifact);
    Ok(artifact)
}

/// Copies a zip to the requested folder.
fn copy(artifact: &Artifact, out: &Path, entry: &str) -> Result<PathBuf, Problem> {
    let path = out.join(format!("{entry}.zip"));
    let written = fs::create_dir_all(out).and_then(|()| fs::write(&path, &artifact.zip));
    written.map_err(|error| Problem::new(format!("Failed to write `{}`", path.display())).with_source(error))?;
    Ok(path)
}
