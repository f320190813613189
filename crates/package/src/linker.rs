//! Finds the linker. Rust brings none for Linux: for the machine's own architecture it is the C compiler's, for
//! another one a cross compiler's. Without this check Cargo would compile for minutes before it says so.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use super::NotBuilt;

/// Finds the linker for a target; `None` if Cargo finds it by itself.
pub(super) fn find(folder: &Path, triple: &'static str, is_native: bool) -> Result<Option<OsString>, NotBuilt> {
    if env::var_os(variable(triple)).is_some() || is_configured(folder, triple) {
        return Ok(None);
    }
    let linker = if is_native { "cc".to_owned() } else { cross(triple) };
    if !is_on_path(&linker, env::var_os("PATH").as_deref()) {
        return Err(NotBuilt::NoLinker { hint: hint(&linker, triple, is_native), linker, triple });
    }
    Ok((!is_native).then(|| linker.into()))
}

/// Returns the environment variable that names a target's linker.
pub(super) fn variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase().replace('-', "_"))
}

/// Returns the name of the cross compiler, as Debian and its derivatives have it.
fn cross(triple: &str) -> String {
    format!("{}-gcc", triple.replace("-unknown", ""))
}

fn hint(linker: &str, triple: &str, is_native: bool) -> String {
    if is_native {
        return "install a C compiler, for example with `apt-get install gcc`".to_owned();
    }
    let package = linker.trim_end_matches("-gcc").trim_end_matches("-linux-gnu").replace('_', "-");
    format!(
        "`apt-get install gcc-{package}-linux-gnu`, or name a linker in the environment variable `{}`",
        variable(triple)
    )
}

fn is_on_path(program: &str, path: Option<&OsStr>) -> bool {
    path.is_some_and(|path| env::split_paths(path).any(|folder| folder.join(program).is_file()))
}

/// Returns whether one of Cargo's configuration files, in the folders above or in Cargo's home, names a linker.
fn is_configured(folder: &Path, triple: &str) -> bool {
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let folders = folder.ancestors().map(|folder| folder.join(".cargo")).chain(home);
    folders
        .flat_map(|folder| [folder.join("config.toml"), folder.join("config")])
        .any(|file| names_linker(&file, triple))
}

fn names_linker(file: &Path, triple: &str) -> bool {
    // An unreadable configuration is Cargo's to report.
    let Ok(table) = fs::read_to_string(file).unwrap_or_default().parse::<toml::Table>() else { return false };
    let target = table.get("target").and_then(|targets| targets.get(triple));
    target.is_some_and(|target| target.get("linker").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cross_compiler_has_the_name_and_the_package_that_debian_gives_it() {
        assert_eq!(cross("aarch64-unknown-linux-gnu"), "aarch64-linux-gnu-gcc");
        assert_eq!(
            hint("aarch64-linux-gnu-gcc", "aarch64-unknown-linux-gnu", false),
            "`apt-get install gcc-aarch64-linux-gnu`, or name a linker in the environment variable \
             `CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER`"
        );
        let hint = hint("x86_64-linux-gnu-gcc", "x86_64-unknown-linux-gnu", false);
        assert!(hint.starts_with("`apt-get install gcc-x86-64-linux-gnu`"), "{hint}");
    }

    #[test]
    fn a_linker_that_cargo_is_configured_with_is_left_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, triple) = (folder.path().join("a/b"), "riscv64gc-unknown-linux-gnu");
        fs::create_dir_all(folder.path().join(".cargo")).unwrap();
        fs::create_dir_all(&inner).unwrap();
        let missing = find(&inner, triple, false).unwrap_err();
        assert!(
            matches!(&missing, NotBuilt::NoLinker { linker, .. } if linker == "riscv64gc-linux-gnu-gcc"),
            "{missing:?}"
        );
        fs::write(folder.path().join(".cargo/config.toml"), format!("[target.{triple}]\nlinker = \"clang\"\n"))
            .unwrap();
        assert_eq!(find(&inner, triple, false).unwrap(), None);
    }

    #[test]
    fn a_folder_of_that_name_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cc")).unwrap();
        assert!(!is_on_path("cc", Some(folder.path().as_os_str())));
        assert!(!is_on_path("cc", None));
        fs::write(folder.path().join("gcc"), "").unwrap();
        assert!(is_on_path("gcc", Some(folder.path().as_os_str())));
    }
}
