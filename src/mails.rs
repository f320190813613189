//! Mails on disk: files, folders, mbox files, standard input. What `parse` reads and `dev --deliver` delivers.
//!
//! A folder is walked recursively, in the order of the names. What counts as a mail in it: a name that ends with `.eml`,
//! `.mail`, `.mbox` or `.mbx`; a name without an ending (S3's objects have none) if it begins like a mail. Hidden files
//! and folders do not count. A file that is named itself always counts.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use walkdir::WalkDir;

/// The endings of mails' names.
const ENDINGS: [&str; 4] = ["eml", "mail", "mbox", "mbx"];

/// A mail, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundMail {
    /// The file as typed or below the folder as typed; `FILE#N` for the mails of an mbox file; `-` for standard input.
    pub(crate) name: String,
    /// The mail.
    pub(crate) bytes: Vec<u8>,
}

/// Why mails could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotRead {
    /// The system said no.
    #[error("Failed to read `{}`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing to do.
    #[error("Failed to find a mail in `{}`", .0.display())]
    NoMails(PathBuf),
}

/// The files behind what was typed, in order: folders become the mails in them.
pub(crate) fn files(typed: &[PathBuf]) -> Result<Vec<PathBuf>, NotRead> {
    let mut files = Vec::new();
    for path in typed {
        if is_standard_input(path) || !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_str().is_some_and(|name| name.starts_with('.'))
        };
        for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(|entry| !hidden(entry)) {
            let entry = entry.map_err(|error| NotRead::Unreadable {
                path: error.path().unwrap_or(path).to_owned(),
                source: error.into(),
            })?;
            if entry.path().is_file() && is_mail(entry.path()) {
                files.push(entry.into_path());
            }
        }
        if files.len() == before {
            return Err(NotRead::NoMails(path.clone()));
        }
    }
    Ok(files)
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn is_mail(path: &Path) -> bool {
    match path.extension() {
        Some(ending) => ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)),
        None => begins_like_a_mail(path),
    }
}

/// Whether a file begins with a header, or as an mbox file does.
fn begins_like_a_mail(path: &Path) -> bool {
    let mut line = Vec::new();
    let read = File::open(path).and_then(|file| BufReader::new(file).take(1000).read_until(b'\n', &mut line));
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_header = name.len() < line.len() && !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    read.is_ok() && (is_header || line.starts_with(b"From "))
}

/// The mails of one file, one after the other: one, or those of an mbox file, which begins with `From `.
pub(crate) fn mails(path: &Path) -> Result<Mails, NotRead> {
    let unreadable = |source| NotRead::Unreadable { path: path.to_owned(), source };
    let mut reader: Box<dyn BufRead> = if is_standard_input(path) {
        Box::new(BufReader::new(io::stdin()))
    } else {
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Box::new(BufReader::new(file))
    };
    let mut first = Vec::new();
    (&mut reader).take(FROM.len() as u64).read_to_end(&mut first).map_err(unreadable)?;
    let kind = if first == FROM {
        // The rest of the separator line says who and when, and the mail does so better.
        reader.read_until(b'\n', &mut first).map_err(unreadable)?;
        Kind::Mbox { number: 0 }
    } else {
        Kind::Mail { first }
    };
    Ok(Mails { path: path.to_owned(), reader, kind: Some(kind) })
}

const FROM: &[u8] = b"From ";

/// The mails of one file.
pub(crate) struct Mails {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    /// `None` when there is no more.
    kind: Option<Kind>,
}

enum Kind {
    Mail {
        /// The bytes that were looked at.
        first: Vec<u8>,
    },
    Mbox {
        /// Of the mail before.
        number: usize,
    },
}

