//! A function's code → the binary that Lambda runs → the zip that Lambda takes.
//!
//! The code is a crate in the workspace of the declaration, or a zip that came with the command line and is taken as it is.
//! `provision dev` takes an executable: the binary that Cargo builds quickly, or the one in the zip. `provision up` takes an
//! [`Artifact`]: the same bytes for the same source, wherever it lies, since `provision diff` compares the code by its hash.
//! Cargo builds in a folder of its own below the workspace's target folder; a binary is examined before Lambda is the first
//! that finds it unfit.

mod archive;
mod cargo;
mod command;
mod elf;
mod error;
mod identity;
mod linker;
mod revision;
mod shipped;
mod toolchain;
mod workspace;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use data_encoding::BASE64;
use declaration::Code;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use error::NotBuilt;
pub use revision::revision;
pub use toolchain::Architecture;

use archive::{Archive, Content};
use shipped::Shipped;
use toolchain::Toolchain;
use workspace::Workspace;

/// Lambda's size limit of a zip within a call, in bytes; a larger one goes through a bucket.
const LARGEST_DIRECT: usize = 50 * 1024 * 1024;
/// Lambda's size limit of a function's unpacked code, in bytes.
const LARGEST_UNPACKED: usize = 250 * 1024 * 1024;

/// Code that a function needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'request> {
    /// Folder of the declaration, which is in the Cargo workspace if the code is a crate.
    pub folder: &'request Path,
    /// The code as declared.
    pub code: &'request Code,
}

/// A binary that Cargo builds.
#[derive(Debug, Clone, Copy)]
struct Binary<'binary> {
    /// A folder in the Cargo workspace.
    folder: &'binary Path,
    /// Name of the Cargo package.
    package: &'binary str,
    /// The binary of that package.
    bin: &'binary str,
}

/// Returns the folder of a declaration, where Cargo finds the workspace of its functions.
pub fn folder(declaration: &Path) -> &Path {
    declaration.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The profile for a binary that runs on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Compiles quickly, without optimisation.
    Development,
    /// Optimises as for Lambda.
    Lambda,
}

impl Profile {
    /// Returns the name of Cargo's profile.
    fn name(self) -> &'static str {
        match self {
            Self::Development => "dev",
            Self::Lambda => "lambda",
        }
    }
}

/// A function's code as Lambda takes it.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The code that it was made of; of a crate the binary is named.
    pub code: Code,
    /// Bytes of the zip file.
    pub zip: Arc<[u8]>,
    /// Path of the zip.
    pub path: PathBuf,
    /// SHA-256 of the zip in Base64, as Lambda's `CodeSha256` states it.
    pub code_sha256: String,
    /// Size of the zip, in bytes.
    pub size: u64,
    /// Size of the files in it, in bytes.
    pub unpacked: u64,
    /// Hash of the files in it, which the function writes into its log at its start.
    pub build: String,
    /// Architecture of the binary.
    pub architecture: Architecture,
    /// Source of its C library.
    pub linking: Linking,
    /// Way in which the zip reaches Lambda.
    pub upload: Upload,
}

/// The sources of a binary's C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Linking {
    /// The machine that runs it: smaller by a megabyte, and Lambda keeps it up to date.
    Dynamic,
    /// The machine that built it, linked into the binary: used if that C library is newer than Lambda's.
    Static,
}

/// The ways in which a zip reaches Lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Upload {
    /// With the call that creates or updates the function.
    Direct,
    /// Through an S3 bucket for artefacts, since it is too large for a call.
    Bucket,
}

impl Upload {
    fn of(size: usize) -> Self {
        if size > LARGEST_DIRECT { Self::Bucket } else { Self::Direct }
    }
}

/// The progress of making an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'progress> {
    /// A crate was compiled.
    Compiled {
        /// Name of the crate.
        name: &'progress str,
        /// Ordinal of the crate, from 1.
        count: usize,
    },
    /// Cargo or the compiler printed a warning or an error, of several lines.
    Said(&'progress str),
    /// The binary needs a newer C library than Lambda's: it is built again, with its own.
    BuiltAgain {
        /// Version of the C library that it needs.
        version: &'progress str,
    },
    /// The binary is being packed.
    Packing,
}

