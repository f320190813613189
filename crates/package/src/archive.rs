//! Packs a binary into the zip that Lambda takes: the same bytes for the same binary, today and next year.
//!
//! A zip is kept beside Cargo's output and packed again only if it holds another binary: the comparison is byte by byte,
//! so a kept zip is never stale.

use std::{
    fs::{self, Permissions},
    io::{self, BufReader, Cursor, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use contract::report::BUILD;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{Architecture, Binary, LARGEST_UNPACKED};

/// File name that Lambda starts in a custom runtime.
const NAME: &str = "bootstrap";

/// Folder of kept zips. Rename it when the packing changes: zips that were packed otherwise are then not reused.
const FOLDER: &str = "zip-2";

/// File name of the environment's schema, in the function's crate and in its zip.
pub(super) const SCHEMA: &str = "configuration.json";

/// Digits of the hash by which a function names its build: few enough to read out, and too many to meet by chance.
const BUILD_DIGITS: usize = 16;

/// The content of a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    /// Bytes of the binary.
    pub(super) binary: Vec<u8>,
    /// Schema of the function's environment; `None` if its crate has none.
    pub(super) schema: Option<Vec<u8>>,
    /// Hash of both, which the function writes into its log: see [`contract::report::BUILD`]. A zip cannot have the hash of itself.
    pub(super) build: String,
}

impl Content {
    /// Returns the content of a zip with these files.
    pub(super) fn new(binary: Vec<u8>, schema: Option<Vec<u8>>) -> Self {
        let mut hash = Sha256::new();
        for file in [Some(&binary), schema.as_ref()] {
            // The length keeps files apart, and an empty one from none.
            hash.update(file.map_or(u64::MAX, |file| file.len() as u64).to_be_bytes());
            hash.update(file.map_or(&[][..], Vec::as_slice));
        }
        let mut build = HEXLOWER.encode(&hash.finalize());
        build.truncate(BUILD_DIGITS);
        Self { binary, schema, build }
    }

    /// Returns the unpacked size, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.files().map(|(_, _, bytes)| bytes.len() as u64).sum()
    }

    /// Reads a zip that was made elsewhere.
    pub(super) fn read(zip: &[u8]) -> io::Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(zip))?;
        let binary = file(&mut archive, NAME)?.ok_or_else(no_binary)?;
        Ok(Self::new(binary, file(&mut archive, SCHEMA)?))
    }

    /// Writes the files into a folder, as Lambda unpacks them, and returns the path of the binary.
    pub(super) fn unpack(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        for (name, rights, bytes) in self.files() {
            let path = folder.join(name);
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, Permissions::from_mode(rights))?;
        }
        Ok(folder.join(NAME))
    }

    /// Returns the files in the order in which they are packed: name, rights, bytes.
    fn files(&self) -> impl Iterator<Item = (&'static str, u32, &[u8])> {
        let schema = self.schema.as_deref().map(|schema| (SCHEMA, 0o644, schema));
        let build = (BUILD, 0o644, self.build.as_bytes());
        std::iter::once((NAME, 0o755, self.binary.as_slice())).chain(schema).chain([build])
    }
}

/// Returns the schema in a zip that was made elsewhere; `None` if it has none. The binary, which is large, is not unpacked.
pub(super) fn schema(zip: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    if archive.index_for_name(NAME).is_none() {
        return Err(no_binary());
    }
    file(&mut archive, SCHEMA)
}

/// Unpacks a file of a zip; `None` if there is none of that name.
fn file(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match archive.by_name(name) {
        Err(ZipError::FileNotFound) => return Ok(None),
        file => file?,
    };
    let (mut bytes, most) = (Vec::new(), LARGEST_UNPACKED as u64);
    file.take(most + 1).read_to_end(&mut bytes)?;
    let is_too_large = bytes.len() as u64 > most;
    if is_too_large { Err(invalid(format!("`{name}` has more than 250 MiB"))) } else { Ok(Some(bytes)) }
}

