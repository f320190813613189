//! Reads mbox files: many mails in one file, each after a line `From SENDER DATE`.
//!
//! The separating line must follow an empty line (or be the first) and carry a date as ctime writes it, since some
//! writers do not quote `From ` at the beginning of a text's line. Others put `>` before it (mboxo, mboxrd): one is
//! removed.

use std::{
    io::{self, BufRead},
    mem,
};

/// An iterator over the mails of an mbox file.
#[derive(Debug)]
pub(super) struct Mbox<R> {
    reader: R,
    limit: usize,
    mail: Vec<u8>,
    begun: bool,
    after_empty_line: bool,
    ended: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Returns an iterator. Of a mail that is larger than `limit`, at most one byte more than that is kept.
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, mail: Vec::new(), begun: false, after_empty_line: true, ended: false }
    }

    /// Reads the next line with its end, or the rest of a line that is longer than a mail may be.
    fn line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        line.clear();
        io::Read::take(self.reader.by_ref(), self.limit as u64 + 1).read_until(b'\n', line)
    }

    fn push(&mut self, line: &[u8]) {
        let line = unquoted(line);
        let room = (self.limit + 1).saturating_sub(self.mail.len());
        self.mail.extend_from_slice(line.get(..room).unwrap_or(line));
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        while !self.ended {
            match self.line(&mut line) {
                Ok(0) => self.ended = true,
                Ok(_) if !self.begun => self.begun = true,
                Ok(_) if self.after_empty_line && separates(&line) => {
                    self.after_empty_line = false;
                    return Some(Ok(without_last_line(mem::take(&mut self.mail))));
                }
                Ok(_) => {
                    self.after_empty_line = matches!(line.as_slice(), b"\n" | b"\r\n");
                    self.push(&line);
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        mem::take(&mut self.begun).then(|| Ok(without_last_line(mem::take(&mut self.mail))))
    }
}

/// Returns the mail without the empty line before a separator, which belongs to the mbox file.
fn without_last_line(mut mail: Vec<u8>) -> Vec<u8> {
    for end in [b"\n\n".as_slice(), b"\n\r\n"] {
        if mail.ends_with(end) {
            mail.truncate(mail.len() + 1 - end.len());
            break;
        }
    }
    mail
}

/// Removes one `>` from a quoted `From `.
fn unquoted(line: &[u8]) -> &[u8] {
    let rest = line.iter().position(|byte| *byte != b'>').and_then(|quotes| line.get(quotes..)).unwrap_or_default();
    match line {
        [b'>', unquoted @ ..] if rest.starts_with(b"From ") => unquoted,
        _ => line,
    }
}

/// Returns whether a line separates mails: `From SENDER Mon Jan  6 10:00:00 2025`.
fn separates(line: &[u8]) -> bool {
    const DAYS: &[&str] = &["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if !line.starts_with(b"From ") {
        return false;
    }
    let text = String::from_utf8_lossy(line.get(..line.len().min(512)).unwrap_or(line));
    let words: Vec<_> = text.split_whitespace().collect();
    words.windows(4).any(|words| {
        matches!(words, [day, month, number, time]
            if DAYS.contains(day) && MONTHS.contains(month) && number.parse::<u8>().is_ok() && time.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, limit: usize) -> Vec<String> {
        Mbox::new(text.as_bytes(), limit).map(|mail| String::from_utf8(mail.unwrap()).unwrap()).collect()
    }

    #[test]
    fn mails_are_split_at_dated_lines_and_unquoted() {
        let text = "From noc@carrier.example Mon Jan  6 10:00:00 2025\nSubject: one\n\nFrom 10:00 to 11:00 on Monday\n\n\
                    From 12:00 too\n>From here\n>>From there\n> From\n\nFrom - Tue Feb 11 09:00:00 2025\nSubject: two\n\nbody\n\n";
        let one = "Subject: one\n\nFrom 10:00 to 11:00 on Monday\n\nFrom 12:00 too\nFrom here\n>From there\n> From\n";
        assert_eq!(split(text, 1000), [one, "Subject: two\n\nbody\n"]);
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(split(&crlf, 1000), [one, "Subject: two\n\nbody\n"].map(|mail| mail.replace('\n', "\r\n")));
    }

    #[test]
    fn no_more_than_the_limit_is_kept() {
        let text = format!("From a Mon Jan  6 10:00:00 2025\n{}\nFrom b", "x".repeat(1000));
        assert_eq!(split(&text, 100), ["x".repeat(101)]);
    }
}
