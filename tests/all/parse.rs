//! Tests `provision parse`: what mails say, as a table and as JSON, from files, folders, mbox files and standard
//! input.

use insta::assert_snapshot;

use crate::harness::{Folder, replaced};

/// Returns a mail of a provider with short notices.
fn mail(subject: &str, body: &str) -> String {
    format!(
        "Date: Mon, 10 Feb 2031 11:04:11 +0000\n\
         From: \"Amazon Web Services, Inc.\" <no-reply-aws@amazon.com>\n\
         To: maintenance@example.net\n\
         Message-ID: <1@example.amazonses.com>\n\
         Subject: {subject} [AWS Account: 210987654321]\n\
         MIME-Version: 1.0\n\
         Content-Type: text/plain; charset=UTF-8\n\n{body}"
    )
}

fn notice() -> String {
    mail(
        "AWS Direct Connect Planned Maintenance Notification",
        "Hello,\n\nPlanned maintenance has been scheduled at an AWS Direct Connect endpoint in Example Exchange, Lisbon, \
         PRT from Tue, 4 Mar 2031 23:00:00 GMT to Wed, 5 Mar 2031 03:00:00 GMT for 4 hours.\n\n\
         dxcon-fh6q1w2e\ndxvif-fg9z8y7x\n\nSincerely,\nAmazon Web Services\n",
    )
}

/// Returns the mail without its times.
fn undated() -> String {
    let times = "from Tue, 4 Mar 2031 23:00:00 GMT to Wed, 5 Mar 2031 03:00:00 GMT";
    replaced(&notice(), &[(times, "at a time to be announced")])
}

fn receipt() -> String {
    mail("Your invoice is available", "Greetings,\n\nYour invoice can be downloaded.\n")
}

fn stranger() -> String {
    let changes = [("no-reply-aws@amazon.com", "friend@stranger.example"), ("AWS", "Our"), ("dx", "zz")];
    replaced(&notice(), &changes)
}

/// Replaces hashed ids, which are long and mean nothing to a reader.
fn short(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = hash(&text) {
        text.replace_range(start..start + 64, &format!("{:-<64}", "ID"));
    }
    text
}

fn hash(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(63)).find(|start| bytes[*start..start + 64].iter().all(u8::is_ascii_hexdigit))
}

