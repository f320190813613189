//! Collects what is known of mails: their records in the table, and their messages in Kafka.

use std::collections::BTreeMap;

use events::Message;
use jiff::Timestamp;
use kafka::Entry;
use sending::Recorded;

/// A mail, with everything that is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// Its record in the table; `None` if the table does not know it, or was not asked.
    pub(crate) record: Option<Recorded>,
    /// Its messages, each once, in the order in which they happened.
    pub(crate) messages: Vec<Message>,
}

impl Mail {
    /// Returns SES's id of the mail; `None` while it is not known.
    pub(crate) fn message_id(&self) -> Option<&str> {
        let of_message = self.messages.first().map(|message| message.message_id.as_str());
        of_message.or_else(|| self.record.as_ref()?.message_id.as_deref())
    }

    /// Returns the time of sending: that of the events, else that of the table; `None` if nothing states it.
    pub(crate) fn sent_at(&self) -> Option<&str> {
        let of_messages = self.messages.iter().find_map(|message| message.send_at.as_deref());
        of_messages.or_else(|| self.record.as_ref()?.send_time.as_deref())
    }
}

/// The mails that are known so far.
#[derive(Debug, Default)]
pub(crate) struct Mails {
    /// Records, by SES's id, or by what else tells a mail whose id is not known from others.
    records: BTreeMap<String, Recorded>,
    /// Messages by SES's id; those of a mail in their order, each once: one may be there twice.
    messages: BTreeMap<String, BTreeMap<(String, String), Message>>,
}

impl Mails {
    /// Adds what stands in the topic; a record that is no message is nobody's.
    pub(crate) fn add(&mut self, entry: Entry) {
        let Ok(message) = entry.message else { return };
        let place = (message.store_id.clone(), entry.dedup_id.unwrap_or_default());
        self.messages.entry(message.message_id.clone()).or_default().insert(place, message);
    }

    /// Adds a record of the table, unless its mail was sent before `since` and nothing happened to it afterwards.
    pub(crate) fn record(&mut self, record: Recorded, since: Timestamp) {
        let pending = || format!("pending {} {}", record.mail_id.as_deref().unwrap_or_default(), self.records.len());
        let key = record.message_id.clone().unwrap_or_else(pending);
        let at = record.send_time.as_deref().and_then(|at| at.parse::<Timestamp>().ok());
        if at.is_none_or(|at| at >= since) || self.messages.contains_key(&key) {
            self.records.insert(key, record);
        }
    }

    /// Returns the sender that all messages name; `None` if there are several, or none.
    pub(crate) fn sender(&self) -> Option<String> {
        let mut senders = self.messages.values().flat_map(BTreeMap::values).map(|message| message.from_email.as_ref());
        let first = senders.next()??;
        senders.all(|other| other == Some(first)).then(|| first.clone())
    }

    /// Returns the mails by their time of sending.
    pub(crate) fn sorted(self) -> Vec<Mail> {
        let mut mails: BTreeMap<String, Mail> = BTreeMap::new();
        for (id, messages) in self.messages {
            mails.entry(id).or_default().messages = messages.into_values().collect();
        }
        for (id, record) in self.records {
            mails.entry(id).or_default().record = Some(record);
        }
        // One form of the time, whoever wrote it.
        let time = |mail: &Mail| mail.sent_at().and_then(|at| at.parse::<Timestamp>().ok());
        let mut mails: Vec<(String, Mail)> = mails.into_iter().collect();
        mails.sort_by_key(|(id, mail)| (time(mail), id.clone()));
        mails.into_iter().map(|(_, mail)| mail).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Event, Reading};

    fn entries(kind: &str, mail: &str, sent_at: &str) -> Vec<Entry> {
        let event = format!(
            r#"{{"eventType":"{kind}","mail":{{"messageId":"{mail}","timestamp":"{sent_at}","source":"orders@shop.example","destination":["ada@example.org"]}},"{}":{{"timestamp":"2027-01-05T12:00:00.000Z"}}}}"#,
            kind.to_lowercase()
        );
        let Ok(Reading::Event(event)) = events::read(&event) else { panic!("{event}") };
        let event: Box<Event> = event;
        let messages = event.messages("n-1", None).into_iter();
        let entry = |one: events::Addressed| Entry {
            partition: 0,
            offset: 0,
            at: None,
            dedup_id: Some(one.dedup_id),
            message: Ok(one.message),
        };
        messages.map(entry).collect()
    }

    fn record(id: Option<&str>, at: &str) -> Recorded {
        Recorded {
            message_id: id.map(str::to_owned),
            mail_id: Some("07".to_owned()),
            send_time: Some(at.to_owned()),
            ..Recorded::default()
        }
    }

    #[test]
    fn records_and_messages_of_one_mail_are_one_and_all_are_sorted_by_their_time() {
        let since = "2027-01-01T00:00:00Z".parse().unwrap();
        let mut mails = Mails::default();
        for entry in entries("Send", "0107-2", "2027-01-05T11:00:00.000Z")
            .into_iter()
            .chain(entries("Delivery", "0107-2", "2027-01-05T11:00:00.000Z"))
            .chain(entries("Delivery", "0107-2", "2027-01-05T11:00:00.000Z"))
            .chain(entries("Delivery", "0107-4", "2026-01-05T11:00:00.000Z"))
        {
            mails.add(entry);
        }
        assert_eq!(mails.sender().as_deref(), Some("orders@shop.example"));
        for record in [
            record(Some("0107-2"), "2027-01-05T11:00:00Z"),
            record(Some("0107-1"), "2027-01-05T10:00:00+00:00"),
            record(None, "2027-01-05T12:00:00Z"),
            record(Some("0107-3"), "2026-12-31T23:00:00Z"),
            // Sent before, and something happened since.
            record(Some("0107-4"), "2026-01-05T11:00:00Z"),
        ] {
            mails.record(record, since);
        }
        let mails = mails.sorted();
        let shown: Vec<(Option<&str>, bool, usize)> =
            mails.iter().map(|mail| (mail.message_id(), mail.record.is_some(), mail.messages.len())).collect();
        let expected =
            [(Some("0107-4"), true, 1), (Some("0107-1"), true, 0), (Some("0107-2"), true, 2), (None, true, 0)];
        assert_eq!(shown, expected);
    }
}
