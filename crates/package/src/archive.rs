//! A binary → the zip that Lambda takes: the same bytes for the same binary, today and next year.
//!
//! A zip is kept beside what Cargo built, and made again only when the binary in it is not this one: that is compared byte
//! by byte, so that what was kept is never stale.

use std::{
    fs,
    io::{self, BufReader, Cursor, Read, Write},
    path::{Path, PathBuf},
};

use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{Architecture, Request};

/// What Lambda starts in a runtime of the account's own.
const NAME: &str = "bootstrap";

/// Where zips are kept. To be changed with how they are made: what was made otherwise is not kept.
const FOLDER: &str = "zip-1";

/// A zip, made or to be made.
#[derive(Debug)]
pub(super) struct Archive {
    /// Where it is kept.
    pub(super) path: PathBuf,
}

impl Archive {
    /// The zip of a binary.
    pub(super) fn new(output: &Path, request: &Request<'_>, architecture: Architecture) -> Self {
        let name = format!("{}-{}-{}.zip", request.package, request.bin, architecture.name());
        Self { path: output.join(FOLDER).join(name) }
    }

    /// The zip with this binary in it.
    pub(super) fn pack(&self, binary: &[u8]) -> io::Result<Vec<u8>> {
        if let Some(kept) = self.kept(binary) {
            return Ok(kept);
        }
        let zip = pack(binary)?;
        self.keep(&zip)?;
        Ok(zip)
    }

    /// The zip that was kept, if that very binary is in it.
    fn kept(&self, binary: &[u8]) -> Option<Vec<u8>> {
        let zip = fs::read(&self.path).ok()?;
        let mut archive = ZipArchive::new(Cursor::new(&zip)).ok()?;
        let is_it = archive.len() == 1 && holds(archive.by_name(NAME).ok()?, binary)?;
        is_it.then_some(zip)
    }

    /// Keeps a zip: as a whole or not at all, since a run may end at any moment.
    fn keep(&self, zip: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(zip)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Makes the zip: always the same time, the same rights and the same compression.
fn pack(binary: &[u8]) -> io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .system(System::Unix)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(NAME, options)?;
    zip.write_all(binary)?;
    Ok(zip.finish()?.into_inner())
}

/// Whether a stream is these bytes. `None`: it cannot be read to its end.
fn holds(stream: impl Read, bytes: &[u8]) -> Option<bool> {
    let (mut stream, mut rest, mut piece) = (BufReader::new(stream), bytes, [0; 16 * 1024]);
    loop {
        let length = stream.read(&mut piece).ok()?;
        if length == 0 {
            return Some(rest.is_empty());
        }
        match piece.get(..length).and_then(|piece| rest.strip_prefix(piece)) {
            Some(remaining) => rest = remaining,
            None => return Some(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(folder: &Path) -> Archive {
        let request = Request { folder, package: "maintenance", bin: "maintenance" };
        Archive::new(folder, &request, Architecture::X86_64)
    }

    #[test]
    fn the_same_binary_becomes_the_same_bytes() {
        let zip = pack(&b"binary ".repeat(1000)).unwrap();
        assert_eq!(zip, pack(&b"binary ".repeat(1000)).unwrap());
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        let file = archive.by_name("bootstrap").unwrap();
        assert_eq!((file.unix_mode(), file.size()), (Some(0o100_755), 7000));
        assert_eq!(file.last_modified().map(|time| time.to_string()), Some("1980-01-01 00:00:00".to_owned()));
    }

    #[test]
    fn what_is_kept_is_taken_only_for_that_very_binary() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        let first = archive.pack(b"first").unwrap();
        assert_eq!(archive.kept(b"first").as_ref(), Some(&first));
        for other in [b"firs".as_slice(), b"first!", b"second", b""] {
            assert_eq!(archive.kept(other), None, "{other:?}");
        }
        assert_ne!(archive.pack(b"second").unwrap(), first);
        assert_eq!(archive.kept(b"first"), None);
    }

    #[test]
    fn what_was_kept_and_is_broken_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        let whole = archive.pack(&b"binary ".repeat(1000)).unwrap();
        for length in 0..whole.len() {
            fs::write(&archive.path, &whole[..length]).unwrap();
            assert_eq!(archive.kept(&b"binary ".repeat(1000)), None, "{length}");
        }
        let mut changed = whole.clone();
        changed[60] ^= 1;
        fs::write(&archive.path, changed).unwrap();
        assert_eq!(archive.pack(&b"binary ".repeat(1000)).unwrap(), whole);
        assert_eq!(fs::read(&archive.path).unwrap(), whole);
    }
}
