//! Two notices in one mail, an answer above a quotation, a subject that says nothing: each is read as what it is, or goes to a
//! person, for every provider.

use std::collections::BTreeSet;

use mail::Mail;
use serde_json::Value;

use crate::{
    rewrite::{self, Charset, Encoding, Message},
    support,
};

/// Returns every notice that we wrote.
fn notices() -> Vec<(support::Named, Value)> {
    let read = support::own_mails().into_iter().map(|mail| {
        let reading = support::parse(&mail.bytes);
        (mail, reading)
    });
    read.filter(|(_, reading)| reading["outcome"] == "maintenance").collect()
}

fn slug(name: &str) -> &str {
    name.split('/').next().unwrap()
}

/// Returns the parts of a maintenance that must not be mixed with another's: id, status and window.
fn essence(reading: &Value) -> BTreeSet<String> {
    let maintenances = reading["maintenances"].as_array().unwrap().iter();
    maintenances
        .map(|one| format!("{} {} {}-{}", one["maintenance_id"], one["status"], one["start"], one["end"]))
        .collect()
}

/// Returns the body of a page, without what stands around it.
fn inside(page: &str) -> &str {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<body").and_then(|at| page[at..].find('>').map(|end| at + end + 1)).unwrap_or(0);
    let end = lower.rfind("</body").unwrap_or(page.len());
    page.get(start..end).unwrap_or(page)
}

/// Returns the mail with the bodies of another below its own; `None` where they are not of one kind.
fn with_below(mail: &[u8], other: &Mail) -> Option<Vec<u8>> {
    let below = |text: &str, kind: &str| match kind {
        "plain" => other.texts.first().map(|other| format!("{}\n\n{other}", text.trim_end())),
        "html" => other.pages.first().map(|other| {
            let end = text.to_ascii_lowercase().rfind("</body").unwrap_or(text.len());
            format!("{}<hr>{}{}", &text[..end], inside(other), &text[end..])
        }),
        _ => None,
    };
    let is_changed = std::cell::Cell::new(false);
    let change = |text: &str, kind: &str| {
        let changed = below(text, kind);
        is_changed.set(is_changed.get() || changed.is_some());
        changed.unwrap_or_else(|| text.to_owned())
    };
    let mail = rewrite::written(mail, Encoding::QuotedPrintable, Charset::Utf8, change)?;
    is_changed.get().then_some(mail)
}

/// Returns every digit but those of dates changed, so that ids and circuits are others.
fn other_ids(mail: &[u8], reading: &Value) -> Option<Vec<u8>> {
    let plain = String::from_utf8(rewrite::encoded(mail, Encoding::EightBit)).ok()?;
    let id = reading["maintenances"][0]["maintenance_id"].as_str()?;
    let next: String = id
        .chars()
        .map(|digit| digit.to_digit(10).map_or(digit, |value| char::from_digit((value + 3) % 10, 10).unwrap()))
        .collect();
    (plain.contains(id) && next != id).then(|| plain.replace(id, &next).into_bytes())
}

