//! The Cargo workspace of a declaration. Checks that it has the declared package and binary before Cargo builds them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

use super::{Linking, NotBuilt, Profile, archive::SCHEMA, command::cargo};
use declaration::choose;

/// Settings of the profile for Lambda if the workspace defines none: small and quick to start. Panics unwind, so that one
/// bad event does not end the process.
const PROFILE: [(&str, &str); 4] =
    [("inherits", "\"release\""), ("opt-level", "\"z\""), ("lto", "\"fat\""), ("codegen-units", "1")];

/// A Cargo workspace with its folders.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Root folder of the workspace.
    pub(super) root: PathBuf,
    /// The binary that was named, or the package's only one.
    pub(super) bin: String,
    /// Folder of our own output: below the target folder, beside its owner's.
    pub(super) output: PathBuf,
    /// Path of the environment's schema, if the package has one.
    schema: PathBuf,
    /// `true` if the workspace defines the profile for Lambda itself.
    has_profile: bool,
    /// The packages outside of the workspace's folder that a path leads to, a folder before those in it.
    pub(super) outside: Vec<Outside>,
}

/// A package outside of the workspace's folder, which a dependency names by its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Outside {
    /// Folder of the package.
    pub(super) folder: PathBuf,
    /// Name and version, which tell it from the others wherever it lies.
    pub(super) name: String,
}

impl Workspace {
    /// Finds the workspace of a folder, with that package and its binary: the one that is named, or its only one.
    pub(super) async fn find(folder: &Path, package: &str, bin: Option<&str>) -> Result<Self, NotBuilt> {
        let metadata = members(folder).await?;
        let (package, bin) = select(&metadata, package, bin)?;
        let root = PathBuf::from(&metadata.workspace_root);
        if !root.join("Cargo.lock").is_file() {
            return Err(NotBuilt::NoLock { root });
        }
        let has_profile =
            has_profile(&root).map_err(|source| NotBuilt::Unreadable { path: root.join("Cargo.toml"), source })?;
        let schema = package.manifest_path.with_file_name(SCHEMA).into();
        let outside = outside(folder, &metadata).await?;
        Ok(Self { outside, bin, schema, output: metadata.target_directory.join("provision").into(), root, has_profile })
    }

    /// Reads the schema of the function's environment; `None` if its package has none.
    pub(super) fn schema(&self) -> Result<Option<Vec<u8>>, NotBuilt> {
        read_schema(&self.schema)
    }

    /// Returns the folder of Cargo's output for Lambda.
    pub(super) fn target(&self, linking: Linking) -> PathBuf {
        let name = match linking {
            Linking::Dynamic => "dynamic",
            Linking::Static => "static",
        };
        // What was compiled under other identities is not taken.
        if self.outside.is_empty() { self.output.join(name) } else { self.output.join("outside").join(name) }
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
    let metadata = members(folder).await?;
    select(&metadata, package, None).map(|(_, bin)| bin)
}

/// Reads the schema of a package's environment, without asking where other packages are; `None` if it has none.
pub(super) async fn schema(folder: &Path, package: &str, bin: Option<&str>) -> Result<Option<Vec<u8>>, NotBuilt> {
    let metadata = members(folder).await?;
    let (package, _) = select(&metadata, package, bin)?;
    read_schema(package.manifest_path.with_file_name(SCHEMA).as_std_path())
}

fn read_schema(path: &Path) -> Result<Option<Vec<u8>>, NotBuilt> {
    match fs::read(path) {
        Ok(schema) => Ok(Some(schema)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(NotBuilt::Unreadable { path: path.to_owned(), source }),
    }
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

/// Returns the packages outside of the workspace's folder that a path leads to. Cargo finds out where they are; that takes a while,
/// and a lock file in which every package has a source or is a member has none.
async fn outside(folder: &Path, members: &Metadata) -> Result<Vec<Outside>, NotBuilt> {
    let lock = PathBuf::from(&members.workspace_root).join("Cargo.lock");
    let table: toml::Table = fs::read_to_string(&lock)
        .and_then(|text| text.parse().map_err(invalid))
        .map_err(|source| NotBuilt::Unreadable { path: lock, source })?;
    let members = members.workspace_packages();
    let is_member = |package: &toml::Value| {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let is_it =
            |member: &&Package| member.name.as_str() == text("name") && member.version.to_string() == text("version");
        members.iter().any(is_it)
    };
    let mut locked = table.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    if locked.all(|package| package.get("source").is_some() || is_member(package)) {
        return Ok(Vec::new());
    }
    let all = metadata(folder, "--locked").await?;
    let packages = all.packages.iter().filter(|package| package.source.is_none());
    let mut outside: Vec<_> = packages
        .filter(|package| !package.manifest_path.starts_with(&all.workspace_root))
        .filter_map(|package| {
            let folder = PathBuf::from(package.manifest_path.parent()?);
            Some(Outside { folder, name: format!("{}-{}", package.name, package.version) })
        })
        .collect();
    outside.sort();
    Ok(outside)
}

/// Asks Cargo for the members of the workspace alone, which needs no registry.
async fn members(folder: &Path) -> Result<Metadata, NotBuilt> {
    metadata(folder, "--no-deps").await
}

async fn metadata(folder: &Path, option: &str) -> Result<Metadata, NotBuilt> {
    let mut command = cargo(folder);
    command.args(["metadata", "--format-version", "1", option]);
    let output = output(&mut command).await.map_err(NotBuilt::NoCargo)?;
    let unusable = |said: &str| NotBuilt::NoWorkspace { folder: folder.to_owned(), said: said.trim().to_owned() };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(unusable(said.trim().strip_prefix("error: ").unwrap_or(&said)));
    }
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout)).map_err(|error| unusable(&error.to_string()))
}

/// Runs a command to its end. Dropping the future ends it and all that it started: Cargo asks the compiler.
async fn output(command: &mut Command) -> io::Result<Output> {
    let mut group = process::Group::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(whole(stdout), whole(stderr))?;
    Ok(Output { status: group.child.wait().await?, stdout, stderr })
}

/// Reads a stream to its end.
async fn whole(stream: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn names<'names>(packages: &[&'names Package]) -> Vec<&'names str> {
    packages.iter().map(|package| package.name.as_str()).collect()
}

fn bins(package: &Package) -> Vec<&str> {
    let bins = package.targets.iter().filter(|target| target.is_kind(TargetKind::Bin));
    bins.map(|target| target.name.as_str()).collect()
}

fn has_profile(root: &Path) -> io::Result<bool> {
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml"))?.parse().map_err(invalid)?;
    Ok(manifest.get("profile").and_then(|profiles| profiles.get(Profile::Lambda.name())).is_some())
}

fn invalid(error: toml::de::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
