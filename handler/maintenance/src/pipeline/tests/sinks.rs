//! Tests one sink, and several at once.

use super::*;

#[test]
fn the_sink_lines_writes_every_notice_and_mail() {
    let written = Written::default();
    let log = log(&written);
    let objects = stored(&[("first/inbound/a", PLANNED), ("second/b", UNKNOWN)]);
    let pipeline = pipeline(objects, Lines::new(Arc::clone(&log)), log);
    run(pipeline.handle("request", &event(&[record("a", ""), record("b", "")]))).unwrap();
    let lines = written.lines();
    let of = |index: usize| (lines[index]["report"].as_str().unwrap(), lines[index]["kind"].as_str());
    assert_eq!(lines.len(), 4, "{lines:?}");
    let kinds = [("output", Some("maintenance")), ("item", None), ("output", Some("for_person")), ("item", None)];
    assert_eq!([of(0), of(1), of(2), of(3)], kinds);
    let Value::Object(mut delivered) = lines[0].clone() else { panic!("{lines:?}") };
    assert_eq!(
        (&delivered["provider_slug"], &delivered["mail"]),
        (&json!("aws"), &json!(Mail::decode(PLANNED).identity().to_string()))
    );
    delivered
        .retain(|key, _| !["report", "kind", "facts", "provider_slug", "announced_at", "mail"].contains(&key.as_str()));
    assert_eq!(lines[1]["details"]["maintenances"], json!([delivered]));
    assert_eq!((&lines[2]["bucket"], &lines[2]["key"]), (&json!("second"), &json!("b")));
    assert!(lines[2]["mail"].as_str().unwrap().contains("1@elsewhere.example"), "{}", lines[2]);
}

#[test]
fn of_several_sinks_each_is_given_everything() {
    let refused = || Err(SinkError::Refused("odd".to_owned()));
    let slow = || Err(SinkError::Transient("slow".to_owned()));
    let in_part = || Ok(Delivered { concerns: vec!["a circuit".to_owned()], ..Delivered::completely() });
    let table = [
        (WHOLE, WHOLE, "delivered", "", 2),
        (in_part(), WHOLE, "for_person", "a circuit", 2),
        (WHOLE, refused(), "for_person", "the notice was refused: odd", 4),
        (refused(), slow(), "retry", "slow", 2),
        (slow(), WHOLE, "retry", "slow", 2),
    ];
    for (one, other, outcome, reason, calls) in table {
        let both = [Noting::new(one, Ok(())), Noting::new(other, Ok(()))];
        let written = Written::default();
        let sink = Several(both.iter().collect());
        let pipeline = pipeline(stored(&[("second/m", PLANNED)]), sink, log(&written));
        let _ = run(pipeline.handle("request", &event(&[record("m", "")])));
        let line = &written.lines()[0];
        assert_eq!(line["outcome"], outcome, "{line}");
        assert!(line["reason"].as_str().unwrap_or_default().contains(reason), "{line}");
        let called: usize =
            both.iter().map(|sink| sink.calls.lock().unwrap_or_else(PoisonError::into_inner).len()).sum();
        assert_eq!(called, calls, "{outcome}");
    }
}