/// A receiver of progress.
pub type Observer<'observer> = &'observer (dyn Fn(Progress<'_>) + Send + Sync);

/// Builds and packs a function for Lambda, or takes the zip that came with the command line. Dropping the future ends Cargo
/// and all that it started.
///
/// ```no_run
/// use std::path::Path;
///
/// use declaration::Code;
/// use package::{Architecture, NotBuilt, Progress, Request, artifact};
///
/// async fn hash_of_echo() -> Result<String, NotBuilt> {
///     let code = Code::Crate { package: "echo".to_owned(), bin: None };
///     let request = Request { folder: Path::new("."), code: &code };
///     let show = |progress: Progress<'_>| {
///         if let Progress::Compiled { name, count } = progress {
///             eprintln!("{count}: {name}");
///         }
///     };
///     Ok(artifact(&request, Architecture::X86_64, &show).await?.code_sha256)
/// }
/// ```
pub async fn artifact(
    request: &Request<'_>,
    architecture: Architecture,
    observer: Observer<'_>,
) -> Result<Artifact, NotBuilt> {
    match request.code {
        Code::Crate { package, bin } => {
            let workspace = Workspace::find(request.folder, package, bin.as_deref()).await?;
            let binary = Binary { folder: request.folder, package, bin: &workspace.bin };
            built(&binary, &workspace, architecture, observer).await
        }
        Code::Shipped(name) => Shipped::find(name)?.artifact(architecture),
    }
}

/// Returns a binary of the function that runs on this machine: built, with what Cargo prints shown as it is, or unpacked
/// into a folder below `folder`. Dropping the future ends Cargo and all that it started.
pub async fn executable(request: &Request<'_>, profile: Profile, folder: &Path) -> Result<PathBuf, NotBuilt> {
    match request.code {
        Code::Crate { package, bin } => {
            let bin = match bin {
                Some(bin) => bin.clone(),
                None => workspace::bin(request.folder, package).await?,
            };
            cargo::build(&Binary { folder: request.folder, package, bin: &bin }, profile).await
        }
        Code::Shipped(name) => Shipped::find(name)?.unpack(folder),
    }
}

/// Returns the schema of the function's environment: the `configuration.json` of its crate or its zip; `None` if it has none.
pub async fn schema(request: &Request<'_>) -> Result<Option<Vec<u8>>, NotBuilt> {
    match request.code {
        Code::Crate { package, bin } => workspace::schema(request.folder, package, bin.as_deref()).await,
        Code::Shipped(name) => shipped::schema(name),
    }
}

/// Builds and packs a binary for Lambda.
async fn built(
    request: &Binary<'_>,
    workspace: &Workspace,
    architecture: Architecture,
    observer: Observer<'_>,
) -> Result<Artifact, NotBuilt> {
    let toolchain = Toolchain::find(request.folder, architecture).await?;
    let mut linking = Linking::Dynamic;
    let mut binary = read(&cargo::compile(request, workspace, &toolchain, linking, observer).await?)?;
    let mut newer = elf::examine(&binary, architecture).map_err(|unfit| NotBuilt::unfit(request, unfit))?;
    if let Some(version) = newer {
        observer(Progress::BuiltAgain { version: &version });
        linking = Linking::Static;
        binary = read(&cargo::compile(request, workspace, &toolchain, linking, observer).await?)?;
        newer = elf::examine(&binary, architecture).map_err(|unfit| NotBuilt::unfit(request, unfit))?;
    }
    if let Some(version) = newer {
        return Err(NotBuilt::unfit(request, elf::Unfit::CLibrary(version)));
    }
    if binary.len() > LARGEST_UNPACKED {
        return Err(NotBuilt::TooLarge { bin: request.bin.to_owned(), size: binary.len() });
    }
    observer(Progress::Packing);
    let archive = Archive::new(&workspace.output, request, architecture);
    let content = Content::new(binary, workspace.schema()?);
    let files = Files::of(&content);
    let (path, packed) = (archive.path.clone(), tokio::task::spawn_blocking(move || archive.pack(&content)).await);
    let zip = packed.map_err(|error| NotBuilt::Pack { path: path.clone(), source: error.into() })?;
    let zip = zip.map_err(|source| NotBuilt::Pack { path: path.clone(), source })?;
    let code = Code::Crate { package: request.package.to_owned(), bin: Some(request.bin.to_owned()) };
    Ok(Artifact::new(code, zip, path, files, (architecture, linking)))
}

/// The known files of a zip.
struct Files {
    size: u64,
    build: String,
}

impl Files {
    fn of(content: &Content) -> Self {
        Self { size: content.size(), build: content.build.clone() }
    }
}

impl Artifact {
    /// Describes a zip that lies at a path too.
    fn new(code: Code, zip: Vec<u8>, path: PathBuf, files: Files, built_for: (Architecture, Linking)) -> Self {
        let (architecture, linking) = built_for;
        Self {
            code,
            code_sha256: BASE64.encode(&Sha256::digest(&zip)),
            size: zip.len() as u64,
            unpacked: files.size,
            build: files.build,
            architecture,
            linking,
            upload: Upload::of(zip.len()),
            zip: zip.into(),
            path,
        }
    }
}

fn read(executable: &Path) -> Result<Vec<u8>, NotBuilt> {
    std::fs::read(executable).map_err(|source| NotBuilt::Unreadable { path: executable.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zip_too_large_for_a_call_goes_through_a_bucket() {
        assert_eq!(Upload::of(50 * 1024 * 1024), Upload::Direct);
        assert_eq!(Upload::of(50 * 1024 * 1024 + 1), Upload::Bucket);
    }
}
