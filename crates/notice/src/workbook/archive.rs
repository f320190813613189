//! Measures the parts of a workbook's archive before anything reads them.

use std::io::{self, Cursor, Read, Write};

use memchr::memmem;
use zip::ZipArchive;

use super::{Room, malformed};
use crate::failure::Failure;

/// Endings of the parts that may be read, in lower case.
const READABLE_SUFFIXES: [&str; 2] = [".xml", ".rels"];
/// Maximum number of files in a workbook's archive.
const MAX_FILES: usize = 1_000;
/// Length limit of a tag or a text, in bytes: a cell holds 32,767 letters at most.
pub(super) const MAX_RUN: usize = 128 * 1024;
/// Maximum number of tags in a part, opening and closing ones, by the end of its path; the first match counts. Each element becomes a
/// value in memory, however short it is: an element of a sheet is read and forgotten, a style is copied into each cell format.
const MAX_TAGS: [(&str, usize); 7] = [
    (".rels", 4_000),
    ("styles.xml", 20_000),
    ("workbook.xml", 20_000),
    ("theme1.xml", 20_000),
    ("sharedstrings.xml", 500_000),
    (".xml", 1_000_000),
    ("", 0),
];
/// Maximum number of cell formats, each of which gets a copy of everything that it refers to.
pub(super) const MAX_FORMATS: usize = 4_000;
/// Size limit of the part with the formats, in bytes, so that no copy is long.
pub(super) const MAX_STYLES: usize = 1024 * 1024;
/// Length limit of a tag in that part, in bytes.
pub(super) const MAX_STYLE_TAG: usize = 2_048;

/// Returns a copy of the archive in which only measured parts are readable, and the size of its largest part. Sizes and counts that
/// the archive declares are not trusted: every part that is named as XML is unpacked once and counted; every other one is made
/// unreadable.
pub(super) fn checked(bytes: &[u8], room: &mut Room) -> Result<(Vec<u8>, u64), Failure> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| malformed())?;
    if archive.len() > MAX_FILES {
        return Err(Failure::too_large(format!("a workbook of at most {MAX_FILES} files")));
    }
    let (mut checked, mut largest) = (bytes.to_vec(), 0);
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index).map_err(|_| malformed())?;
        let name = file.name().map_err(|_| malformed())?.to_lowercase();
        let header = file.central_header_start();
        drop(file);
        if READABLE_SUFFIXES.iter().all(|end| !name.ends_with(end)) {
            make_unreadable(&mut checked, header)?;
            continue;
        }
        let file = archive.by_index(index).map_err(|_| malformed())?;
        let mut part = Part::new(&name);
        let copied = io::copy(&mut file.take(room.unpacked + 1), &mut part);
        // Damaged parts have been unpacked as far as they go.
        let unpacked = part.length as u64;
        room.take_unpacked(unpacked)?;
        copied.map_err(|_| malformed())?;
        part.check_limits()?;
        largest = largest.max(unpacked);
    }
    Ok((checked, largest))
}

/// Makes a file of the archive unreadable, by an unknown compression method in its header.
fn make_unreadable(archive: &mut [u8], header: u64) -> Result<(), Failure> {
    const SIGNATURE: &[u8] = b"PK\x01\x02";
    const METHOD: std::ops::Range<usize> = 10..12;
    let header = usize::try_from(header).ok().and_then(|start| archive.get_mut(start..)).ok_or_else(malformed)?;
    if !header.starts_with(SIGNATURE) {
        return Err(malformed());
    }
    header.get_mut(METHOD).ok_or_else(malformed)?.fill(0xff);
    Ok(())
}

/// The counts of a part, taken while it is written.
#[derive(Debug)]
pub(super) struct Part {
    /// Maximum number of its tags.
    max_tags: usize,
    /// `true` if it is the part with the formats.
    is_styles: bool,
    /// Its bytes so far.
    length: usize,
    /// Its tags so far, opening and closing ones.
    tags: usize,
    /// Its cell formats so far.
    formats: usize,
    /// Bytes since the last angle bracket.
    run: usize,
    /// Maximum of `run` so far.
    longest: usize,
    /// Last bytes of the previous piece, so that a word that spans two pieces is found.
    tail: Vec<u8>,
    /// Largest number that a `uniqueCount` declares: the reader would allocate that many texts.
    declared: usize,
}