impl Iterator for Mails {
    type Item = Result<FoundMail, NotRead>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = match self.kind.take()? {
            Kind::Mail { first: mut bytes } => {
                self.reader.read_to_end(&mut bytes).map(|_| FoundMail { name: self.path.display().to_string(), bytes })
            }
            Kind::Mbox { number } => self
                .read_to_separator()
                .map(|bytes| FoundMail { name: format!("{}#{}", self.path.display(), number + 1), bytes })
                .inspect(|_| {
                    if let Some(Kind::Mbox { number: next }) = &mut self.kind {
                        *next = number + 1;
                    }
                }),
        };
        Some(read.map_err(|source| NotRead::Unreadable { path: self.path.clone(), source }))
    }
}

impl Mails {
    /// Reads one mail of an mbox file, up to an empty line and `From `. `>From ` at the start of a line is quoted.
    fn read_to_separator(&mut self) -> io::Result<Vec<u8>> {
        let (mut mail, mut line, mut after_empty) = (Vec::new(), Vec::new(), true);
        loop {
            line.clear();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(mail);
            }
            if after_empty && line.starts_with(FROM) {
                self.kind = Some(Kind::Mbox { number: 0 });
                return Ok(mail);
            }
            after_empty = matches!(line.as_slice(), b"\n" | b"\r\n");
            let unquoted = line.iter().position(|byte| *byte != b'>').and_then(|quotes| line.get(quotes..));
            let quoted = unquoted.is_some_and(|rest| rest.len() < line.len() && rest.starts_with(FROM));
            mail.extend_from_slice(line.get(usize::from(quoted)..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        mails(&path)
            .unwrap()
            .map(|mail| {
                let mail = mail.unwrap();
                (mail.name.rsplit('/').next().unwrap().to_owned(), String::from_utf8(mail.bytes).unwrap())
            })
            .collect()
    }

    #[test]
    fn a_file_is_one_mail_byte_by_byte() {
        for mail in ["Subject: a\r\n\r\nFrom here\n\nFrom there\n", "From: a@carrier.example\n\n", "", "F", "From"] {
            assert_eq!(read("a.eml", mail.as_bytes()), [("a.eml".to_owned(), mail.to_owned())]);
        }
    }

    #[test]
    fn an_mbox_file_is_split_and_unquoted() {
        let mbox = "From a@x.example Tue Jan  5 10:15:30 2027\nSubject: one\n\nFrom the NOC\n>From us\n>>From them\n> From\n\n\
                    From b@x.example Tue Jan  5 10:15:30 2027\r\nSubject: two\r\n\r\nbody\r\n";
        // "From the NOC" follows an empty line: a separator, as mbox files are; writers quote it.
        let mails = read("box.mbox", mbox.replace("From the NOC", ">From the NOC").as_bytes());
        assert_eq!(
            mails,
            [
                ("box.mbox#1".to_owned(), "Subject: one\n\nFrom the NOC\nFrom us\n>From them\n> From\n\n".to_owned()),
                ("box.mbox#2".to_owned(), "Subject: two\r\n\r\nbody\r\n".to_owned()),
            ]
        );
    }

    #[test]
    fn a_folder_is_what_looks_like_mails_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("b/two.EML", "x");
        write("b/.hidden.eml", "x");
        write(".git/three.eml", "x");
        write("a/object", "Return-Path: <a@x.example>\r\n");
        write("a/README", "Some words: and a colon\n");
        write("a/data.json", "{}");
        write("z.mbox", "From ");
        let found = files(&[folder.path().to_owned(), PathBuf::from("-")]).unwrap();
        let names: Vec<String> =
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap_or(path).display().to_string()).collect();
        assert_eq!(names, ["a/object", "b/two.EML", "z.mbox", "-"]);
        assert!(
            matches!(files(&[folder.path().join(".git/none"), folder.path().join("empty")]), Ok(files) if files.len() == 2)
        );
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        assert!(matches!(files(&[folder.path().join("empty")]), Err(NotRead::NoMails(_))));
        assert!(mails(&folder.path().join("missing.eml")).is_err());
        assert!(mails(folder.path()).is_err());
    }
}
