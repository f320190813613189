//! Bytes → [`Mail`], on top of `mail-parser`.

use jiff::Timestamp;
use mail_parser::{Address, Message, MessageParser, MimeHeaders, PartType};

use super::{Attachment, Layer, Mail, Mailbox, Wrapping};

pub(super) fn decode(bytes: &[u8]) -> Mail {
    let mut mail = Mail {
        layers: Vec::new(),
        texts: Vec::new(),
        pages: Vec::new(),
        calendars: Vec::new(),
        attachments: Vec::new(),
        defects: Vec::new(),
    };
    let Some(message) = MessageParser::default().parse(bytes) else {
        mail.layers.push(Layer::default());
        return mail;
    };
    mail.layers.push(layer(&message, Wrapping::Outermost));
    for part in &message.parts {
        let content_type = part
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase())
            .unwrap_or_default();
        match &part.body {
            PartType::Text(text) if content_type == "text/calendar" => mail.calendars.push(text.to_string()),
            PartType::Text(text) if part.attachment_name().is_none() => mail.texts.push(text.to_string()),
            PartType::Html(text) => mail.pages.push(text.to_string()),
            PartType::Text(text) => mail.attachments.push(Attachment {
                name: part.attachment_name().map(str::to_owned),
                content_type,
                bytes: text.as_bytes().to_vec(),
            }),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => mail.attachments.push(Attachment {
                name: part.attachment_name().map(str::to_owned),
                content_type,
                bytes: bytes.to_vec(),
            }),
            PartType::Message(_) | PartType::Multipart(_) => {}
        }
    }
    mail
}

fn layer(message: &Message<'_>, wrapping: Wrapping) -> Layer {
    Layer {
        wrapping,
        sender: message.from().and_then(Address::first).and_then(|first| {
            Some(Mailbox {
                name: first.name.as_deref().map(str::to_owned),
                address: first.address.as_deref()?.to_owned(),
            })
        }),
        subject: message.subject().unwrap_or_default().to_owned(),
        date: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        message_id: message.message_id().map(str::to_owned),
        headers: message.headers_raw().map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
    }
}
