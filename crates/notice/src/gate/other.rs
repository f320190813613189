//! Proof that a mail of a carrier is no notice. Absent words prove nothing: a notice in another language, or one whose text is in
//! an attachment, lacks them too. So a mail is passed over only by the marks of another kind of mail, and only if nothing in it
//! speaks of maintenance and nothing of it was left unread.

use crate::{change, failure::Failure, source::Source, whole};
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
        in_subject: &["amazon rds", "amazon ec2", "amazon redshift", "amazon elasticache", "amazon opensearch", "your package", "your order"],
        in_body: &[],
    },
];

/// Words for maintenance, folded, as word beginnings: whoever writes one may announce some.
#[rustfmt::skip]
const WORK: &[&str] = &[
    "maintenance", "planned", "scheduled", "upgrade", "outage", "wartung", "arbeiten", "onderhoud", "werkzaamhed", "mantenimiento", "trabajos", "intervencion", "manutenc", "trabalhos", "intervenc",
    "manutenzion", "lavori", "intervent", "travaux", "intervention", "bakim", "calisma", "pcr", "window", "fenster", "ventana", "janela", "finestra", "fenetre", "reschedul", "cancel", "postpon",
];

/// Returns the proof that the mail is not a notice: the kind of mail, with its mark.
pub(crate) fn proof(source: &Source<'_>) -> Result<String, Failure> {
    let mail = source.mail();
    if let Some(attachment) = mail.attachments.iter().find(|attachment| is_unread(attachment)) {
        let name = attachment.name.as_deref().unwrap_or(&attachment.content_type);
        return Err(Failure::missing("a notice in the text; nobody has read the attachment").with_quote(name));
    }
    if !mail.calendars.is_empty() {
        return Err(Failure::missing("a notice in the calendar, or in the text beside it"));
    }
    let subject = change::fold(mail.inner().bare_subject());
    let text = body(source);
    let (whole, letter) = (change::fold(&text), change::fold(above_closing(&text)));
    let slug = source.provider().slug;
    let found =
        KINDS.iter().filter(|kind| kind.carriers.is_empty() || kind.carriers.contains(&slug)).find_map(|kind| {
            let in_subject = kind.in_subject.iter().find(|mark| has(&subject, mark));
            let mark = in_subject.or_else(|| kind.in_body.iter().find(|mark| has(&whole, mark)))?;
            // Beside a mark in the subject the name of a desk below the closing words, "Planned Maintenance Team", says nothing.
            let about = if in_subject.is_some() { &letter } else { &whole };
            let is_own_product = kind.may_name_work && !kind.carriers.is_empty();
            let is_denied = kind.may_name_work && denies_work(&text);
            let speaks = speaks_of_work(&subject) || speaks_of_work(about) && !is_denied;
            (!speaks || is_own_product).then_some((kind, mark))
        });
    let Some((kind, mark)) = found else {
        let expected = "a notice that can be read, or the mark of another mail: an invoice, a receipt, a fault";
        return Err(Failure::missing(expected).with_quote(&mail.inner().subject));
    };
    Ok(format!("{} (`{mark}`)", kind.name))
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

fn body(source: &Source<'_>) -> String {
    let lines = |lines: &crate::lines::Lines| lines.joined() + "\n";
    let text = source.text().map(lines).unwrap_or_default();
    text + &source.page().map(|page| lines(page.lines())).unwrap_or_default()
}

fn speaks_of_work(folded: &str) -> bool {
    folded.split(' ').any(|word| WORK.iter().any(|work| word.starts_with(work)))
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
