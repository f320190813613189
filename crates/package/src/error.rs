//! Errors of building and packing, with hints.

use std::{io, path::PathBuf};

use super::{Architecture, Binary, elf::Unfit};

/// The reasons why there is no binary or no artifact.
#[derive(Debug, thiserror::Error)]
pub enum NotBuilt {
    /// Cargo could not be run.
    #[error("Failed to run `cargo`")]
    NoCargo(#[source] io::Error),
    /// The compiler could not be run.
    #[error("Failed to run `rustc`")]
    NoCompiler(#[source] io::Error),
    /// The folder is in no usable Cargo workspace.
    #[error("Failed to read the Cargo workspace of `{}`: {said}", folder.display())]
    NoWorkspace {
        /// Folder that should be in a workspace.
        folder: PathBuf,
        /// Output of Cargo.
        said: String,
    },
    /// The workspace has no such package.
    #[error("Failed to find package `{package}` in the Cargo workspace `{}`", root.display())]
    NoPackage {
        /// Name of the package.
        package: String,
        /// Folder of the workspace.
        root: PathBuf,
        /// Packages that the workspace has.
        hint: String,
    },
    /// The package has no such binary.
    #[error("Failed to find binary `{bin}` in package `{package}`")]
    NoBin {
        /// Name of the package.
        package: String,
        /// Name of the binary.
        bin: String,
        /// Binaries that the package has.
        hint: String,
    },
    /// The package has several binaries, and the declaration names none of them.
    #[error("Failed to choose a binary of package `{package}`: it has several")]
    SeveralBins {
        /// The package.
        package: String,
        /// Its binaries.
        bins: Vec<String>,
    },
    /// The workspace does not say which versions it is built from.
    #[error("Failed to find `Cargo.lock` in `{}`: without it two builds may differ", root.display())]
    NoLock {
        /// Folder of the workspace.
        root: PathBuf,
    },
    /// The toolchain cannot compile for Lambda.
    #[error("Failed to find Rust's standard library for {} (`{triple}`)", architecture.name())]
    NoTarget {
        /// Architecture of the function.
        architecture: Architecture,
        /// Rust's target triple.
        triple: &'static str,
    },
    /// There is no linker for the target.
    #[error("Failed to find the linker `{linker}` for `{triple}`")]
    NoLinker {
        /// Program that was looked for.
        linker: String,
        /// Rust's target triple.
        triple: &'static str,
        /// How to install it.
        hint: String,
    },
    /// Cargo failed; its messages were shown.
    #[error("Failed to build binary `{bin}` of package `{package}`: cargo ended with {status}, see above")]
    Failed {
        /// Name of the package.
        package: String,
        /// Name of the binary.
        bin: String,
        /// Exit status of Cargo, in words.
        status: String,
    },
    /// Cargo succeeded without building the binary.
    #[error("Failed to find binary `{bin}` of package `{package}` in what cargo built")]
    NoExecutable {
        /// Name of the package.
        package: String,
        /// Name of the binary.
        bin: String,
    },
    /// A file cannot be read.
    #[error("Failed to read `{}`", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
    /// Lambda could not run the binary.
    #[error("Failed to build binary `{bin}` of package `{package}` so that Lambda can run it")]
    Unfit {
        /// Name of the package.
        package: String,
        /// Name of the binary.
        bin: String,
        /// The reason why it could not.
        source: Unfit,
    },
    /// The zip exceeds Lambda's size limit.
    #[error("Failed to pack binary `{bin}`: it has {size} bytes, and Lambda takes 250 MiB")]
    TooLarge {
        /// Name of the binary.
        bin: String,
        /// Size of the unpacked code, in bytes.
        size: usize,
    },
    /// No zips came with this binary.
    #[error("Failed to find the function `{name}` that `use` names: there are no functions in `{}`", folder.display())]
    NoneShipped {
        /// Name of the function.
        name: String,
        /// The folder in which the zips would be.
        folder: PathBuf,
    },
    /// A zip of that name did not come with this binary.
    #[error("Failed to find the function `{name}` that `use` names in `{}`", folder.display())]
    NotShipped {
        /// Name of the function.
        name: String,
        /// The folder in which the zips are.
        folder: PathBuf,
        /// The functions that did come.
        hint: String,
    },
    /// A zip that came with this binary is not one.
    #[error("Failed to read `{}` as the zip of a function", path.display())]
    Broken {
        /// Path of the zip.
        path: PathBuf,
        /// The error of reading it.
        source: io::Error,
    },
    /// A zip that came with this binary is not for Lambda as it is declared.
    #[error("Failed to use `{}`: Lambda could not run it as declared", path.display())]
    UnfitZip {
        /// Path of the zip.
        path: PathBuf,
        /// The reason.
        source: Unfit,
    },
    /// This machine cannot run a zip for Lambda.
    #[error("Failed to run the function `{name}` on this machine ({machine}): its zip is for Linux on {}", architecture.name())]
    NotRunnable {
        /// Name of the function.
        name: String,
        /// System and processor of this machine.
        machine: String,
        /// Processor that the zip is for.
        architecture: Architecture,
    },
    /// The functions that came with this binary could not be unpacked.
    #[error("Failed to unpack `{}`", path.display())]
    Unpack {
        /// Path of the zip.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// A file that the build needs could not be written.
    #[error("Failed to write `{}`", path.display())]
    Unwritable {
        /// Path of the file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The zip could not be made.
    #[error("Failed to pack `{}`", path.display())]
    Pack {
        /// Path of the zip.
        path: PathBuf,
        /// Error of the file system.
        source: io::Error,
    },
}

impl NotBuilt {
    pub(super) fn unfit(binary: &Binary<'_>, source: Unfit) -> Self {
        Self::Unfit { package: binary.package.to_owned(), bin: binary.bin.to_owned(), source }
    }

    /// Returns what to do about the error; `None` if the error says it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCargo(_) | Self::NoCompiler(_) => Some("install Rust: https://rustup.rs".to_owned()),
            Self::NoWorkspace { .. } => {
                Some("run this inside the Cargo workspace that contains the packages named under `crate:`".to_owned())
            }
            Self::NoPackage { hint, .. }
            | Self::NoBin { hint, .. }
            | Self::NoLinker { hint, .. }
            | Self::NotShipped { hint, .. } => Some(hint.clone()),
            Self::SeveralBins { bins, .. } => {
                let list: Vec<_> = bins.iter().map(|bin| format!("`bin: {bin}`")).collect();
                Some(format!("add one of {}", list.join(", ")))
            }
            Self::NoneShipped { name, .. } => Some(format!(
                "run `provision` from its release archive, which has them; in a clone declare `crate: {name}` instead of `use: {name}`"
            )),
            Self::Broken { .. } => Some("unpack the release archive again".to_owned()),
            Self::UnfitZip { .. } => Some("build it from a clone: `crate:` instead of `use:`".to_owned()),
            Self::NotRunnable { name, architecture, .. } => Some(format!(
                "run `provision dev` on Linux on {}, such as in a container; or build the function for this machine: in a clone declare `crate: {name}`",
                architecture.name()
            )),
            Self::NoLock { .. } => Some("run `cargo generate-lockfile` and commit `Cargo.lock`".to_owned()),
            Self::NoTarget { triple, .. } => Some(format!("run `rustup target add {triple}`")),
            Self::Unfit { source, .. } => Some(source.hint().to_owned()),
            Self::TooLarge { .. } => Some("keep data in a bucket instead of in the binary".to_owned()),
            Self::Failed { .. }
            | Self::NoExecutable { .. }
            | Self::Unreadable { .. }
            | Self::Pack { .. }
            | Self::Unpack { .. }
            | Self::Unwritable { .. } => None,
        }
    }
}
