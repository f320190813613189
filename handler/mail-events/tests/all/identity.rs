//! Any text as a notification: no panic, and no success without a message.

use proptest::prelude::*;

use crate::trial::{Trial, notifications, sample};

#[test]
fn any_text_is_written_ignored_or_told() {
    let trial = Trial::start();
    let whole = sample("event-bounce.json");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let cut = (0..whole.len(), any::<String>()).prop_map(|(at, text)| {
        let at = (0..=at).rev().find(|at| whole.is_char_boundary(*at)).unwrap();
        format!("{}{text}{}", &whole[..at], &whole[at..])
    });
    runner
        .run(&prop_oneof![any::<String>(), cut], |text| {
            let before = trial.broker.kept().len();
            let said = trial.invoke(&notifications(&[("n-1", &text)]));
            let written = trial.broker.kept().len() - before;
            let is_ignored = text.trim().starts_with("Successfully validated SNS topic");
            prop_assert_eq!(said.error_type.is_none(), written > 0 || is_ignored, "{}", said.body);
            Ok(())
        })
        .unwrap();
    let (_, errors) = trial.stop();
    assert!(!errors.contains("panicked"), "{errors}");
}
