//! The compiler for Lambda's architectures, and the settings that make it produce the same bytes wherever the source
//! is.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{Linking, NotBuilt, identity, linker, workspace::Workspace};

/// The architectures that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// Processors of AMD and Intel.
    X86_64,
    /// AWS's Graviton processors (`aarch64`).
    Arm64,
}

impl Architecture {
    /// Returns AWS's name of the architecture.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }
}

impl From<declaration::Architecture> for Architecture {
    fn from(declared: declaration::Architecture) -> Self {
        match declared {
            declaration::Architecture::X86_64 => Self::X86_64,
            declaration::Architecture::Arm64 => Self::Arm64,
        }
    }
}

/// The toolchain of a folder, which `rust-toolchain.toml` may choose.
#[derive(Debug)]
pub(super) struct Toolchain {
    /// Target triple of the architecture, in Rust's terms.
    pub(super) triple: &'static str,
    /// Folder of the toolchain.
    sysroot: PathBuf,
    /// Commit of the compiler; `None` if it does not state one.
    commit: Option<String>,
    /// Linker that Cargo must be given; `None` if Cargo finds it by itself.
    linker: Option<OsString>,
}

/// Returns Rust's target triple for an architecture on Amazon Linux.
fn triple(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-unknown-linux-gnu",
        Architecture::Arm64 => "aarch64-unknown-linux-gnu",
    }
}

impl Toolchain {
    /// Finds the toolchain of a folder, and checks that it can compile and link for that architecture.
    pub(super) async fn find(folder: &Path, architecture: Architecture) -> Result<Self, NotBuilt> {
        let triple = triple(architecture);
        let about = rustc(folder, &["-vV"]).await?;
        let about =
            |key: &str| about.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned());
        let folders = rustc(folder, &["--print", "sysroot", "--print", "target-libdir", "--target", triple]).await?;
        let mut folders = folders.lines().map(PathBuf::from);
        let (sysroot, library) = (folders.next().unwrap_or_default(), folders.next().unwrap_or_default());
        if !library.is_dir() {
            return Err(NotBuilt::NoTarget { architecture, triple });
        }
        let is_native = about("host:").as_deref() == Some(triple);
        let linker = linker::find(folder, triple, is_native)?;
        Ok(Self { triple, sysroot, commit: about("commit-hash:").filter(|hash| hash != "unknown"), linker })
    }

    /// Returns the environment variables for Cargo. These flags override all others, so that a person's own settings
    /// do not change the bytes.
    pub(super) fn environment(
        &self,
        workspace: &Workspace,
        linking: Linking,
    ) -> Result<Vec<(OsString, OsString)>, NotBuilt> {
        let mut environment = vec![("CARGO_ENCODED_RUSTFLAGS".into(), self.flags(workspace, linking))];
        environment.push(("CARGO_INCREMENTAL".into(), "0".into()));
        if let Some(linker) = &self.linker {
            environment.push((linker::variable(self.triple).into(), linker.clone()));
        }
        if !workspace.outside.is_empty() {
            let folder = workspace.target(linking);
            let script = identity::write_script(&folder, &self.remapped(workspace));
            let script = script.map_err(|source| NotBuilt::Unwritable { path: folder.join("rustc.sh"), source })?;
            environment.push((identity::VARIABLE.into(), script.into()));
        }
        Ok(environment)
    }

    /// Returns the compiler's flags, joined by the separator that Cargo expects.
    fn flags(&self, workspace: &Workspace, linking: Linking) -> OsString {
        let mut flags: Vec<OsString> = self.remapped(workspace).iter().map(|(from, to)| remap(from, to)).collect();
        if linking == Linking::Static {
            flags.push("-Ctarget-feature=+crt-static".into());
        }
        flags.join(OsStr::new("\u{1f}"))
    }

    /// Returns the folders whose names must not be in the binary, with their replacements. If two match, the compiler
    /// takes the later one.
    fn remapped(&self, workspace: &Workspace) -> Vec<(PathBuf, String)> {
        let outside = workspace.outside.iter().map(|one| (one.folder.clone(), format!("/outside/{}", one.name)));
        // The workspace may lie in the folder of such a package.
        let mut folders: Vec<_> = outside.chain([(workspace.root.clone(), "/source".to_owned())]).collect();
        for linking in [Linking::Dynamic, Linking::Static] {
            folders.push((workspace.target(linking), "/target".to_owned()));
        }
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
        folders.extend(home.map(|home| (home, "/cargo".to_owned())));
        if let Some(commit) = &self.commit {
            // If the library's source is installed, its real path would replace the one that is compiled in.
            folders.push((self.sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
        }
        folders
    }
}

fn remap(from: &Path, to: &str) -> OsString {
    let mut flag = OsString::from("--remap-path-prefix=");
    flag.push(from);
    flag.push("=");
    flag.push(to);
    flag
}

async fn rustc(folder: &Path, arguments: &[&str]) -> Result<String, NotBuilt> {
    let mut command = process::tool(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(NotBuilt::NoCompiler)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(NotBuilt::NoCompiler(std::io::Error::other(said)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
