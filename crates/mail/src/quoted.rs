//! Quoted headers: the lines of From, Date, Subject and To above the text of a forwarded message.

use super::{Layer, Mailbox, Wrapping, headers};

/// Labels of quoted headers, in lower case, by the header that they mean.
const LABELS: [(&str, &[&str]); 7] = [
    ("From", &["from", "von", "de", "da", "van", "från", "fra", "kimden", "发件人", "寄件者", "差出人"]),
    (
        "Date",
        &[
            "date",
            "sent",
            "datum",
            "gesendet",
            "envoyé",
            "enviado",
            "enviado el",
            "enviado em",
            "enviada",
            "enviada em",
            "data de envio",
            "fecha",
            "data",
            "inviato",
            "verzonden",
            "skickat",
            "sendt",
            "gönderildi",
            "gönderme tarihi",
            "tarih",
            "日期",
            "发送时间",
            "日付",
            "送信日時",
        ],
    ),
    (
        "Subject",
        &[
            "subject",
            "betreff",
            "objet",
            "asunto",
            "oggetto",
            "assunto",
            "onderwerp",
            "ämne",
            "emne",
            "konu",
            "主题",
            "主旨",
            "件名",
        ],
    ),
    ("To", &["to", "an", "à", "para", "a", "aan", "till", "til", "kime", "收件人", "宛先"]),
    ("Cc", &["cc", "kopie", "copie à", "副本", "抄送"]),
    ("Reply-To", &["reply-to", "antwort an", "répondre à"]),
    ("Importance", &["importance", "wichtigkeit", "priority", "attachments", "anlagen"]),
];

/// A block of quoted headers, which begins a forwarded mail.
pub(super) struct Block {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) depth: usize,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Block {
    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| !value.is_empty())
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether the block is a full set of headers, and so a message. A window is also written as "From:
    /// … To: …".
    pub(super) fn is_bare_forward(&self) -> bool {
        ["Date", "Subject"].iter().all(|name| self.has(name)) && (self.has("To") || self.sender().is_some())
    }

    fn sender(&self) -> Option<Mailbox> {
        mailbox(self.value("From")?)
    }

    pub(super) fn layer(self) -> Layer {
        Layer {
            wrapping: Wrapping::Inline,
            sender: self.sender(),
            subject: self.value("Subject").unwrap_or_default().to_owned(),
            date: self.value("Date").and_then(headers::date),
            message_id: None,
            headers: self.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// Returns whether programs break a header over lines. The other headers may be followed by the text without a
/// blank line.
pub(super) fn continues(name: &str) -> bool {
    matches!(name, "Subject" | "To" | "Cc" | "From")
}

pub(super) fn labelled(words: &str) -> Option<(&'static str, &str)> {
    let words = words.trim_start_matches(['*', '|', ' ']);
    let (label, value) = words.split_once([':', '：'])?;
    if label.len() > 32 {
        return None;
    }
    let label = label.trim_matches(['*', ' ', '\u{a0}']).to_lowercase();
    let (name, _) = LABELS.iter().find(|(_, labels)| labels.contains(&label.as_str()))?;
    Some((name, value.trim_matches(['*', ' ', '\u{a0}', '\t'])))
}

/// Parses `Name <address>`, `Name [mailto:address]` or `address`; of several addresses, the one in brackets.
fn mailbox(text: &str) -> Option<Mailbox> {
    let opened = text.find(['<', '[']);
    let (name, rest) = match opened {
        Some(at) => text.split_at_checked(at)?,
        None => ("", text),
    };
    let address = rest
        .split(|mark: char| mark.is_whitespace() || "<>[]()\"',;".contains(mark))
        .map(|word| word.strip_prefix("mailto:").unwrap_or(word))
        .find(|word| word.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.')))?;
    let name = name.trim().trim_matches(['"', '\'', '*', ' ']);
    Some(Mailbox { name: (!name.is_empty()).then(|| name.to_owned()), address: address.to_owned() })
}
