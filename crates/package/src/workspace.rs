//! The Cargo workspace of a declaration. Checks that it has the declared package and binary before Cargo builds them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

use super::{Linking, NotBuilt, Profile, archive::SCHEMA, cargo::cargo};
use declaration::choose;

/// Settings of the profile for Lambda if the workspace defines none: small and quick to start. Panics unwind, so that one
/// bad event does not end the process.
const PROFILE: [(&str, &str); 4] =
    [("inherits", "\"release\""), ("opt-level", "\"z\""), ("lto", "\"fat\""), ("codegen-units", "1")];

/// The workspace.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Root folder of the workspace.
    pub(super) root: PathBuf,
    /// The binary that was named, or the package's only one.
    pub(super) bin: String,
    /// Where we put what we make: below the target folder, beside what its owner builds.
    pub(super) output: PathBuf,
    /// Path of the environment's schema, if the package has one.
    schema: PathBuf,
    /// `true` if the workspace defines the profile for Lambda itself.
    has_profile: bool,
}

impl Workspace {
    /// Finds the workspace of a folder, with that package and its binary: the one that is named, or its only one.
    pub(super) async fn find(folder: &Path, package: &str, bin: Option<&str>) -> Result<Self, NotBuilt> {
        let metadata = metadata(folder).await?;
        let (package, bin) = select(&metadata, package, bin)?;
        let root = PathBuf::from(&metadata.workspace_root);
        if !root.join("Cargo.lock").is_file() {
            return Err(NotBuilt::NoLock { root });
        }
        let has_profile =
            has_profile(&root).map_err(|source| NotBuilt::Unreadable { path: root.join("Cargo.toml"), source })?;
        let schema = package.manifest_path.with_file_name(SCHEMA).into();
        Ok(Self { bin, schema, output: metadata.target_directory.join("provision").into(), root, has_profile })
    }

    /// Reads the schema of the function's environment; `None` if its package has none.
    pub(super) fn schema(&self) -> Result<Option<Vec<u8>>, NotBuilt> {
        match fs::read(&self.schema) {
            Ok(schema) => Ok(Some(schema)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(NotBuilt::Unreadable { path: self.schema.clone(), source }),
        }
    }

    /// Returns the folder of Cargo's output for Lambda.
    pub(super) fn target(&self, linking: Linking) -> PathBuf {
        self.output.join(match linking {
            Linking::Dynamic => "dynamic",
            Linking::Static => "static",
        })
    }

    /// Returns the profile's settings that the workspace does not define itself. Symbols are always stripped.
    pub(super) fn profile_settings(&self) -> Vec<String> {
        let missing = PROFILE.iter().filter(|_| !self.has_profile);
        let settings = missing.chain([&("strip", "\"symbols\"")]);
        settings
            .flat_map(|(key, value)| {
                ["--config".to_owned(), format!("profile.{}.{key}={value}", Profile::Lambda.name())]
            })
            .collect()
    }
}

/// Returns the binary of a package that is named, or its only one.
pub(super) async fn bin(folder: &Path, package: &str) -> Result<String, NotBuilt> {
    let metadata = metadata(folder).await?;
    select(&metadata, package, None).map(|(_, bin)| bin)
}

/// Chooses a package by its name, and its binary.
fn select<'metadata>(
    metadata: &'metadata Metadata,
    package: &str,
    bin: Option<&str>,
) -> Result<(&'metadata Package, String), NotBuilt> {
    let members = metadata.workspace_packages();
    let named = members.iter().find(|member| member.name.as_str() == package).copied();
    let found = named.ok_or_else(|| NotBuilt::NoPackage {
        package: package.to_owned(),
        root: metadata.workspace_root.clone().into(),
        hint: choose(package, "packages of the workspace", &names(&members)),
    })?;
    let bins = bins(found);
    match (bin, bins.as_slice()) {
        (Some(bin), bins) if bins.contains(&bin) => Ok((found, bin.to_owned())),
        (None, [only]) => Ok((found, (*only).to_owned())),
        (None, [_, _, ..]) => Err(NotBuilt::SeveralBins {
            package: package.to_owned(),
            bins: bins.iter().map(|bin| (*bin).to_owned()).collect(),
        }),
        (bin, bins) => {
            let bin = bin.unwrap_or(package);
            let hint = if bins.is_empty() {
                format!("the package has none: a binary `{bin}` is `src/bin/{bin}.rs`")
            } else {
                choose(bin, "binaries of the package", bins)
            };
            Err(NotBuilt::NoBin { package: package.to_owned(), bin: bin.to_owned(), hint })
        }
    }
}

async fn metadata(folder: &Path) -> Result<Metadata, NotBuilt> {
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", "--no-deps"]);
    let output = command.kill_on_drop(true).output().await.map_err(NotBuilt::NoCargo)?;
    let unusable = |said: &str| NotBuilt::NoWorkspace { folder: folder.to_owned(), said: said.trim().to_owned() };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(said.trim().strip_prefix("error: ").unwrap_or(&said)));
    }
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout)).map_err(|error| unusable(&error.to_string()))
}

fn names<'names>(packages: &[&'names Package]) -> Vec<&'names str> {
    packages.iter().map(|package| package.name.as_str()).collect()
}

fn bins(package: &Package) -> Vec<&str> {
    let bins = package.targets.iter().filter(|target| target.is_kind(TargetKind::Bin));
    bins.map(|target| target.name.as_str()).collect()
}

fn has_profile(root: &Path) -> io::Result<bool> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))?
        .parse()
        .map_err(|error: toml::de::Error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(manifest.get("profile").and_then(|profiles| profiles.get(Profile::Lambda.name())).is_some())
}
