//! A bad day: one call fails, is throttled, is answered late, or its connection is cut. A plain run afterwards brings everything to its end.

use std::{collections::BTreeMap, env};

use super::{EVERYTHING, Trial};
use crate::emulator::fault::{FAULTS, Fault};

/// The run that something happens to.
#[derive(Debug, Clone, Copy)]
enum Stage {
    First,
    Update,
    Down,
}

/// What the update changes.
fn updated() -> String {
    EVERYTHING
        .replace("30d", "60d")
        .replace("team: network", "team: noc")
        .replace("STANDIN: ready", "STANDIN: steady")
        .replace("{retention: 14d}", "{retention: 7d}")
        .replace("tls: require", "tls: optional")
        .replace("description: NetBox", "description: token")
        .replace("raw: true", "raw: false")
        .replace("recipients: [noc@example.com]", "recipients: [noc@example.com, ops@example.com]")
}

impl Stage {
    /// The account as it is before the run.
    fn prepare(self, trial: &Trial) {
        trial.proxy.reset();
        if !matches!(self, Self::First) {
            trial.folder.write("infra.yaml", EVERYTHING);
            trial.up();
        }
        trial.folder.write("infra.yaml", if matches!(self, Self::Update) { updated() } else { EVERYTHING.to_owned() });
        trial.proxy.reset();
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::First | Self::Update => &["up", "--yes"],
            Self::Down => &["down", "--confirm", "circuits", "--delete-data"],
        }
    }

    /// A plain run brings it to its end, and there is nothing twice. That it is the end, a run sees by itself before it says 0.
    fn mend(self, trial: &Trial, what: &str) {
        trial.proxy.reset();
        let run = trial.run(self.arguments());
        assert_eq!(run.code(), Some(0), "after {what}\n{run}\n{}", trial.proxy.record());
        let account = &trial.account;
        let functions = account.wait(account.lambda.list_functions().send()).unwrap().functions().len();
        let topics = account.wait(account.sns.list_topics().send()).unwrap().topics().len();
        let subscriptions = account.wait(account.sns.list_subscriptions().send()).unwrap().subscriptions().len();
        let expected = if matches!(self, Self::Down) { (0, 0, 0) } else { (1, 2, 4) };
        assert_eq!((functions, topics, subscriptions), expected, "after {what}");
    }
}

/// What happens to a call, by its number: every kind of fault where the whole matrix is asked for; in CI every call once, with
/// the kinds by turns (decision 34); on a developer's machine some of the calls.
fn faults(number: usize) -> Vec<Fault> {
    let is_whole = env::var("FAULTS").is_ok_and(|value| value == "all");
    let turn = FAULTS[number % FAULTS.len()];
    match super::step(7) {
        _ if is_whole => FAULTS.to_vec(),
        step if number.is_multiple_of(step) => vec![turn],
        _ => Vec::new(),
    }
}

/// One fault after the other, each in an account that is as it is before the run.
fn matrix(stage: Stage) -> BTreeMap<String, usize> {
    let Some(trial) = Trial::new(EVERYTHING) else { return BTreeMap::new() };
    stage.prepare(&trial);
    trial.expect(0, stage.arguments());
    let count = trial.proxy.calls().len();
    let mut figures = BTreeMap::from([("calls".to_owned(), count)]);
    for number in 1..=count {
        for kind in faults(number) {
            trial.reset_account();
            stage.prepare(&trial);
            let hit = trial.proxy.on(kind, move |call| call.number == number);
            let run = trial.run(stage.arguments());
            let Some(call) = hit.try_iter().next() else { continue };
            let what = format!("{kind:?} of call {number}, {}", call.operation);
            *figures.entry(format!("{kind:?}, exit {}", run.code().unwrap_or(-1))).or_default() += 1;
            if run.code() != Some(0) {
                assert!(run.code() == Some(2) && kind != Fault::Delays, "{what}\n{run}");
                // A cut connection has no code and no request id, but a call.
                let named = run.stderr().contains(&call.operation.to_string());
                let identified = matches!(kind, Fault::CutBefore | Fault::CutAfter)
                    || run.stderr().contains(&format!("fault-{number}"));
                assert!(named && identified, "the error of {what} is not told:\n{run}");
            }
            stage.mend(&trial, &what);
        }
    }
    figures
}

impl Trial {
    /// Empties the account.
    pub(crate) fn reset_account(&self) {
        self.proxy.reset();
        self.emulator.reset();
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what one wants to see")]
fn told(stage: Stage) {
    println!("{stage:?}: {:?}", matrix(stage));
}

#[test]
fn a_first_up_gets_over_any_bad_call() {
    told(Stage::First);
}

#[test]
fn an_update_gets_over_any_bad_call() {
    told(Stage::Update);
}

#[test]
fn a_down_gets_over_any_bad_call() {
    told(Stage::Down);
}
