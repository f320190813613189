//! One sink, and several at once.

use super::*;

#[test]
fn the_sink_lines_writes_what_it_takes() {
    let written = Written::default();
    let log = log(&written);
    let objects = stored(&[("first/inbound/a", PLANNED), ("second/b", UNKNOWN)]);
    let pipeline = pipeline(objects, Lines::new(Arc::clone(&log)), log);
    run(pipeline.handle("request", &event(&[record("a", ""), record("b", "")]))).unwrap();
    let reports: Vec<Report> = written.lines().into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let [Report::Maintenance(delivered), Report::Mail(first), Report::ForPerson(handed), Report::Mail(_)] =
        &reports[..]
    else {
        panic!("{reports:?}")
    };
    assert_eq!(first.maintenances, std::slice::from_ref(&delivered.maintenance));
    assert_eq!(
        (delivered.provider_slug.as_str(), &delivered.mail),
        ("aws", &Mail::decode(PLANNED).identity().to_string())
    );
    assert_eq!((handed.bucket.as_str(), handed.key.as_str()), ("second", "b"));
    assert!(handed.mail.contains("1@elsewhere.example"), "{}", handed.mail);
}

#[test]
fn of_several_sinks_each_is_given_everything() {
    let refused = || Err(SinkError::Refused("odd".to_owned()));
    let slow = || Err(SinkError::Transient("slow".to_owned()));
    let in_part = || Ok(Delivered::ForPerson { reason: "a circuit".to_owned() });
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
