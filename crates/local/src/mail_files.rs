//! Reads the mails of files, folders, mbox files and standard input, one after the other and unchanged.
//!
//! A named file is a mail, or an mbox file if it begins with `From `. In a folder and its subfolders, a file is read if
//! its name ends in `.eml`, `.mail`, `.msg` or `.mbox`, or if it begins as a mail does, such as an object that SES
//! stored; hidden files are not read. Folders are read in the order of their names.

mod mbox;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    iter,
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use mbox::Mbox;
use problem::Problem;

/// A mail and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFile {
    /// The path as typed or found, `PATH#N` for the Nth mail of an mbox file, `-` for standard input.
    pub name: String,
    /// Bytes of the mail, unchanged.
    pub bytes: Vec<u8>,
}

/// Size limit of a mail, in bytes; SES takes 40 MB.
pub const LARGEST_MAIL: usize = 64 * 1024 * 1024;

/// Number of bytes that are read to tell a file's type.
const HEAD: usize = 512;

/// The first bytes of Outlook's own file format, an OLE container.
const OUTLOOK: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

/// Names of the headers with which mails begin.
const FIRST_HEADERS: &[&str] = &[
    "arc-seal",
    "authentication-results",
    "content-type",
    "date",
    "delivered-to",
    "dkim-signature",
    "from",
    "message-id",
    "mime-version",
    "received",
    "received-spf",
    "reply-to",
    "return-path",
    "sender",
    "subject",
    "to",
];

type Mails = Box<dyn Iterator<Item = Result<MailFile, Problem>>>;

/// Returns the mails of these paths in order; `-` is standard input. A file that cannot be read is an item too, and the
/// others follow.
pub fn read(paths: &[PathBuf]) -> impl Iterator<Item = Result<MailFile, Problem>> {
    paths
        .iter()
        .flat_map(|path| if path.as_os_str() == "-" { of_reader("-", io::stdin().lock()) } else { of_path(path) })
}

fn of_path(path: &Path) -> Mails {
    if !path.is_dir() {
        return of_file(path);
    }
    let mut files = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter().filter_entry(is_visible);
    let files = iter::from_fn(move || {
        loop {
            match files.next()? {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => match is_mail(entry.path()) {
                    Ok(true) => return Some(Ok(entry.into_path())),
                    Ok(false) => {}
                    Err(error) => return Some(Err(unreadable(&entry.path().display().to_string(), error))),
                },
                Err(error) => {
                    let name = error.path().map_or_else(String::new, |path| path.display().to_string());
                    return Some(Err(Problem::new(format!("Failed to read `{name}`")).with_source(error)));
                }
            }
        }
    });
    let mut files = files.peekable();
    if files.peek().is_none() {
        let problem = Problem::new(format!("Failed to find a mail in the folder `{}`", path.display())).with_hint(
            "a file counts if it is named `.eml`, `.mail`, `.msg` or `.mbox`, or begins with a mail's headers",
        );
        return Box::new(iter::once(Err(problem)));
    }
    Box::new(files.flat_map(|file| match file {
        Ok(path) => of_file(&path),
        Err(problem) => Box::new(iter::once(Err(problem))),
    }))
}