#[test]
fn two_notices_in_one_mail_are_two_or_for_a_person() {
    let notices = notices();
    let (mut ran, mut read, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    let mut providers = BTreeSet::new();
    for (one, reading) in &notices {
        for (two, _) in notices.iter().filter(|(two, _)| slug(&two.name) == slug(&one.name)) {
            let Some(bytes) = other_ids(&two.bytes, &support::parse(&two.bytes)) else { continue };
            let below = support::parse(&bytes);
            if below["outcome"] != "maintenance" {
                continue;
            }
            let (id, other) =
                (&reading["maintenances"][0]["maintenance_id"], &below["maintenances"][0]["maintenance_id"]);
            // Ids of two formats stand beside each other in many a notice: its own, and a supplier's.
            let form = |id: &Value| {
                let id = id.as_str().unwrap();
                let core = id.rsplit_once('-').filter(|(_, part)| part.len() <= 2).map_or(id, |(core, _)| core);
                core.chars()
                    .skip(1)
                    .map(|sign| {
                        if sign.is_ascii_digit() {
                            '0'
                        } else if sign.is_ascii_alphabetic() {
                            'a'
                        } else {
                            sign
                        }
                    })
                    .collect::<String>()
            };
            if form(id) != form(other) {
                continue;
            }
            // What was passed on, below another notice, is quoted there.
            let decoded = Mail::decode(&bytes);
            let is_quoted = decoded.is_forwarded() || Mail::decode(&one.bytes).is_forwarded();
            let Some(mail) = with_below(&one.bytes, &decoded).filter(|_| id != other && !is_quoted) else { continue };
            // Where the id stands in the subject alone, the body is that of one notice, however long it is.
            let names = |id: &Value| {
                let decoded = Mail::decode(&mail);
                decoded.texts.iter().chain(&decoded.pages).any(|body| body.contains(id.as_str().unwrap()))
            };
            if !names(id) || !names(other) {
                continue;
            }
            ran += 1;
            providers.insert(slug(&one.name));
            let both = support::parse(&mail);
            let expected: BTreeSet<_> = essence(reading).union(&essence(&below)).cloned().collect();
            match both["outcome"].as_str() {
                Some("failed" | "unrecognised") => refused += 1,
                Some("maintenance") if essence(&both) == expected => read += 1,
                _ => wrong.push(format!("{} above {}: {:?}, not {expected:?}", one.name, two.name, essence(&both))),
            }
        }
    }
    println!(
        "{ran} pairs of {} providers: {read} read as both, {refused} for a person, {} mixed",
        providers.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const ANSWERS: &[&str] = &[
    "Hello Jo,\n\nno problem, the crew comes on the 21st at the same hours.\n\nAnn",
    "Your request is granted.",
    "Yes, that is fine for us. Jo",
    "Hallo, der Trupp kommt am 21. zur selben Zeit.",
];

/// Openings of quotations in mail programs, with the mark before each quoted line.
const QUOTATIONS: &[(&str, &str)] = &[
    ("On Fri, 2 Apr 2027 at 16:00, Jo Visser <jo@customer.example> wrote:", "> "),
    ("On Fri, 2 Apr 2027 at 16:00, Jo Visser\n<jo@customer.example> wrote:", ""),
    ("Am 2. April 2027 um 16:00 schrieb Jo Visser <jo@customer.example>:", "> "),
    ("Op vr 2 apr. 2027 om 16:00 schreef Jo Visser <jo@customer.example>:", "> "),
    ("Le ven. 2 avr. 2027 à 16:00, Jo Visser <jo@customer.example> a écrit :", "> "),
    ("El vie, 2 abr 2027 a las 16:00, Jo Visser (<jo@customer.example>) escribió:", "> "),
    ("Em sex., 2 de abr. de 2027, Jo Visser <jo@customer.example> escreveu:", "> "),
    ("Il giorno ven 2 apr 2027 Jo Visser <jo@customer.example> ha scritto:", "> "),
    ("Jo Visser <jo@customer.example>, 2 Nis 2027 Cum, 16:00 tarihinde şunu yazdı:", "> "),
    ("-----Original Message-----", ""),
    ("-----Ursprüngliche Nachricht-----", ""),
    (
        "________________________________\nFrom: Jo Visser <jo@customer.example>\nSent: Friday, April 2, 2027 4:00 PM\nTo: NOC\nSubject: Planned work\n",
        "",
    ),
    ("Von: Jo Visser <jo@customer.example>\nGesendet: Freitag, 2. April 2027 16:00\nAn: NOC\nBetreff: Arbeiten\n", ""),
    ("De : Jo Visser <jo@customer.example>\nEnvoyé : vendredi 2 avril 2027 16:00\nÀ : NOC\nObjet : Travaux\n", ""),
    (
        "De: Jo Visser <jo@customer.example>\nEnviada em: sexta-feira, 2 de abril de 2027 16:00\nPara: NOC\nAssunto: Obras\n",
        "",
    ),
    ("##- Please type your reply above this line -##", ""),
    ("--- Reply above this line ---", ""),
    ("Previous update:", ""),
    ("===== Update history =====", ""),
    ("You wrote:", ""),
    ("02/Apr/2027 16:00 Jo Visser <jo@customer.example> wrote", ""),
];

/// Openings that are none but below an answer that its subject names as one.
const QUOTATIONS_OF_REPLIES: &[(&str, &str)] = &[
    ("________________________________", ""),
    ("----------------------------------------", ""),
    ("Our notification of 2 April:", ""),
    ("Jo Visser <jo@customer.example>\n02/04/2027 16:00\n\nTo: noc@customer.example\ncc:\nSubject: Planned work\n", ""),
];

#[test]
fn a_quotation_below_an_answer_is_not_a_notice() {
    let (mut ran, mut wrong) = (0, Vec::new());
    let mut providers = BTreeSet::new();
    for (index, (mail, _)) in notices().iter().enumerate() {
        let decoded = Mail::decode(&mail.bytes);
        if decoded.is_forwarded() || !decoded.calendars.is_empty() || !decoded.attachments.is_empty() {
            continue;
        }
        for (at, (head, mark)) in QUOTATIONS.iter().chain(QUOTATIONS_OF_REPLIES).enumerate() {
            // Whoever passes a mail on and says so answers nobody.
            let is_passed_on =
                ["fw", "wg"].iter().any(|start| decoded.outer().subject.to_lowercase().starts_with(start));
            let is_named = (index + at) % 2 == 0 || at >= QUOTATIONS.len();
            if is_passed_on && !is_named {
                continue;
            }
            let answer = ANSWERS[(index + at) % ANSWERS.len()];
            let change = |text: &str, kind: &str| match kind {
                "plain" => {
                    let quoted = text.lines().map(|line| format!("{mark}{line}\n")).collect::<Vec<_>>().concat();
                    format!("{answer}\n\n{head}\n{quoted}")
                }
                "html" => {
                    let lines = |text: &str| text.replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>\n");
                    format!(
                        "<html><body><p>{}</p><p>{}</p><blockquote>{}</blockquote></body></html>\n",
                        lines(answer),
                        lines(head),
                        inside(text)
                    )
                }
                _ => text.to_owned(),
            };
            let bytes = rewrite::written(&mail.bytes, Encoding::QuotedPrintable, Charset::Utf8, change).unwrap();
            let bytes = if is_named {
                Message::of(&bytes).with_subject_encoded_as(|subject| format!("RE: {subject}"))
            } else {
                bytes
            };
            ran += 1;
            providers.insert(slug(&mail.name).to_owned());
            let reading = support::parse(&bytes);
            let is_refused = matches!(reading["outcome"].as_str(), Some("failed" | "unrecognised"));
            wrong.extend((!is_refused).then(|| format!("{} below {head:?} (RE: {is_named}): {reading}", mail.name)));
        }
    }
    println!("{ran} answers above notices of {} providers, {} believed", providers.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Subjects that say nothing, or say it in another language.
const SUBJECTS: &[&str] = &[
    "",
    "FYI",
    "Aankondiging geplande werkzaamheden",
    "Ankündigung geplanter Arbeiten",
    "Aviso de trabajos programados",
    "Aviso de manutenção programada",
    "Avviso di manutenzione programmata",
    "Avis de travaux programmés",
    "Planlı çalışma bildirimi",
    "メンテナンスのお知らせ",
    "Please see below",
    "Network Service Announcement 4711",
];

/// Words with which carriers write of maintenance in their languages.
const BODIES: &[&str] = &[
    "Geachte klant,\n\nop 12 april voeren wij onderhoud uit.\n\nMet vriendelijke groet",
    "Sehr geehrte Damen und Herren,\n\nam 12. April führen wir Wartungsarbeiten durch.",
    "Estimado cliente:\n\nel 12 de abril realizaremos trabajos en nuestra red.",
    "Prezado cliente,\n\nem 12 de abril haverá manutenção em nossa rede.",
    "Gentile cliente,\n\nil 12 aprile eseguiremo lavori sulla nostra rete.",
    "Cher client,\n\nle 12 avril nous effectuerons des travaux sur notre réseau.",
    "Sayın müşterimiz,\n\n12 Nisan'da bakım çalışması yapılacaktır.",
    "Please see the attached file.",
    "",
];

#[test]
fn no_language_of_a_carrier_is_passed_over() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for provider in carriers::providers::ALL.iter().filter(|provider| support::is_asked_for(provider.slug)) {
        let Some(domain) = provider.domains.first() else { continue };
        for subject in SUBJECTS {
            for body in BODIES {
                ran += 1;
                let mail = format!(
                    "From: noc@{domain}\r\nDate: Mon, 1 Mar 2027 09:00:00 +0000\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
                );
                let reading = support::parse(mail.as_bytes());
                wrong.extend((reading["outcome"] != "failed").then(|| {
                    format!("{} `{subject}` `{body}`: {} {}", provider.slug, reading["outcome"], reading["reason"])
                }));
            }
        }
    }
    println!("{ran} mails of carriers in words that nobody expected, {} passed over", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Another mail with a file that nobody has read may be a notice.
#[test]
fn unread_mails_are_not_ignored() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for mail in support::own_mails().iter().filter(|mail| support::parse(&mail.bytes)["outcome"] == "ignored") {
        for (kind, name) in [
            ("application/pdf", "notice.pdf"),
            ("application/ms-tnef", "winmail.dat"),
            ("application/vnd.ms-excel", "a.xls"),
            ("text/html", "a.html"),
        ] {
            ran += 1;
            let part = format!(
                "Content-Type: {kind}; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA"
            );
            let reading = support::parse(&Message::of(&mail.bytes).with_part_below(&part));
            wrong.extend(
                (reading["outcome"] != "failed")
                    .then(|| format!("{} with {name}: {} {}", mail.name, reading["outcome"], reading["reason"])),
            );
        }
    }
    println!("{ran} other mails with a file, {} passed over", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
