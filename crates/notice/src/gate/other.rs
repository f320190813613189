//! Proof that a mail of a carrier is no notice. Absent words prove nothing: a notice in another language, or one whose text is in
//! an attachment, lacks them too. So a mail is passed over only by the marks of another kind of mail, and only if nothing in it
//! speaks of maintenance, it states no time to come, and nothing of it was left unread.

use crate::{change, failure::Failure, fallback, opinion, page::Page, source::Source, whole};
use mail::Attachment;

/// A kind of mail that is no notice, and its marks.
struct Kind {
    name: &'static str,
    /// The carriers whose mails of this kind have these marks; all, where none is named.
    carriers: &'static [&'static str],
    /// Phrases, folded as [`change::fold`] does: one of them in the subject.
    in_subject: &'static [&'static str],
    /// Phrases of which one in the body proves as much.
    in_body: &'static [&'static str],
    /// `true` if its subject matter may be called maintenance, as long as the subject line does not.
    may_name_work: bool,
}

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind {
        name: "an invoice", carriers: &[], may_name_work: false,
        in_subject: &["invoice", "your bill", "billing", "statement for", "account statement", "payment", "credit note", "rechnung", "factuur", "factura", "fatura", "fattura", "facture"],
        in_body: &["your invoice for", "invoice number", "amount due", "your invoice is"],
    },
    Kind {
        name: "a receipt", carriers: &[], may_name_work: false,
        in_subject: &["your receipt", "order confirmation", "your order", "your package", "ticket has been received", "your ticket has been", "request has been received", "ticket received", "case received", "has been updated", "password"],
        in_body: &["thank you for your purchase", "thank you for shopping", "we have received your request", "your ticket has been received", "we have added a note to your ticket", "your request has been received"],
    },
    Kind {
        name: "marketing", carriers: &[], may_name_work: false,
        in_subject: &["newsletter", "webinar", "survey", "how are we doing", "what is new", "whats new", "our offers", "spring offers", "summer offers", "autumn offers", "winter offers", "special offer", "campaign", "invitation to", "monthly update", "season s greetings"],
        in_body: &["take our survey", "meet us at", "talk to your account team", "talk to us about", "join our webinar", "our newsletter"],
    },
    Kind { name: "marketing", carriers: &["google"], may_name_work: false, in_subject: &[], in_body: &["where you have been last month", "your timeline"] },
    Kind { name: "marketing", carriers: &["netflix"], may_name_work: false, in_subject: &[], in_body: &["watch our new", "new on netflix", "now streaming"] },
    Kind {
        name: "a fault", carriers: &[], may_name_work: true,
        in_subject: &["fault", "incident", "disturbance", "trouble", "outage report", "rfo", "reason for outage", "root cause", "alarm", "loss of connectivity", "storung", "storing", "averia", "avaria", "guasto", "panne", "ariza"],
        in_body: &[],
    },
    Kind {
        name: "about another product", carriers: &["aws"], may_name_work: true,
        in_subject: &["amazon rds", "amazon ec2", "amazon redshift", "amazon elasticache", "amazon opensearch"],
        in_body: &[],
    },
];

/// Words for maintenance, folded, as word beginnings: whoever writes one may announce some.
#[rustfmt::skip]
const WORK: &[&str] = &[
    "maintenance", "planned", "scheduled", "upgrade", "outage", "wartung", "arbeiten", "onderhoud", "werkzaamhed", "mantenimiento", "trabajos", "intervencion", "manutenc", "trabalhos", "intervenc",
    "manutenzion", "lavori", "intervent", "travaux", "intervention", "bakim", "calisma", "pcr", "window", "fenster", "ventana", "janela", "finestra", "fenetre", "reschedul", "cancel", "postpon",
    "actividad", "attivita", "atividade", "tarea", "massnahme", "ingreep", "gepland", "geplant", "planli", "kesinti", "programad", "programmat", "emergency",
];

/// Words that tell of the end of a fault in its body, and of maintenance anywhere else: whoever repairs may take a circuit down.
const REPAIR: &[&str] = &["works", "activit", "repair", "replac", "swap"];

/// Returns the proof that the mail is not a notice: the kind of mail, with its mark.
pub fn proof(source: &Source<'_>) -> Result<String, Failure> {
    let mail = source.mail();
    if let Some(attachment) = mail.attachments.iter().find(|attachment| is_unread(attachment)) {
        let name = attachment.name.as_deref().unwrap_or(&attachment.content_type);
        return Err(Failure::missing("a notice in the text; nobody has read the attachment").with_quote(name));
    }
    if !mail.calendars.is_empty() {
        return Err(Failure::missing("a notice in the calendar, or in the text beside it"));
    }
    let Some((kind, mark)) = kind_of(source) else {
        let expected = "a notice that can be read, or the mark of another mail: an invoice, a receipt, a fault";
        return Err(Failure::missing(expected).with_quote(&mail.inner().subject));
    };
    // Maintenance of another product has its window.
    if !kind.is_other_product() {
        expect_nothing_announced(source, kind.may_name_work)?;
    }
    Ok(format!("{} (`{mark}`)", kind.name))
}

