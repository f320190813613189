//! A mail that a carrier calls a fault, an order or a payment may announce maintenance all the same. It is never passed over where it
//! says when something will be, for every carrier; a fault, an invoice and an invitation that say nothing of the kind are.

use crate::support;

/// Subjects with the mark of another matter.
const SUBJECTS: &[&str] = &[
    "Fault repair TT 4411002",
    "Incident 88120 on your service",
    "Root cause fix on ring 7",
    "Alarm on card 4 of the shelf in Ghent",
    "Trouble with the fibre near Faro",
    "Störung im Kabel bei Emden",
    "Storing op de ring",
    "Avería en el cable",
    "Avaria no cabo",
    "Guasto sulla dorsale",
    "Panne sur la liaison",
    "Arıza giderme",
    "Your order of a port",
    "Payment system",
    "Your ticket has been updated",
];

/// Sentences that say when; the mail is of the first of March 2031.
const TIMES: &[&str] = &[
    "Your service is down on 14 March 2031 from 01:00 to 05:00 UTC.",
    "Start: 14-Mar-2031 01:00 UTC\nEnd: 14-Mar-2031 05:00 UTC",
    "Start\n2031-03-14 01:00\nEnd\n2031-03-14 05:00",
    "03/14/31 02:00 ET to 03/14/31 08:00 ET",
    "14.03.2031 von 01:00 bis 05:00 Uhr",
    "El 14/03/2031 desde las 01:00 hasta las 05:00 GMT",
    "14.03.2031 01:00 - 05:00",
    "14 mars 2031, 01h00 - 05h00",
    "In the night of 14 March, 1 am to 5 am",
    "Maintenance ID: CHG0088123",
];

/// Sentences of other matters.
const NO_TIMES: &[&str] = &[
    "We see an alarm on your service and look into it.",
    "The fault began on 1 March 2031 at 07:10 UTC. Our crew is on its way to repair the fibre.",
    "Start: 28-Feb-2031 01:00 UTC\nEnd: 28-Feb-2031 05:00 UTC\nA card was replaced.",
    "Estimated time of restoration: 1 March 2031 14:00 UTC",
    "Next update: 01-Mar-2031 11:00 UTC",
    "LOCAL: SATURDAY, 01 MAR 10:00 - SUNDAY, 02 MAR 01:00\nUTC: SATURDAY, 01 MAR 08:00 - SATURDAY, 01 MAR 23:00",
    "Our desk answers from 08:00 to 18:00.",
];

fn mail(domain: &str, date: &str, subject: &str, body: &str) -> String {
    format!(
        "From: noc@{domain}\r\n{date}Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n\r\nRegards\r\n",
        body.replace('\n', "\r\n")
    )
}

fn domains() -> impl Iterator<Item = (&'static str, &'static str)> {
    let asked = carriers::providers::ALL.iter().filter(|provider| support::is_asked_for(provider.slug));
    asked.filter_map(|provider| Some((provider.slug, *provider.domains.first()?)))
}

const DATE: &str = "Date: Sat, 1 Mar 2031 09:00:00 +0000\r\n";

#[test]
fn a_mail_that_says_when_is_not_passed_over() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (slug, domain) in domains() {
        for subject in SUBJECTS {
            for body in TIMES {
                ran += 1;
                let reading = support::parse(mail(domain, DATE, subject, body).as_bytes());
                wrong.extend(
                    (reading["outcome"] == "ignored")
                        .then(|| format!("{slug} `{subject}` `{body}`: {}", reading["reason"])),
                );
            }
        }
    }
    println!("{ran} mails that say when, under the name of another matter: {} passed over", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_a_date_any_time_may_be_to_come() {
    for (slug, domain) in domains() {
        let body = "The fault began on 1 March 2031 at 07:10 UTC.";
        let reading = support::parse(mail(domain, "", "Fault on ring 7", body).as_bytes());
        assert_ne!(reading["outcome"], "ignored", "{slug}: {}", reading["reason"]);
    }
}

/// A carrier's reader may take such a mail for a notice, and ask a person: only those that it passes on count.
#[test]
fn a_fault_that_says_nothing_of_the_kind_stays_passed_over() {
    let (mut ran, mut wrong) = (0, Vec::new());
    for (slug, domain) in domains() {
        for subject in ["Fault on ring 7", "Störung auf Ring 7", "Incident report 88120"] {
            let plain = support::parse(mail(domain, DATE, subject, "We look into it.").as_bytes());
            if plain["outcome"] != "ignored" {
                continue;
            }
            for body in NO_TIMES {
                ran += 1;
                let reading = support::parse(mail(domain, DATE, subject, body).as_bytes());
                let is_passed_on = reading["reason"].as_str().is_none_or(|reason| reason.contains("a notice"));
                wrong.extend(
                    (reading["outcome"] != "ignored" && is_passed_on)
                        .then(|| format!("{slug} `{subject}` `{body}`: {} {}", reading["outcome"], reading["reason"])),
                );
            }
        }
    }
    println!("{ran} faults without a time to come: {} for a person", wrong.len());
    assert!(ran > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Words of work in the subject, in the languages of carriers: the second net, where nobody says when.
#[test]
fn a_word_of_work_beside_the_mark_of_a_fault_is_for_a_person() {
    for (slug, domain) in domains() {
        for subject in [
            "Guasto sul cavo: attività programmata",
            "Avería: tarea programada",
            "Avaria: atividade programada",
            "Arıza: planlı kesinti",
            "Storing: geplande ingreep",
            "Störung: geplante Massnahme",
            "Störung: Maßnahme",
            "Fault repair",
            "Alarm card replacement",
            "Incident follow-up: disk swap",
            "Trouble repair works",
            "[Emergency] fault",
        ] {
            let reading = support::parse(mail(domain, DATE, subject, "Your service is affected.").as_bytes());
            assert_ne!(reading["outcome"], "ignored", "{slug} `{subject}`: {}", reading["reason"]);
        }
    }
}
