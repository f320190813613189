//! Folders that nobody else of this machine can look into: mails, and what functions keep.
//!
//! One run at a time has a state folder: a lock says whose it is. The system takes the lock away from a process that ends, however it
//! ends, so that none is ever left behind.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The folder of the buckets.
pub(crate) const BUCKETS: &str = "buckets";
/// The folder of the failure queues.
pub(crate) const QUEUES: &str = "queues";
/// The file that is locked by the run whose folder it is, with that run's process in it.
const LOCK: &str = "lock";
/// The certificate of the SMTP server, as PEM.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
/// Folders in a state folder.
const PARTS: [&str; 2] = [BUCKETS, QUEUES];
/// Everything in a state folder.
const ALL: [&str; 4] = [BUCKETS, QUEUES, LOCK, CERTIFICATE];
/// Beginning of the names of files that are being written.
const UNFINISHED: &str = ".unfinished-";

/// A lock on a folder; dropping it lets others have the folder.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// The reasons why a folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    /// Another run has it.
    #[error("{0}")]
    Held(String),
    #[error(transparent)]
    Failed(#[from] io::Error),
}

/// Makes files and folders of this process its user's alone, from now on: libraries write some of them.
pub(crate) fn keep_to_ourselves() {
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
}

/// Opens the state folder, which need not exist, and makes the folders in it. A folder that is there and holds something else keeps
/// its rights; what is ours in it is closed to others. What a killed run was writing is removed.
pub(crate) fn open(folder: &Path) -> Result<Lock, NotOpened> {
    match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let status = fs::metadata(folder)?;
    if is_state(folder)? && is_own(&status) {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    } else if status.mode() & 0o022 != 0 && status.mode() & 0o1000 == 0 {
        let others = "others may change what is in it: choose another, or `chmod 700` it";
        return Err(io::Error::other(others).into());
    }
    let lock = lock(&folder.join(LOCK))?;
    for part in PARTS {
        remove_unfinished(&make(&folder.join(part))?)?;
    }
    Ok(lock)
}

/// Locks a file, which need not exist, for as long as the lock is held.
pub(crate) fn lock(file: &Path) -> Result<Lock, NotOpened> {
    let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_link);
    let mut file = options.open(file)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _it_may_be_empty = (&mut file).take(100).read_to_string(&mut holder);
            let process = holder.trim().parse().map_or_else(|_| String::new(), |id: u32| format!(", process {id}"));
            return Err(NotOpened::Held(format!("another `provision dev` uses it{process}")));
        }
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
    Ok(Lock { _file: file })
}

/// Returns `true` if a run of this user has had this lock, and has ended.
pub(crate) fn is_left(file: &Path) -> bool {
    // Of a run that is about to lock it the file is empty.
    let is_ours = |status: &fs::Metadata| status.is_file() && is_own(status) && status.len() > 0;
    fs::symlink_metadata(file).is_ok_and(|status| is_ours(&status))
        && File::open(file).is_ok_and(|file| file.try_lock().is_ok())
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

/// Writes a file: when this returns, it is there as a whole; before, nothing of it is.
pub(crate) async fn write(path: &Path, bytes: Vec<u8>) -> io::Result<()> {
    let path = path.to_owned();
    let write = move || write_from(path.parent().unwrap_or(Path::new("")), &path, &bytes);
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

/// Writes a file as a whole, from a folder of the same file system in which it is begun.
pub(crate) fn write_from(folder: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path).map_err(io::Error::from)?;
    Ok(())
}

/// Removes the files that a killed run was writing, in a folder and in those directly below it.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            for entry in fs::read_dir(entry.path())? {
                remove_if_unfinished(&entry?)?;
            }
        } else {
            remove_if_unfinished(&entry)?;
        }
    }
    Ok(())
}

fn remove_if_unfinished(entry: &fs::DirEntry) -> io::Result<()> {
    let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED) && entry.file_type()?.is_file();
    if is_unfinished { fs::remove_file(entry.path()) } else { Ok(()) }
}

/// Returns `true` for a folder in which nothing stands but what is ours.
fn is_state(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if !ALL.iter().any(|part| entry.as_ref().is_ok_and(|entry| entry.file_name() == *part)) {
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
            drop(open(&folder).unwrap());
            fs::write(folder.join(CERTIFICATE), "").unwrap();
            fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
            let _lock = open(&folder).unwrap();
            for path in [folder.clone(), folder.join(BUCKETS), folder.join(QUEUES)] {
                assert_eq!(mode(&path), 0o700, "{}", path.display());
            }
            assert_eq!(mode(&folder.join(LOCK)), 0o600);
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
        for part in PARTS.into_iter().chain([LOCK]) {
            let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let target = elsewhere.path().join("target");
            if part == LOCK {
                fs::write(&target, "theirs").unwrap();
            } else {
                fs::create_dir(&target).unwrap();
            }
            std::os::unix::fs::symlink(&target, folder.path().join(part)).unwrap();
            assert!(open(folder.path()).is_err(), "{part}");
            fs::remove_file(folder.path().join(part)).unwrap();
            assert!(part == LOCK || fs::write(folder.path().join(part), "").is_ok());
            assert_eq!(open(folder.path()).is_ok(), part == LOCK, "{part}");
            assert!(part != LOCK || fs::read(&target).unwrap() == b"theirs");
        }
    }

    #[test]
    fn one_run_at_a_time_has_a_folder_and_the_next_one_says_which() {
        let folder = tempfile::tempdir().unwrap();
        let lock = open(folder.path()).unwrap();
        let expected = format!("another `provision dev` uses it, process {}", std::process::id());
        assert_eq!(open(folder.path()).unwrap_err().to_string(), expected);
        let file = folder.path().join(LOCK);
        assert!(!is_left(&file));
        drop(lock);
        assert!(is_left(&file));
        let _lock = open(folder.path()).unwrap();
        let (missing, empty) = (folder.path().join("missing"), folder.path().join("empty"));
        fs::write(&empty, "").unwrap();
        assert!(!is_left(&file) && !is_left(&missing) && !is_left(&empty));
    }

    #[test]
    fn what_was_being_written_is_removed_at_the_next_start_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()).unwrap());
        let (buckets, queue) = (folder.path().join(BUCKETS), folder.path().join(QUEUES).join("failed"));
        fs::create_dir(&queue).unwrap();
        fs::create_dir(buckets.join(".unfinished-bucket")).unwrap();
        let paths = |name: &str| [buckets.join(name), queue.join(name)];
        for path in paths(".unfinished-1a2b").iter().chain(&paths("mail")) {
            fs::write(path, "half").unwrap();
        }
        drop(open(folder.path()).unwrap());
        assert!(paths("mail").iter().all(|path| path.is_file()));
        assert!(!paths(".unfinished-1a2b").iter().any(|path| path.exists()));
        assert!(buckets.join(".unfinished-bucket").is_dir());
    }
}
