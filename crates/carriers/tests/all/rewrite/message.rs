//! A mail taken apart into its fields and its body.

use mail::Mail;

/// Returns the fields of a header section, each with its folded lines and their ends.
pub(super) fn fields(headers: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in headers.split_inclusive('\n').filter(|line| !line.trim_end_matches(['\r', '\n']).is_empty()) {
        match fields.last_mut().filter(|_| line.starts_with([' ', '\t'])) {
            Some(field) => field.push_str(line),
            None => fields.push(line.to_owned()),
        }
    }
    fields
}

/// A mail taken apart into its fields and its body.
pub(crate) struct Message {
    fields: Vec<String>,
    body: Vec<u8>,
    pub(super) subject: String,
}

impl Message {
    pub(crate) fn of(mail: &[u8]) -> Self {
        let blanks = [&b"\n\n"[..], b"\n\r\n"];
        let end = blanks.iter().filter_map(|blank| {
            mail.windows(blank.len()).position(|window| window == *blank).map(|at| (at + 1, at + blank.len()))
        });
        let (headers, body) = end.min().unwrap_or((mail.len(), mail.len()));
        let fields = fields(&String::from_utf8_lossy(&mail[..headers]));
        Self { fields, body: mail[body..].to_vec(), subject: Mail::decode(mail).outer().subject.clone() }
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        [self.fields.concat().as_bytes(), b"\r\n", &self.body].concat()
    }

    /// Without the fields of that name, which is lower case and ends with a colon.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|field| !field.to_ascii_lowercase().starts_with(name));
        self
    }

    /// Returns the headers alone.
    pub(crate) fn without_body(mut self) -> Vec<u8> {
        self.body.clear();
        self.bytes()
    }

    fn with_subject_as(mut self, written: &str) -> Self {
        self.fields.retain(|field| !field.to_ascii_lowercase().starts_with("subject:"));
        self.fields.push(format!("Subject: {written}\r\n"));
        self
    }

    /// Returns the subject broken at every other blank.
    pub(crate) fn with_subject_folded(self) -> Self {
        if !self.subject.is_ascii() {
            return self;
        }
        let mut written = String::new();
        for (index, word) in self.subject.split(' ').enumerate() {
            let blank = if index % 2 == 1 && !word.is_empty() { "\r\n " } else { " " };
            written.push_str(if index == 0 { "" } else { blank });
            written.push_str(word);
        }
        self.with_subject_as(&written)
    }

    /// Returns the mail with another subject.
    pub(crate) fn with_subject_encoded_as(mut self, change: impl Fn(&str) -> String) -> Vec<u8> {
        self.subject = change(&self.subject);
        self.with_subject_encoded().bytes()
    }

    /// Returns the subject in encoded words.
    pub(crate) fn with_subject_encoded(self) -> Self {
        let characters: Vec<char> = self.subject.chars().collect();
        let words = characters.chunks(12).map(|chunk| {
            let mut encoded = Vec::new();
            let text: String = chunk.iter().collect();
            mail_builder::encoders::base64::base64_encode_mime(text.as_bytes(), &mut encoded, true).unwrap();
            format!("=?utf-8?B?{}?=", String::from_utf8(encoded).unwrap())
        });
        let written = words.collect::<Vec<_>>().join("\r\n ");
        self.with_subject_as(&written)
    }

    pub(crate) fn with_subject_prefix(self, prefix: &str) -> Self {
        let written = format!("{prefix}{}", self.subject);
        if written.is_ascii() { self.with_subject_as(&written) } else { self }
    }

    /// Returns the mail as the first part of one, with another part below.
    pub(crate) fn with_part_below(self, part: &str) -> Vec<u8> {
        let is_content = |field: &&String| field.to_ascii_lowercase().starts_with("content-");
        let content: String = self.fields.iter().filter(is_content).map(String::as_str).collect();
        let others: String = self.fields.iter().filter(|field| !is_content(field)).map(String::as_str).collect();
        let head = format!(
            "{others}Content-Type: multipart/mixed; boundary=\"=_outermost\"\r\n\r\n--=_outermost\r\n{content}\r\n"
        );
        let foot = format!("\r\n--=_outermost\r\n{part}\r\n--=_outermost--\r\n");
        [head.as_bytes(), &self.body, foot.as_bytes()].concat()
    }

    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|field| field.to_ascii_lowercase().starts_with(name));
        found.map_or("", |field| field[name.len()..].trim())
    }
}
