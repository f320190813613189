//! The functions that came with the command line, as zips that are taken as they are.
//!
//! They lie where programs keep what does not change and is the same for all machines of a kind: the binary is `bin/provision`,
//! and its functions are `share/provision/functions/NAME.zip` beside `bin/`. So an archive works wherever it is unpacked, in
//! `/usr/local` too, and through a link to the binary.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use declaration::{Code, choose};

use super::{
    Architecture, Artifact, Files, NotBuilt,
    archive::{self, Content},
    elf,
};

/// The folder of the zips, below the folder above that of the binary.
const FOLDER: &str = "share/provision/functions";

/// A function that came with the command line.
#[derive(Debug)]
pub(super) struct Shipped {
    /// Name of the shipped function.
    name: String,
    /// Path of its zip.
    path: PathBuf,
    /// The zip as it is.
    zip: Vec<u8>,
    /// The files in the zip.
    pub(super) content: Content,
}

impl Shipped {
    /// Finds a function beside the binary that runs.
    pub(super) fn find(name: &str) -> Result<Self, NotBuilt> {
        Self::find_in(name, &own_folder()?)
    }

    fn find_in(name: &str, folder: &Path) -> Result<Self, NotBuilt> {
        let (path, zip) = read(name, folder)?;
        match Content::read(&zip) {
            Ok(content) => Ok(Self { name: name.to_owned(), path, zip, content }),
            Err(source) => Err(NotBuilt::Broken { path, source }),
        }
    }

    /// Returns the zip as Lambda takes it, if Lambda could run it on that processor.
    pub(super) fn artifact(self, architecture: Architecture) -> Result<Artifact, NotBuilt> {
        let Self { name, path, zip, content } = self;
        let examined = elf::examine(&content.binary, architecture).and_then(|newer| match newer {
            Some(version) => Err(elf::Unfit::CLibrary(version)),
            None => elf::linking(&content.binary),
        });
        match examined {
            Ok(linking) => {
                Ok(Artifact::new(Code::Shipped(name), zip, path, Files::of(&content), (architecture, linking)))
            }
            Err(source) => Err(NotBuilt::UnfitZip { path, source }),
        }
    }

    /// Unpacks the zip below a folder, and returns the path of its binary, which this machine can run.
    pub(super) fn unpack(self, folder: &Path) -> Result<PathBuf, NotBuilt> {
        let Self { name, path, content, .. } = self;
        let architecture = match elf::architecture(&content.binary) {
            Ok(architecture) => architecture,
            Err(source) => return Err(NotBuilt::UnfitZip { path, source }),
        };
        if !runs_here(architecture, env::consts::OS, env::consts::ARCH) {
            let machine = format!("{} on {}", env::consts::OS, env::consts::ARCH);
            return Err(NotBuilt::NotRunnable { name, machine, architecture });
        }
        content.unpack(&folder.join(name)).map_err(|source| NotBuilt::Unpack { path, source })
    }
}

/// Returns the schema of a function's environment, from its zip beside the binary that runs; `None` if it has none.
pub(super) fn schema(name: &str) -> Result<Option<Vec<u8>>, NotBuilt> {
    let (path, zip) = read(name, &own_folder()?)?;
    archive::schema(&zip).map_err(|source| NotBuilt::Broken { path, source })
}

/// Reads the zip of a function in a folder, and returns its path and its bytes.
fn read(name: &str, folder: &Path) -> Result<(PathBuf, Vec<u8>), NotBuilt> {
    let path = folder.join(format!("{name}.zip"));
    match fs::read(&path) {
        Ok(zip) => Ok((path, zip)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(name, folder)),
        Err(source) => Err(NotBuilt::Unreadable { path, source }),
    }
}

/// Returns the folder of the zips that came with the binary that runs.
fn own_folder() -> Result<PathBuf, NotBuilt> {
    let executable = env::current_exe().and_then(fs::canonicalize);
    let executable = executable.map_err(|source| NotBuilt::Unreadable { path: "/proc/self/exe".into(), source })?;
    Ok(folder(&executable))
}

/// Returns the folder of the zips that came with a binary.
fn folder(executable: &Path) -> PathBuf {
    let prefix = executable.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    prefix.join(FOLDER)
}

/// Describes why there is no zip of that name.
fn missing(name: &str, folder: &Path) -> NotBuilt {
    let (name, folder) = (name.to_owned(), folder.to_owned());
    let names = names(&folder);
    if names.is_empty() {
        return NotBuilt::NoneShipped { name, folder };
    }
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    NotBuilt::NotShipped { hint: choose(&name, "functions that came with this binary", &known), name, folder }
}

/// Returns the functions of a folder by name; none where it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let zips = files.filter(|path| path.extension().is_some_and(|extension| extension == "zip"));
    let mut names: Vec<String> = zips.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// Returns whether a machine runs Linux programs for that processor, by the names that Rust has for both.
fn runs_here(architecture: Architecture, system: &str, processor: &str) -> bool {
    let name = match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "aarch64",
    };
    system == "linux" && processor == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_beside_that_of_the_binary() {
        let beside = |executable: &str| folder(Path::new(executable)).display().to_string();
        assert_eq!(beside("/usr/local/bin/provision"), "/usr/local/share/provision/functions");
        assert_eq!(beside("/provision"), "/share/provision/functions");
    }

    #[test]
    fn a_missing_function_is_reported_with_the_available_ones() {
        let folder = tempfile::tempdir().unwrap();
        let find = |name: &str| Shipped::find_in(name, folder.path()).unwrap_err();
        assert!(matches!(find("maintenance"), NotBuilt::NoneShipped { .. }));
        fs::write(folder.path().join("maintenance.zip"), "no zip").unwrap();
        fs::write(folder.path().join("README"), "").unwrap();
        assert!(matches!(find("maintenance"), NotBuilt::Broken { .. }));
        let hint = |name: &str| find(name).hint().unwrap();
        assert_eq!(hint("maintenence"), "did you mean `maintenance`?");
        assert_eq!(hint("x"), "functions that came with this binary: `maintenance`");
    }

    #[test]
    fn only_linux_on_the_same_processor_runs_a_zip() {
        let machines = [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("macos", "x86_64"),
            ("macos", "aarch64"),
            ("windows", "x86_64"),
        ];
        let running = |architecture| {
            machines.into_iter().filter(|(system, processor)| runs_here(architecture, system, processor)).collect()
        };
        let (x86_64, arm64): (Vec<_>, Vec<_>) = (running(Architecture::X86_64), running(Architecture::Arm64));
        assert_eq!((x86_64, arm64), (vec![("linux", "x86_64")], vec![("linux", "aarch64")]));
    }
}
