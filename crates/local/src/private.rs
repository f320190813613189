//! Folders that nobody else of this machine can look into: mails, and what functions keep.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Subfolders of a state folder.
const PARTS: [&str; 2] = [BUCKETS, QUEUES];
/// The folder of the buckets.
pub(crate) const BUCKETS: &str = "buckets";
/// The folder of the failure queues.
pub(crate) const QUEUES: &str = "queues";

/// Makes files and folders of this process its user's alone, from now on: libraries write some of them.
pub(crate) fn keep_to_ourselves() {
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
}

/// Opens the state folder, which need not exist, and makes the folders in it. A folder that is there and holds something else keeps
/// its rights; what is ours in it is closed to others.
pub(crate) fn open(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let status = fs::metadata(folder)?;
    if is_state(folder)? && is_own(&status) {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    } else if status.mode() & 0o022 != 0 && status.mode() & 0o1000 == 0 {
        return Err(io::Error::other("others may change what is in it: choose another, or `chmod 700` it"));
    }
    PARTS.iter().try_for_each(|part| make(&folder.join(part)).map(drop))
}

/// Makes a folder, or takes the one that is there if it is ours, and closes it to others. Returns its path.
pub(crate) fn make(folder: &Path) -> io::Result<PathBuf> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made?,
    }
    // Not what a link leads to: somebody else may have put it there.
    let status = fs::symlink_metadata(folder)?;
    if !status.is_dir() || !is_own(&status) {
        return Err(io::Error::other("it is a link, no folder, or another user's"));
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    Ok(folder.to_owned())
}

/// Returns `true` for a folder in which nothing stands but our parts.
fn is_state(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !PARTS.iter().any(|part| entry.as_ref().is_ok_and(|entry| entry.file_name() == *part)) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_own(status: &fs::Metadata) -> bool {
    status.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_state_folder_is_closed_to_others_be_it_new_or_not() {
        let above = tempfile::tempdir().unwrap();
        for made in [false, true] {
            let folder = above.path().join(format!("state-{made}"));
            if made {
                fs::create_dir_all(folder.join(BUCKETS)).unwrap();
                fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
                fs::set_permissions(folder.join(BUCKETS), Permissions::from_mode(0o777)).unwrap();
            }
            open(&folder).unwrap();
            open(&folder).unwrap();
            for path in [folder.clone(), folder.join(BUCKETS), folder.join(QUEUES)] {
                assert_eq!(mode(&path), 0o700, "{}", path.display());
            }
        }
    }

    #[test]
    fn a_folder_with_other_things_keeps_its_rights_and_is_refused_if_others_may_change_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("else"), "").unwrap();
        for (before, is_taken) in [(0o755, true), (0o777, false), (0o1777, true)] {
            fs::set_permissions(folder.path(), Permissions::from_mode(before)).unwrap();
            assert_eq!(open(folder.path()).is_ok(), is_taken, "{before:o}");
            assert_eq!(mode(folder.path()), before & 0o777);
        }
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join(BUCKETS)).unwrap();
        assert!(open(folder.path()).is_err());
        fs::remove_file(folder.path().join(BUCKETS)).unwrap();
        fs::write(folder.path().join(BUCKETS), "").unwrap();
        assert!(open(folder.path()).is_err());
    }
}