#[test]
fn a_table_has_a_line_for_each_circuit() {
    let folder = Folder::new();
    folder.write("notice.eml", notice());
    assert_snapshot!(short(&folder.run(&["parse", "notice.eml"]).shown()), @r"
    exit code: 0
    ----- stdout -----
    notice.eml: maintenance aws
      MAINTENANCE                                                       STATUS     START (UTC)       END (UTC)         START (local)            END (local)              CIRCUIT         IMPACT
      ID--------------------------------------------------------------  CONFIRMED  2031-03-04 23:00  2031-03-05 03:00  2031-03-05 00:00 +01:00  2031-03-05 04:00 +01:00  dxcon-fh6q1w2e  OUTAGE
      ID--------------------------------------------------------------  CONFIRMED  2031-03-04 23:00  2031-03-05 03:00  2031-03-05 00:00 +01:00  2031-03-05 04:00 +01:00  dxvif-fg9z8y7x  OUTAGE

    ----- stderr -----
    ");
}

#[test]
fn json_is_one_line_with_the_twelve_keys() {
    let folder = Folder::new();
    folder.write("notice.eml", notice());
    assert_snapshot!(short(&folder.run(&["parse", "--json", "notice.eml"]).shown()), @r#"
    exit code: 0
    ----- stdout -----
    {"file":"notice.eml","outcome":"maintenance","provider":"aws","reason":null,"maintenances":[{"provider":"aws","account":"210987654321","maintenance_id":"ID--------------------------------------------------------------","status":"CONFIRMED","circuits":[{"circuit_id":"dxcon-fh6q1w2e","impact":"OUTAGE"},{"circuit_id":"dxvif-fg9z8y7x","impact":"OUTAGE"}],"start":1930431600,"end":1930446000,"stamp":1928487851,"organizer":"aws-account-notifications@amazon.com","uid":"0","sequence":1,"summary":"Planned maintenance has been scheduled at an AWS Direct Connect endpoint in Example Exchange, Lisbon, PRT from Tue, 4 Mar 2031 23:00:00 GMT to Wed, 5 Mar 2031 03:00:00 GMT for 4 hours."}],"suggestion":[]}
    ----- stderr -----
    "#);
}

#[test]
fn every_outcome_is_told_and_a_failure_is_exit_code_1() {
    let folder = Folder::new();
    folder.write("1-undated.eml", undated());
    folder.write("2-receipt.eml", receipt());
    folder.write("3-stranger.eml", stranger());
    let files = ["parse", "1-undated.eml", "2-receipt.eml", "3-stranger.eml"];
    assert_snapshot!(folder.run(&files).shown(), @r"
    exit code: 1
    ----- stdout -----
    1-undated.eml: failed aws
      expected a paragraph on a maintenance, with a window in it or below `Start Time:`
      but      not found
           1 | Hello,
           3 | Planned maintenance has been scheduled at an AWS Direct Connect endpoint in Example Exchange, Lisbon, PRT at a time to be announced for 4 hours.
           5 | dxcon-fh6q1w2e
           6 | dxvif-fg9z8y7x
           8 | Sincerely,
           9 | Amazon Web Services
      from     no-reply-aws@amazon.com
      subject  AWS Direct Connect Planned Maintenance Notification [AWS Account: 210987654321]

    2-receipt.eml: ignored aws
      because  not about a maintenance of AWS Direct Connect; an invoice (`invoice`)
      from     no-reply-aws@amazon.com
      subject  Your invoice is available [AWS Account: 210987654321]

    3-stranger.eml: unrecognised
      because  no known provider's sender, calendar or wording
      from     friend@stranger.example
      subject  Our Direct Connect Planned Maintenance Notification [Our Account: 210987654321]

    ----- stderr -----
    ");
    let run = folder.run(&["parse", "--json", "1-undated.eml", "2-receipt.eml", "3-stranger.eml"]);
    let outcomes: Vec<_> = run.json().iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect();
    assert_eq!((run.code(), outcomes.join(" ").as_str()), (Some(1), "failed ignored unrecognised"), "{run}");
    assert_eq!(folder.run(&["parse", "2-receipt.eml", "3-stranger.eml"]).code(), Some(0));
}

#[test]
fn an_explanation_names_the_place_of_every_value() {
    let folder = Folder::new();
    folder.write("notice.eml", notice());
    assert_snapshot!(short(&folder.run(&["parse", "--explain", "notice.eml"]).shown()), @r"
    exit code: 0
    ----- stdout -----
    notice.eml: maintenance aws
      MAINTENANCE                                                       STATUS     START (UTC)       END (UTC)         START (local)            END (local)              CIRCUIT         IMPACT
      ID--------------------------------------------------------------  CONFIRMED  2031-03-04 23:00  2031-03-05 03:00  2031-03-05 00:00 +01:00  2031-03-05 04:00 +01:00  dxcon-fh6q1w2e  OUTAGE
      ID--------------------------------------------------------------  CONFIRMED  2031-03-04 23:00  2031-03-05 03:00  2031-03-05 00:00 +01:00  2031-03-05 04:00 +01:00  dxvif-fg9z8y7x  OUTAGE

      known by the sender's domain `amazon.com`
      trusted  where SES's verdicts are PASS: amazon.com is the provider's domain, DMARC passed

      ID-------------------------------------------------------------- was read from
        organizer       rule: the provider's address
        stamp           header Date                        `2031-02-10T11:04:11Z`
        status          text line 3                        `AWS Direct Connect Planned Maintenance Notification [AWS Account: 210987654321]`
        circuits        text line 5                        `dxcon-fh6q1w2e`
        circuits        text line 6                        `dxvif-fg9z8y7x`
        summary         text line 3                        `Planned maintenance has been scheduled at an AWS Direct Connect endpoint in Example Exchange, Lisbon, PRT from Tue, 4 Mar 2031 23:00:00 GMT to Wed, 5 Mar 2031 0…`
        account         header Subject                     `AWS Direct Connect Planned Maintenance Notification [AWS Account: 210987654321]`
        maintenance_id  rule: SHA-256 of the circuits' ids, the start and the end
        start           text line 3                        `4 Mar 2031 23:00:00 GMT`
        end             text line 3                        `5 Mar 2031 03:00:00 GMT`
        as stated       2031-03-04T23:00:00Z to 2031-03-05T03:00:00Z

    ----- stderr -----
    ");
    let run = folder.run(&["parse", "--explain", "--json", "notice.eml"]);
    let line = &run.json()[0];
    assert!(line["explanation"]["recognised_by"].as_str().unwrap().contains("amazon.com"), "{run}");
    let fields: Vec<_> = line["explanation"]["evidence"][0].as_array().unwrap().iter().map(|e| &e["field"]).collect();
    assert!(fields.iter().any(|field| *field == "start"), "{run}");
    folder.write(
        "forwarded.eml",
        format!(
            "From: a@colleague.example\nSubject: Fwd: see below\n\n---------- Forwarded message ---------\n{}",
            notice()
        ),
    );
    let run = folder.run(&["parse", "--explain", "forwarded.eml"]);
    assert!(run.stdout().contains("it goes to a person: a@colleague.example does not send notices of"), "{run}");
}

#[test]
fn a_suggestion_is_shown_apart_and_as_unverified() {
    let folder = Folder::new();
    folder.write("notice.eml", include_str!("../mails/unrecognised/labelled-lines.eml"));
    assert_snapshot!(folder.run(&["parse", "notice.eml"]).shown(), @r"
    exit code: 0
    ----- stdout -----
    notice.eml: unrecognised
      because  no known provider's sender, calendar or wording
      from     noc@harbourlight.example
      subject  Planned work on your services
      suggests unverified, for a person to confirm:
        MAINTENANCE   STATUS     START (UTC)       END (UTC)         START (local)            END (local)              CIRCUIT       IMPACT
        HL-CHG-20881  CONFIRMED  2031-03-19 22:00  2031-03-20 04:00  2031-03-19 23:00 +01:00  2031-03-20 05:00 +01:00  HL/WDM/00417  OUTAGE
        HL-CHG-20881  CONFIRMED  2031-03-19 22:00  2031-03-20 04:00  2031-03-19 23:00 +01:00  2031-03-20 05:00 +01:00  HL/WDM/00419  OUTAGE

    ----- stderr -----
    ");
    let record = folder.run(&["parse", "--json", "notice.eml"]).json().remove(0);
    assert_eq!(
        (record["maintenances"].as_array().map(Vec::len), record["suggestion"].as_array().map(Vec::len)),
        (Some(0), Some(1))
    );
}

#[test]
fn a_mail_comes_from_standard_input() {
    let run = Folder::new().run_with_input(&["parse", "--json", "-"], notice());
    assert_eq!((run.code(), run.json()[0]["file"].as_str()), (Some(0), Some("-")), "{run}");
    let crlf = Folder::new().run_with_input(&["parse", "--json", "-"], replaced(&notice(), &[("\n", "\r\n")]));
    assert_eq!(crlf.stdout(), run.stdout());
}

#[test]
fn the_mails_of_an_mbox_file_are_numbered() {
    let folder = Folder::new();
    let mails = [notice(), receipt(), notice()];
    let separator = "From a@carrier.example Mon Feb 10 11:04:12 2031\n";
    let mbox: String = mails.iter().flat_map(|mail| [separator, mail, "\n"]).collect();
    folder.write("box", mbox);
    let run = folder.run(&["parse", "--json", "box"]);
    let files: Vec<_> = run.json().iter().map(|line| format!("{} {}", line["file"], line["outcome"])).collect();
    assert_eq!(files.join(", "), r#""box#1" "maintenance", "box#2" "ignored", "box#3" "maintenance""#, "{run}");
    assert_eq!(run.json()[0]["maintenances"], run.json()[2]["maintenances"]);
}

#[test]
fn a_folder_is_read_in_the_order_of_names_however_many_mails_it_has() {
    let folder = Folder::new();
    for number in 0..200 {
        let mail = if number % 3 == 0 { notice() } else { receipt() };
        folder.write(&format!("mails/{}/{number:03}.eml", number % 2), mail);
    }
    folder.write("mails/notes.json", "{}");
    let run = folder.run(&["parse", "--json", "mails"]);
    let files: Vec<_> = run.json().iter().map(|line| line["file"].as_str().unwrap().to_owned()).collect();
    let mut sorted = files.clone();
    sorted.sort();
    assert_eq!((run.code(), files.len()), (Some(0), 200), "{run}");
    assert_eq!(files, sorted);
    let right = |line: &serde_json::Value| {
        let number: usize = line["file"].as_str().unwrap().rsplit('/').next().unwrap()[..3].parse().unwrap();
        line["outcome"] == if number.is_multiple_of(3) { "maintenance" } else { "ignored" }
    };
    assert!(run.json().iter().all(right), "{run}");
}

#[test]
fn unreadable_files_are_reported_and_the_rest_is_read() {
    let folder = Folder::new();
    folder.write("empty.eml", "");
    folder.write("outlook.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on");
    folder.write("folder/notes.json", "{}");
    folder.write("receipt.eml", receipt());
    assert_snapshot!(
        folder.run(&["parse", "missing.eml", "empty.eml", "outlook.msg", "folder", "receipt.eml"]).shown(),
        @r"
    exit code: 2
    ----- stdout -----
    receipt.eml: ignored aws
      because  not about a maintenance of AWS Direct Connect; an invoice (`invoice`)
      from     no-reply-aws@amazon.com
      subject  Your invoice is available [AWS Account: 210987654321]

    ----- stderr -----
    error: Failed to read `missing.eml`
      because: No such file or directory (os error 2)
    error: Failed to read `empty.eml`: it is empty
    error: Failed to read `outlook.msg`: it is in Outlook's own format
    hint: save the mail as `.eml`
    error: Failed to find a mail in the folder `folder`
    hint: a file counts if it is named `.eml`, `.mail`, `.msg` or `.mbox`, or begins with a mail's headers
    "
    );
}

#[test]
fn any_bytes_have_an_outcome() {
    let folder = Folder::new();
    folder.write("bytes.eml", (0..=255_u8).cycle().take(10_000).collect::<Vec<_>>());
    folder.write("truncated.eml", &notice().as_bytes()[..120]);
    let run = folder.run(&["parse", "--json", "bytes.eml", "truncated.eml"]);
    assert_eq!(run.json().len(), 2, "{run}");
}

#[test]
fn control_characters_of_a_mail_do_not_reach_the_terminal() {
    let folder = Folder::new();
    folder.write("evil.eml", "From: a@stranger.example\nSubject: \x1b[2J\x1b]0;title\x07now\n\nhello\n");
    let run = folder.run(&["parse", "evil.eml"]);
    assert!(run.stdout().contains("now") && !run.stdout().contains(['\x1b', '\x07']), "{run}");
}
