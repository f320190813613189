//! The temporary folder of a run: functions that were unpacked, and the state if nobody keeps it. It is removed at the end of the run. Of
//! a run that was killed the next one removes it: mails must not stay behind.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::private::{self, Lock, NotOpened};

/// Beginning of the names of these folders.
const PREFIX: &str = "provision-dev-";
/// The file in it that its run has locked. No other folder has it, whatever it is called.
const LOCK: &str = "scratch";

/// A temporary folder; dropping it removes it.
#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: Lock,
}

impl Scratch {
    /// Makes a folder, and removes those of killed runs.
    pub fn new() -> io::Result<Self> {
        let above = std::env::temp_dir();
        Self::in_folder(&above)
    }

    fn in_folder(above: &Path) -> io::Result<Self> {
        for left in left_in(above) {
            // Somebody else may be removing it, too.
            let _it_is_gone = fs::remove_dir_all(left);
        }
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(PREFIX).permissions(private).tempdir_in(above)?;
        let lock = private::lock(&folder.path().join(LOCK)).map_err(|error| match error {
            NotOpened::Failed(error) => error,
            held @ NotOpened::Held(_) => io::Error::other(held),
        })?;
        Ok(Self { folder, _lock: lock })
    }

    /// Returns the path of a folder or file in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Removes the folder with all that is in it.
    pub fn close(self) -> io::Result<()> {
        self.folder.close()
    }
}

/// Returns the folders of runs that were killed.
fn left_in(above: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path()).filter(|folder| private::is_left(&folder.join(LOCK))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_killed_run_is_removed_and_that_of_a_running_one_is_not() {
        let above = tempfile::tempdir().unwrap();
        let running = Scratch::in_folder(above.path()).unwrap();
        let killed = Scratch::in_folder(above.path()).unwrap();
        let left = killed.folder.path().to_owned();
        fs::create_dir_all(left.join("state/buckets")).unwrap();
        let Scratch { mut folder, _lock: lock } = killed;
        folder.disable_cleanup(true);
        drop((folder, lock));
        // Somebody keeps a state there.
        drop(private::open(&above.path().join("provision-dev-kept")).unwrap());
        let next = Scratch::in_folder(above.path()).unwrap();
        assert!(!left.exists());
        assert!(running.join(LOCK).is_file() && next.join(LOCK).is_file());
        let others: Vec<_> = fs::read_dir(above.path()).unwrap().collect();
        assert_eq!(others.len(), 3);
        next.close().unwrap();
        running.close().unwrap();
    }
}
