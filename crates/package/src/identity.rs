//! The same identity for the same crate, wherever it lies.
//!
//! Cargo tells the compiler crates apart by `-C metadata`, a hash that contains the folder of a package if it is outside of the
//! workspace, and so the hashes of all that depend on it. Symbols and type ids follow from it, and with them the bytes of the binary.
//! A workspace with such packages is therefore compiled through a script that puts the place of a crate below a folder with a fixed
//! name in the place of that hash: it is unique within one build, since every package has a folder of its own.

use std::{
    ffi::OsString,
    fs::{self, Permissions},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::PermissionsExt,
    },
    path::{Path, PathBuf},
};

/// The variable by which Cargo is told to run the compiler through a program.
pub(super) const VARIABLE: &str = "RUSTC_WRAPPER";

const BEGIN: &str = "\
#!/bin/sh
# Written by `provision build`. Cargo calls it with the compiler and its arguments.
rustc=$1
shift
case $CARGO_MANIFEST_DIR in
";

const END: &str = r#"*) exec "$rustc" "$@" ;;
esac
identity=$place-$CARGO_PKG_NAME-$CARGO_PKG_VERSION-$CARGO_CRATE_NAME
left=$#
while [ "$left" -gt 0 ]; do
  case $1 in
  metadata=*) set -- "$@" "metadata=$identity" ;;
  *) set -- "$@" "$1" ;;
  esac
  shift
  left=$((left - 1))
done
exec "$rustc" "$@"
"#;

/// Writes the script into a folder and returns its path. `folders` are those that packages lie in, each with its fixed name; of two
/// that fit the later one counts, as with the compiler's own flags.
pub(super) fn write_script(folder: &Path, folders: &[(PathBuf, String)]) -> io::Result<PathBuf> {
    let path = folder.join("rustc.sh");
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, script(folders).as_bytes())?;
    fs::set_permissions(file.path(), Permissions::from_mode(0o755))?;
    // Closed before somebody runs it.
    file.into_temp_path().persist(&path)?;
    Ok(path)
}

fn script(folders: &[(PathBuf, String)]) -> OsString {
    let mut script = BEGIN.as_bytes().to_vec();
    for (folder, name) in folders.iter().rev() {
        let folder = quoted(folder);
        for part in [&folder, b"|".as_slice(), &folder, b"/*) place=", name.as_bytes(), b"${CARGO_MANIFEST_DIR#"] {
            script.extend_from_slice(part);
        }
        script.extend_from_slice(&folder);
        script.extend_from_slice(b"} ;;\n");
    }
    script.extend_from_slice(END.as_bytes());
    OsString::from_vec(script)
}

/// Returns a path as one word of the shell.
fn quoted(path: &Path) -> Vec<u8> {
    let mut word = b"'".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\'' => word.extend_from_slice(br"'\''"),
            other => word.push(*other),
        }
    }
    word.push(b'\'');
    word
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs the script with `echo` for the compiler.
    fn told(script: &Path, folder: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(script);
        command.arg("echo").args(arguments).env_clear();
        let package = [("PKG_NAME", "one-crate"), ("PKG_VERSION", "0.1.0"), ("CRATE_NAME", "one_crate")];
        command.envs(package.map(|(name, value)| (format!("CARGO_{name}"), value)));
        let output = command.env("CARGO_MANIFEST_DIR", folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_crate_is_told_by_its_place_below_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [
            (PathBuf::from("/home/it's me"), "/outside/above-1.0.0".to_owned()),
            (PathBuf::from("/home/it's me/own"), "/source".to_owned()),
            (PathBuf::from("/home/*"), "/star".to_owned()),
        ];
        let script = write_script(folder.path(), &folders).unwrap();
        let arguments = ["--crate-name", "one_crate", "a b", "-C", "metadata=0123", "-C", "extra-filename=-0123"];
        let told = |place: &str| told(&script, place, &arguments);
        let expected =
            |metadata: &str| format!("--crate-name one_crate a b -C metadata={metadata} -C extra-filename=-0123\n");
        assert_eq!(told("/home/it's me"), expected("/outside/above-1.0.0-one-crate-0.1.0-one_crate"));
        assert_eq!(told("/home/it's me/own/a b"), expected("/source/a b-one-crate-0.1.0-one_crate"));
        assert_eq!(told("/home/*/x"), expected("/star/x-one-crate-0.1.0-one_crate"));
        for elsewhere in ["/home/it's me too", "/home/other", ""] {
            assert_eq!(told(elsewhere), expected("0123"), "{elsewhere}");
        }
    }
}