fn is_visible(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn is_mail(path: &Path) -> io::Result<bool> {
    let extension = path.extension().unwrap_or_default();
    if ["eml", "mail", "msg", "mbox"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        return Ok(true);
    }
    if !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(begins_as_a_mail(&head))
}

fn begins_as_a_mail(head: &[u8]) -> bool {
    if head.starts_with(b"From ") {
        return true;
    }
    let name: Vec<u8> = head.iter().take_while(|byte| !matches!(byte, b':' | b'\n')).copied().collect();
    let is_header = |name: &str| FIRST_HEADERS.contains(&name) || name.starts_with("x-");
    head.get(name.len()) == Some(&b':') && str::from_utf8(&name).is_ok_and(|name| is_header(&name.to_ascii_lowercase()))
}

fn of_file(path: &Path) -> Mails {
    let name = path.display().to_string();
    match File::open(path) {
        Ok(file) => of_reader(&name, BufReader::new(file)),
        Err(error) => Box::new(iter::once(Err(unreadable(&name, error)))),
    }
}

fn of_reader(name: &str, mut reader: impl BufRead + 'static) -> Mails {
    let mut head = Vec::new();
    if let Err(error) = reader.by_ref().take(HEAD as u64).read_to_end(&mut head) {
        return Box::new(iter::once(Err(unreadable(name, error))));
    }
    let name = name.to_owned();
    if head.starts_with(b"From ") {
        let mails = Mbox::new(io::Cursor::new(head).chain(reader), LARGEST_MAIL);
        return Box::new((1_usize..).zip(mails).map(move |(number, mail)| {
            let name = format!("{name}#{number}");
            check(&name, mail).map(|bytes| MailFile { name, bytes })
        }));
    }
    let mut bytes = head;
    let rest = reader.take((LARGEST_MAIL + 1).saturating_sub(bytes.len()) as u64).read_to_end(&mut bytes);
    Box::new(iter::once(check(&name, rest.map(|_| bytes)).map(|bytes| MailFile { name, bytes })))
}

fn check(name: &str, mail: io::Result<Vec<u8>>) -> Result<Vec<u8>, Problem> {
    let bytes = mail.map_err(|error| unreadable(name, error))?;
    let problem = |what: &str| Problem::new(format!("Failed to read `{name}`: {what}"));
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(problem("it is empty"));
    }
    if bytes.len() > LARGEST_MAIL {
        return Err(problem(&format!("it is larger than {} MiB", LARGEST_MAIL / 1024 / 1024)));
    }
    if bytes.starts_with(OUTLOOK) {
        return Err(problem("it is in Outlook's own format").with_hint("save the mail as `.eml`"));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: io::Error) -> Problem {
    Problem::new(format!("Failed to read `{name}`")).with_source(error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(folder: &Path, mails: impl Iterator<Item = Result<MailFile, Problem>>) -> Vec<String> {
        let prefix = format!("{}/", folder.display());
        mails
            .map(|mail| match mail {
                Ok(mail) => mail.name.replace(&prefix, ""),
                Err(problem) => problem.to_string().replace(&prefix, ""),
            })
            .collect()
    }

    #[test]
    fn a_folder_holds_the_mails_below_it_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        write("b/two.EML", "Subject: two\n\n2");
        write("b/expected.json", "{}");
        write("a/0123456789abcdef", "Return-Path: <noc@carrier.example>\n\nstored by SES");
        write("a/README.md", "# Note: no mail");
        write("a/.hidden.eml", "Subject: no\n\n");
        write(
            "z.mbox",
            "From a Mon Jan  6 10:00:00 2025\nSubject: 1\n\n1\n\nFrom b Mon Jan  6 10:00:00 2025\nSubject: 2\n\n2\n",
        );
        write("c/empty.eml", " \n");
        let found = names(folder.path(), read(&[folder.path().to_owned()]));
        let expected =
            ["a/0123456789abcdef", "b/two.EML", "Failed to read `c/empty.eml`: it is empty", "z.mbox#1", "z.mbox#2"];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_folder_without_mails_is_a_problem_with_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
        let problems: Vec<_> = read(&[folder.path().to_owned()]).filter_map(Result::err).collect();
        assert!(matches!(problems.as_slice(), [problem] if problem.hint().is_some()), "{problems:?}");
    }

    #[test]
    fn a_named_file_is_a_mail_unless_it_is_outlooks() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("note.txt");
        fs::write(&note, "no header at all").unwrap();
        let message = folder.path().join("message.msg");
        fs::write(&message, [OUTLOOK, b"rest"].concat()).unwrap();
        let found = names(folder.path(), read(&[note, message, folder.path().join("missing.eml")]));
        let outlook = "Failed to read `message.msg`: it is in Outlook's own format";
        assert_eq!(found, ["note.txt", outlook, "Failed to read `missing.eml`"]);
    }
}