impl Kind {
    /// Returns whether a mail of this kind is about maintenance, but of what nobody has circuits of.
    fn is_other_product(&self) -> bool {
        self.may_name_work && !self.carriers.is_empty()
    }
}

/// Returns the kind of a mail, with its mark, if nothing in it speaks of maintenance.
fn kind_of(source: &Source<'_>) -> Option<(&'static Kind, &'static str)> {
    let subject = change::fold(source.mail().inner().bare_subject());
    let text = body(source);
    let (whole, letter) = (change::fold(&text), change::fold(above_closing(&text)));
    let slug = source.provider().slug;
    KINDS.iter().filter(|kind| kind.carriers.is_empty() || kind.carriers.contains(&slug)).find_map(|kind| {
        let in_subject = kind.in_subject.iter().find(|mark| has(&subject, mark));
        let mark = in_subject.or_else(|| kind.in_body.iter().find(|mark| has(&whole, mark)))?;
        // Beside a mark in the subject the name of a desk below the closing words, "Planned Maintenance Team", says nothing.
        let about = if in_subject.is_some() { &letter } else { &whole };
        let is_denied = kind.may_name_work && denies_work(&text);
        let repairs = has_word_of(&subject, REPAIR) || !kind.may_name_work && has_word_of(about, REPAIR);
        let speaks = repairs || speaks_of_work(&subject) || speaks_of_work(about) && !is_denied;
        (!speaks || kind.is_other_product()).then_some((kind, *mark))
    })
}

/// Fails where a mail states when something will be, or what only a notice has: it may be one, whatever its subject calls it.
fn expect_nothing_announced(source: &Source<'_>, is_fault: bool) -> Result<(), Failure> {
    let announced = opinion::announced(source, is_fault);
    let announced = announced.or_else(|| fallback::stated(source, is_fault));
    let Some((place, line)) = announced else { return Ok(()) };
    let expected = "a notice; a window or an id that this mail states";
    Err(Failure { place: Some(place), ..Failure::missing(expected).with_quote(&line) })
}

/// Returns whether each sentence of a body that names maintenance says that it is about none.
fn denies_work(text: &str) -> bool {
    let sentences = text.split(['.', '!', '?', '\n']).map(change::fold);
    let denies = |sentence: String| has(&sentence, "not") || has(&sentence, "unplanned");
    sentences.filter(|sentence| speaks_of_work(sentence)).all(denies)
}

/// Returns the text above the closing line of a letter.
fn above_closing(text: &str) -> &str {
    let line = text.lines().find(|line| whole::says_goodbye(line));
    let end = line.map_or(text.len(), |line| line.as_ptr() as usize - text.as_ptr() as usize);
    text.get(..end).unwrap_or(text)
}

/// Returns the paragraphs of text and page.
fn body(source: &Source<'_>) -> String {
    let bodies = source.text().into_iter().chain(source.page().map(Page::lines));
    let mut body = String::new();
    for (_, paragraph) in bodies.flat_map(|lines| change::paragraphs(lines.iter())) {
        body.push_str(&paragraph);
        body.push('\n');
    }
    body
}

fn speaks_of_work(folded: &str) -> bool {
    has_word_of(folded, WORK)
}

/// Returns whether a word of a folded text begins like one of a list.
fn has_word_of(folded: &str, beginnings: &[&str]) -> bool {
    folded.split(' ').any(|word| beginnings.iter().any(|beginning| word.starts_with(beginning)))
}

/// Returns whether a phrase stands in a folded text, between blanks.
fn has(folded: &str, phrase: &str) -> bool {
    folded.match_indices(phrase).any(|(at, _)| {
        let before = folded.get(..at).is_none_or(|before| before.is_empty() || before.ends_with(' '));
        let after =
            folded.get(at + phrase.len()..).is_none_or(|after| after.is_empty() || after.starts_with([' ', 's']));
        before && after
    })
}

/// Returns whether an attachment may hold a notice: everything but pictures, signatures and cards.
fn is_unread(attachment: &Attachment) -> bool {
    let kind = attachment.content_type.as_str();
    let is_known = kind.starts_with("image/")
        || matches!(
            kind,
            "text/vcard"
                | "text/x-vcard"
                | "application/pgp-signature"
                | "application/pkcs7-signature"
                | "application/x-pkcs7-signature"
        )
        || matches!(kind, "message/delivery-status" | "text/rfc822-headers");
    !is_known
}
