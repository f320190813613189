//! The mail on the wire: headers and parts.

use mail_builder::{
    MessageBuilder,
    headers::{address::Address, message_id::MessageId},
};

use crate::{
    mailbox::Mailbox,
    record::Record,
    request::{LARGEST, Request, Unsendable},
};

/// Writes a request as a message of MIME. SES replaces the Message-ID by its own.
pub(crate) fn write(request: &Request, record: &Record) -> Result<Vec<u8>, Unsendable> {
    request.check()?;
    let domain = request.from.address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let mut message = MessageBuilder::new()
        .from(address(&request.from))
        .to(list(&request.to))
        .subject(request.subject.as_str())
        .message_id(MessageId::new(format!("{}@{domain}", record.id)))
        .date(record.begun.as_second());
    if !request.cc.is_empty() {
        message = message.cc(list(&request.cc));
    }
    if !request.reply_to.is_empty() {
        message = message.reply_to(list(&request.reply_to));
    }
    if let Some(text) = &request.text {
        message = message.text_body(text.as_str());
    }
    if let Some(html) = &request.html {
        message = message.html_body(html.as_str());
    }
    for file in &request.attachments {
        message = message.attachment(file.media_type.as_str(), file.name.as_str(), file.content.as_slice());
    }
    let written = message.write_to_vec().map_err(|error| Unsendable::Unwritable(error.to_string()))?;
    // SES counts the mail after base64, in which the call carries it.
    let encoded = written.len().div_ceil(3) * 4;
    if encoded > LARGEST { Err(Unsendable::Large(encoded)) } else { Ok(written) }
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name.as_deref(), mailbox.address.as_str())
}

fn list(mailboxes: &[Mailbox]) -> Address<'_> {
    Address::new_list(mailboxes.iter().map(address).collect())
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};

    use super::*;
    use crate::request::{Attachment, tests::request};

    #[test]
    fn a_message_has_what_the_request_says_and_never_the_hidden_recipients() {
        let file = Attachment {
            name: "größe.csv".to_owned(),
            media_type: "text/csv".to_owned(),
            content: b"a;b\r\n1;2".to_vec(),
        };
        let request = Request {
            from: "Zoë, Shop <orders@shop.example>".parse().unwrap(),
            cc: vec!["Bob <bob@example.org>".parse().unwrap()],
            bcc: vec!["hidden@example.org".parse().unwrap()],
            reply_to: vec!["help@shop.example".parse().unwrap()],
            subject: "Bestellung – größer".to_owned(),
            html: Some("<p>It is <b>on</b> its way.</p>".to_owned()),
            attachments: vec![file.clone()],
            ..request()
        };
        let record = Record::example(&request);
        let written = write(&request, &record).unwrap();
        assert!(!String::from_utf8_lossy(&written).contains("hidden@"));
        let read = MessageParser::default().parse(&written).unwrap();
        let from = read.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Zoë, Shop"), Some("orders@shop.example")));
        assert_eq!(read.to().unwrap().first().unwrap().address(), Some("ada@example.org"));
        assert_eq!(read.cc().unwrap().first().unwrap().address(), Some("bob@example.org"));
        assert_eq!(read.reply_to().unwrap().first().unwrap().address(), Some("help@shop.example"));
        assert_eq!(read.subject(), Some("Bestellung – größer"));
        assert_eq!(read.body_text(0).as_deref().map(str::trim_end), request.text.as_deref());
        assert_eq!(read.body_html(0).as_deref().map(str::trim_end), request.html.as_deref());
        let attached = read.attachment(0).unwrap();
        assert_eq!((attached.attachment_name(), attached.contents()), (Some("größe.csv"), file.content.as_slice()));
        assert_eq!(read.date().unwrap().to_timestamp(), record.begun.as_second());
    }

    #[test]
    fn a_mail_that_is_larger_than_ses_takes_is_refused_before() {
        let content = vec![b'x'; LARGEST / 4 * 3];
        let file = Attachment { name: "x".to_owned(), media_type: "application/octet-stream".to_owned(), content };
        let request = Request { attachments: vec![file], ..request() };
        assert!(matches!(write(&request, &Record::example(&request)), Err(Unsendable::Large(_))));
    }
}
