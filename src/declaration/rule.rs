//! `receipt_rules`: which mails are received, and what is done with them, in order.

/// A rule of the receipt rule set: which mails, and what is done with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRule {
    /// Its name within the stack.
    pub name: String,
    /// Whether it is looked at.
    pub enabled: bool,
    /// Addresses, domains, or sub-domains (`.example.com`); empty takes every mail.
    pub recipients: Vec<Recipient>,
    /// Whether mail must come over TLS.
    pub tls: Tls,
    /// Whether SES scans for spam and viruses.
    pub scan: bool,
    /// Done in this order.
    pub actions: Vec<Action>,
}

/// Whom a mail is addressed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// One address: `maintenance@example.com`. The part after `+` is not looked at by SES.
    Address(String),
    /// Every address of a domain, not of those below it: `example.com`.
    Domain(String),
    /// Every address of every domain below it: `.example.com`; held here without the dot.
    SubDomains(String),
}

/// Whether mail must come over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// Refused without.
    Require,
    /// Welcome with and without.
    #[default]
    Optional,
}

/// What a rule does with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Puts the mail into a bucket, under prefix + SES message id.
    Store {
        /// By entry name.
        bucket: String,
        /// Empty, or ends with `/`.
        prefix: String,
        /// The topic that is told of it, by entry name.
        topic: Option<String>,
    },
    /// Invokes a function.
    Invoke {
        /// By entry name.
        function: String,
        /// Asynchronously, or waiting for its answer.
        invocation: Invocation,
        /// The topic that is told of it, by entry name.
        topic: Option<String>,
    },
    /// Publishes the mail, of 150 KB at most, to a topic.
    Publish {
        /// By entry name.
        topic: String,
        /// How the mail's bytes become a text.
        encoding: Encoding,
    },
    /// Refuses the mail with an answer to its sender.
    Bounce(Bounce),
    /// Adds a header to the mail that the actions after this one see.
    AddHeader {
        /// Letters, digits and hyphens.
        name: String,
        /// One line.
        value: String,
    },
    /// Ends the evaluation of this and all further rules.
    Stop,
}

/// How a function is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Invocation {
    /// SES does not wait; Lambda retries.
    #[default]
    Event,
    /// SES waits for a disposition.
    RequestResponse,
}

/// How the bytes of a mail become the text of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// As text: what is not UTF-8 may be lost.
    #[default]
    Utf8,
    /// Every byte is kept.
    Base64,
}

/// The answer to the sender of a mail that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// Of SMTP: `550`.
    pub smtp_code: String,
    /// The enhanced one: `5.1.1`.
    pub status_code: Option<String>,
    /// For people.
    pub message: String,
    /// Whose answer it is: an address of a verified identity.
    pub sender: String,
    /// The topic that is told of it, by entry name.
    pub topic: Option<String>,
}
