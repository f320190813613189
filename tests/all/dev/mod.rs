//! Tests `provision dev`, with a function that does what a mail's subject asks for
//! (`tests/standin`).

mod egress;
mod ending;
mod limits;
mod mail_events;
mod messages;
mod neighbours;
mod places;
mod real;
mod receiving;
mod requests;
mod screen;
mod session;
mod tls;
mod tracking;
mod writing;

use session::{Run, mail};

#[test]
fn a_mail_goes_through_the_rules_to_the_function_and_the_summary_says_what_became_of_it() {
    let run = Run::new()
        .mail("a.eml", mail("report delivered"))
        .mail("b.eml", mail("report ignored"))
        .mail("c.eml", mail("report for_person"))
        .mail("d.eml", mail("hello"))
        .once(&[]);
    assert_eq!(run.code, 0, "{run}");
    for line in [
        "#1 arrived    MAILS/a.eml: \"report delivered\" from noc@carrier.example",
        "#1 delivered  provider carrier",
        "#1   MAINTENANCE  STATUS     START (UTC)",
        "#1   CHG-1        CONFIRMED  2027-01-01 07:00  2027-01-01 09:00  ",
        "#3 for person provider carrier",
        "4 mails: 1 delivered, 1 ignored, 1 for person, 1 handled",
    ] {
        assert!(run.output.contains(line), "`{line}` is missing in\n{run}");
    }
    assert!(run.output.contains("#1 stored     rule reader → bucket mail, inbound/"), "{run}");
    assert!(run.errors.contains("reader | handled hello"), "{run}");
}

#[test]
fn with_json_there_is_one_document() {
    let run = Run::new().mail("a.eml", mail("report delivered")).mail("b.eml", mail("crash")).once(&["--json"]);
    assert_eq!(run.code, 1, "{run}");
    let document: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["interrupted"], false);
    assert_eq!(document["counts"], serde_json::json!({"delivered": 1, "failed": 1}));
    let mails = document["mails"].as_array().unwrap();
    assert_eq!(mails[0]["details"]["maintenances"][0]["maintenance_id"], "CHG-1");
    assert_eq!(mails[0]["attempts"], 1);
    assert_eq!(mails[1]["outcome"], "failed");
    assert_eq!(mails[1]["attempts"], 3);
    assert_eq!(mails[1]["reason"], "the process ended without an answer: exit status 7");
}

#[test]
fn the_function_sees_the_environment_of_lambda_and_nothing_of_ours() {
    let run = Run::new()
        .mail("a.eml", mail("environment"))
        .mail("b.eml", mail("print PROVISION_CONTEXT"))
        .mail("c.eml", mail("print GREETING"))
        .mail("d.eml", mail("print SINK"))
        .once(&["--sink", "lines"]);
    insta::assert_snapshot!(run.logged(), @r#"
    environment: AWS_ACCESS_KEY_ID AWS_DEFAULT_REGION AWS_EC2_METADATA_DISABLED AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_SQS AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GREETING LAMBDA_TASK_ROOT LANG PATH PROVISION_CONTEXT SINK TZ _HANDLER
    PROVISION_CONTEXT={"stack":"standin","function":"reader","mail":[{"bucket":"standin-mail-123456789012-eu-west-1","prefix":"inbound/"}],"secrets":{"GREETING_TOKEN":"greeting/token"}}
    GREETING=hello
    SINK=lines
    "#);
}

#[test]
fn every_sink_can_be_chosen_and_what_is_not_declared_for_it_comes_from_the_environment() {
    let run = Run::new()
        .mail("a.eml", mail("print SINK"))
        .mail("b.eml", mail("print NETBOX_URL"))
        .mail("c.eml", mail("print WEBHOOK_URL"))
        .declared("{GREETING: hello}", "{GREETING: hello, NETBOX_URL: \"https://declared.example\"}")
        .variable("NETBOX_URL", "https://environment.example")
        .variable("WEBHOOK_URL", "https://hooks.example");
    let run = run.once(&["--sink", "lines,netbox,webhook", "--sink", "calendar"]);
    insta::assert_snapshot!(run.logged(), @r"
    SINK=lines,netbox,webhook,calendar
    NETBOX_URL=https://declared.example
    WEBHOOK_URL=https://hooks.example
    ");
    let run = Run::new().mail("a.eml", mail("print WEBHOOK_URL")).variable("WEBHOOK_URL", "https://hooks.example");
    assert_eq!(run.once(&["--sink", "netbox"]).logged(), "WEBHOOK_URL=", "a sink that was not chosen");
}

#[test]
fn rights_that_the_declaration_does_not_give_are_not_there() {
    let run = Run::new()
        .mail("a.eml", mail("unsigned /standin-mail-123456789012-eu-west-1/inbound/x"))
        .mail("b.eml", mail("secret greeting/token"))
        .mail("c.eml", mail("secret other/token"))
        .variable("GREETING_TOKEN", "not to be shown")
        .once(&[]);
    insta::assert_snapshot!(run.logged(), @r#"
    unsigned: 403
    secret: 403, 0 letters "the request is not signed"
    secret: 403, 0 letters "the request is not signed"
    "#);
    assert!(!run.to_string().contains("not to be shown"), "{run}");
}

#[test]
fn unreadable_files_and_failed_builds_are_exit_code_2() {
    let run = Run::new().mail("a.eml", mail("hello")).once(&["--deliver", "/nowhere.eml"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.output.contains("/nowhere.eml"), "{run}");
    assert!(run.output.contains("1 mail: 1 handled"), "the others are delivered: {run}");
    let run = Run::new().declared("bin: standin", "bin: other").mail("a.eml", mail("hello")).once(&[]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.errors.contains("Failed to find binary `other` in package `standin`"), "{run}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = Run::new().mail("a.eml", mail("hello")).once(&["--smtp-port", &port]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.errors.contains(&format!("Failed to listen on 127.0.0.1:{port} for SMTP")), "{run}");
    assert!(run.errors.contains("hint: `--smtp-port 0` takes any free port"), "{run}");
    let run = Run::new().mail("a.eml", mail("hello")).once(&["--verdict", "dmarc=MAYBE"]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.errors.contains("`MAYBE` is not a verdict"), "{run}");
}