fn no_binary() -> io::Error {
    invalid(format!("it has no file `{NAME}`"))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// A zip, made or to be made.
#[derive(Debug)]
pub(super) struct Archive {
    /// Path of the kept zip.
    pub(super) path: PathBuf,
}

impl Archive {
    /// Returns the zip of a binary, which may not be made yet.
    pub(super) fn new(output: &Path, binary: &Binary<'_>, architecture: Architecture) -> Self {
        let name = format!("{}-{}-{}.zip", binary.package, binary.bin, architecture.name());
        Self { path: output.join(FOLDER).join(name) }
    }

    /// Returns the zip with this content.
    pub(super) fn pack(&self, content: &Content) -> io::Result<Vec<u8>> {
        if let Some(kept) = self.kept(content) {
            return Ok(kept);
        }
        let zip = pack(content)?;
        self.keep(&zip)?;
        Ok(zip)
    }

    /// Returns the kept zip if it has exactly this content.
    fn kept(&self, content: &Content) -> Option<Vec<u8>> {
        let zip = fs::read(&self.path).ok()?;
        let mut archive = ZipArchive::new(Cursor::new(&zip)).ok()?;
        if archive.len() != content.files().count() {
            return None;
        }
        for (name, _, bytes) in content.files() {
            if !holds(archive.by_name(name).ok()?, bytes)? {
                return None;
            }
        }
        Some(zip)
    }

    /// Writes the zip atomically, since a run may end at any moment.
    fn keep(&self, zip: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(zip)?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Packs the zip, always with the same time, permissions and compression.
fn pack(content: &Content) -> io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .system(System::Unix)
        .last_modified_time(DateTime::DEFAULT)
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, rights, bytes) in content.files() {
        zip.start_file(name, options.unix_permissions(rights))?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Returns whether a stream has exactly these bytes; `None` if it cannot be read to its end.
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
        let binary = Binary { folder, package: "maintenance", bin: "maintenance" };
        Archive::new(folder, &binary, Architecture::X86_64)
    }

    fn content(binary: &[u8]) -> Content {
        Content::new(binary.to_vec(), Some(b"{}".to_vec()))
    }

    #[test]
    fn the_same_content_becomes_the_same_bytes() {
        let content = content(&b"binary ".repeat(1000));
        let zip = pack(&content).unwrap();
        assert_eq!(zip, pack(&content).unwrap());
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        let file = archive.by_name("bootstrap").unwrap();
        assert_eq!((file.unix_mode(), file.size()), (Some(0o100_755), 7000));
        assert_eq!(file.last_modified().map(|time| time.to_string()), Some("1980-01-01 00:00:00".to_owned()));
        drop(file);
        let schema = archive.by_name("configuration.json").unwrap();
        assert_eq!((schema.unix_mode(), schema.size()), (Some(0o100_644), 2));
        drop(schema);
        let mut build = String::new();
        archive.by_name("build.txt").unwrap().read_to_string(&mut build).unwrap();
        assert_eq!(build, content.build);
        let zip = pack(&content).unwrap();
        assert_eq!(Content::read(&zip).unwrap(), content);
        assert_eq!(super::schema(&zip).unwrap(), content.schema);
    }

    #[test]
    fn each_content_has_a_build_of_its_own() {
        let contents = [
            Content::new(b"a".to_vec(), None),
            Content::new(b"a".to_vec(), Some(Vec::new())),
            Content::new(b"a".to_vec(), Some(b"b".to_vec())),
            Content::new(b"ab".to_vec(), Some(Vec::new())),
            Content::new(b"ab".to_vec(), None),
        ];
        let builds: std::collections::BTreeSet<&str> = contents.iter().map(|content| content.build.as_str()).collect();
        assert_eq!(builds.len(), contents.len());
        assert!(builds.iter().all(|build| contract::report::is_build(build)), "{builds:?}");
        assert_eq!(Content::new(b"a".to_vec(), None), contents[0]);
    }

    #[test]
    fn a_kept_zip_is_reused_only_for_identical_content() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        let first = archive.pack(&content(b"first")).unwrap();
        assert_eq!(archive.kept(&content(b"first")).as_ref(), Some(&first));
        for other in [b"firs".as_slice(), b"first!", b"second", b""] {
            assert_eq!(archive.kept(&content(other)), None, "{other:?}");
        }
        for schema in [None, Some(b"[]".to_vec()), Some(Vec::new())] {
            assert_eq!(archive.kept(&Content::new(b"first".to_vec(), schema)), None);
        }
        assert_ne!(archive.pack(&content(b"second")).unwrap(), first);
        assert_eq!(archive.kept(&content(b"first")), None);
    }

    #[test]
    fn a_damaged_kept_zip_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(folder.path());
        let content = content(&b"binary ".repeat(1000));
        let whole = archive.pack(&content).unwrap();
        for length in 0..whole.len() {
            fs::write(&archive.path, &whole[..length]).unwrap();
            assert_eq!(archive.kept(&content), None, "{length}");
        }
        let mut changed = whole.clone();
        changed[60] ^= 1;
        fs::write(&archive.path, changed).unwrap();
        assert_eq!(archive.pack(&content).unwrap(), whole);
        assert_eq!(fs::read(&archive.path).unwrap(), whole);
    }
}
