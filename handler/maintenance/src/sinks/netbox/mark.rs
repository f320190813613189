//! The last line of a notification: it tells which mail the notification is, whatever words the mail shares with others, and for whom it
//! is there. No mail can write it, since what a mail says stands above it.

/// The purpose of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It shows the mail with an event.
    OfEvent,
    /// It is there for a person to look at the mail.
    ForPerson,
}

/// The mark of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Purpose of the notification.
    pub role: Role,
    /// The mail: see [`ArrivedMail::fingerprint`](crate::pipeline::arrived_mail::ArrivedMail::fingerprint).
    pub mail: String,
}

const OPEN: &str = "[provision: ";
const SHUT: &str = "]";

impl Role {
    /// Returns why a notification is stored, for NetBox's changelog.
    pub fn reason(self) -> &'static str {
        match self {
            Self::OfEvent => "the mail of an event is stored",
            Self::ForPerson => "a mail is for a person",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::OfEvent => "mail",
            Self::ForPerson => "for a person, mail",
        }
    }
}

impl Mark {
    /// Returns the line as it stands in NetBox.
    pub fn line(&self) -> String {
        format!("{OPEN}{} {}{SHUT}", self.role.word(), self.mail)
    }

    /// Reads the mark of a body; `None` if it has none, such as a notification that a person has made.
    pub fn read(body: &str) -> Option<Self> {
        let body = trimmed(body);
        let body = body.strip_suffix("</p>").unwrap_or(body);
        let last = body.get(body.rfind(OPEN)? + OPEN.len()..)?.strip_suffix(SHUT)?;
        let (word, mail) = last.rsplit_once(' ')?;
        let role = [Role::OfEvent, Role::ForPerson].into_iter().find(|role| role.word() == word)?;
        let is_digest = !mail.is_empty() && mail.chars().all(|digit| digit.is_ascii_hexdigit());
        is_digest.then(|| Self { role, mail: mail.to_owned() })
    }
}

/// Returns the text as NetBox stores it: NetBox strips surrounding whitespace (Python's `str.strip`).
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|letter: char| letter.is_whitespace() || letter.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_only_the_last_line_counts() {
        for role in [Role::OfEvent, Role::ForPerson] {
            let mark = Mark { role, mail: "0123abcd".to_owned() };
            let other = Mark { role: Role::ForPerson, mail: "ffff".to_owned() };
            for body in [
                format!("{}\n\n{}\n", other.line(), mark.line()),
                format!("<p>{}</p>\n<p>{}</p>", other.line(), mark.line()),
            ] {
                assert_eq!(Mark::read(&body), Some(mark.clone()), "{body}");
                assert_eq!(Mark::read(&format!("{body}\na person's words")), None);
            }
        }
        for none in ["", "words", "[provision: mail ]", "[provision: letter 12]", "[provision: mail 12] "] {
            assert_eq!(Mark::read(none).is_some(), none.ends_with("12] "), "{none}");
        }
    }
}