impl Part {
    pub(super) fn new(name: &str) -> Self {
        let most = MAX_TAGS.iter().find(|(end, _)| name.ends_with(end)).map_or(0, |(_, most)| *most);
        Self {
            max_tags: most,
            is_styles: name.ends_with("styles.xml"),
            length: 0,
            tags: 0,
            formats: 0,
            run: 0,
            longest: 0,
            tail: Vec::new(),
            declared: 0,
        }
    }

    /// Returns a failure if the part exceeds a limit, or declares more texts than it has tags.
    pub(super) fn check_limits(&self) -> Result<(), Failure> {
        let too_large = |what: &str| Err(Failure::too_large(format!("a workbook with {what}")));
        if self.tags > self.max_tags {
            return too_large(&format!("at most {} tags in a part", self.max_tags));
        }
        let (longest, largest) = if self.is_styles { (MAX_STYLE_TAG, MAX_STYLES) } else { (MAX_RUN, usize::MAX) };
        if self.longest.max(self.run) > longest {
            return too_large(&format!("texts of at most {longest} bytes"));
        }
        if self.is_styles && (self.formats > MAX_FORMATS || self.length > largest) {
            return too_large(&format!("at most {MAX_FORMATS} formats of cells"));
        }
        if self.declared > self.tags {
            return Err(malformed());
        }
        Ok(())
    }

    /// Counts formats, and finds declared counts, in a piece and the end of the previous one.
    fn count_words(&mut self, bytes: &[u8]) {
        const COUNT: &[u8] = b"uniqueCount";
        const FORMAT: &[u8] = b"xf";
        const WINDOW: usize = 256;
        let from = self.tail.len();
        self.tail.extend_from_slice(bytes);
        let text = std::mem::take(&mut self.tail);
        if self.is_styles {
            // `<xf …>` or `<x:xf …>`, but neither `</xf>` nor `<dxf>` nor `xfId=`. It counts in the piece of the byte after it.
            let is_tag = |at: &usize| {
                let before = at.checked_sub(1).and_then(|before| text.get(before));
                let after = text.get(at + FORMAT.len());
                matches!(before, Some(b'<' | b':')) && matches!(after, Some(b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'))
            };
            let tags = memmem::find_iter(&text, FORMAT).filter(|at| at + FORMAT.len() >= from && is_tag(at));
            self.formats += tags.count();
        }
        for at in memmem::find_iter(&text, COUNT) {
            let window = text.get(at + COUNT.len()..).unwrap_or_default();
            let window = window.get(..WINDOW - COUNT.len()).unwrap_or(window);
            let number = window.iter().skip_while(|byte| !byte.is_ascii_digit());
            let digits = number.clone().take_while(|byte| byte.is_ascii_digit());
            // A number that fills the window goes on after it. A window that the end of the piece cuts is whole in the next piece.
            let is_endless = window.len() == WINDOW - COUNT.len() && number.count() == digits.clone().count();
            let add = |so_far: usize, digit: &u8| so_far.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
            let declared = if is_endless { usize::MAX } else { digits.fold(0, add) };
            self.declared = self.declared.max(declared);
        }
        let kept = text.len().saturating_sub(WINDOW);
        self.tail = text.get(kept..).unwrap_or_default().to_vec();
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.length = self.length.saturating_add(bytes.len());
        self.tags += memchr::memchr_iter(b'<', bytes).count();
        let mut start = 0;
        for at in memchr::memchr2_iter(b'<', b'>', bytes) {
            self.longest = self.longest.max(self.run + at - start);
            (self.run, start) = (0, at);
        }
        self.run += bytes.len() - start;
        self.count_words(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
