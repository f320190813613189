//! Compares clients: runs a program with each kind of fault, and prints what it told to be written and what is there. The results for the
//! client that was chosen, and for the other one, are in `docs/kafka-clients.md`.

use std::{
    collections::BTreeSet,
    env, fs,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    broker::Broker,
    front::{Fault, Front},
};

/// Messages of a run, and the pause after each.
const COUNT: usize = 60;
const PAUSE_MS: u64 = 30;

/// Lets something go wrong.
type Wrong = fn(&Arc<Front>);

fn every(step: u64, fault: Fault) -> impl Fn(u64) -> Fault + Send {
    move |number| if number % step == step - 1 { fault } else { Fault::None }
}

/// Each kind of fault.
const FAULTS: [(&str, Wrong); 10] = [
    ("nothing", |_| ()),
    ("every 5th request lost", |front| front.choose(every(5, Fault::Lost))),
    ("every 5th answer lost", |front| front.choose(every(5, Fault::AnswerLost))),
    ("every 30th answer never comes", |front| front.choose(every(30, Fault::Silence))),
    ("every 4th answer is NOT_LEADER (6)", |front| front.choose(every(4, Fault::Code(6)))),
    ("every 4th answer is REQUEST_TIMED_OUT (7)", |front| front.choose(every(4, Fault::Code(7)))),
    ("every 4th answer is NOT_ENOUGH_REPLICAS (19)", |front| front.choose(every(4, Fault::Code(19)))),
    ("all of these by turns", |front| {
        let all = [Fault::Lost, Fault::AnswerLost, Fault::Code(6), Fault::Code(7), Fault::Code(19)];
        front.choose(
            move |number| if number % 3 == 0 { all[usize::try_from(number / 3).unwrap() % 5] } else { Fault::None },
        );
    }),
    ("brokers away for 2 s", |front| {
        let front = Arc::clone(front);
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(900));
            front.set_away(true);
            thread::sleep(Duration::from_secs(2));
            front.set_away(false);
        });
    }),
    ("sessions end after 700 ms", |front| front.end_sessions_after(Duration::from_millis(700))),
];

#[test]
fn a_client_is_compared() {
    let Ok(program) = env::var("KAFKA_CLIENT") else {
        println!(
            "not run: `KAFKA_CLIENT` names no program that takes BOOTSTRAP, a file of certificates, COUNT and PAUSE_MS"
        );
        return;
    };
    let words: Vec<&str> = program.split(' ').collect();
    let folder = tempfile::tempdir().unwrap();
    println!("{program}: {COUNT} messages, {PAUSE_MS} ms between them");
    println!(
        "| fault | acknowledged | not | of these in the topic | acknowledged and lost | doubled | first after ms | s |"
    );
    for (name, wrong) in FAULTS {
        let broker = Broker::start(1, 3);
        let ca = folder.path().join("ca.pem");
        fs::write(&ca, &broker.front.ca).unwrap();
        wrong(&broker.front);
        let began = Instant::now();
        let output = Command::new(words[0])
            .args(&words[1..])
            .args([broker.bootstrap.as_str(), ca.to_str().unwrap(), &COUNT.to_string(), &PAUSE_MS.to_string()])
            .env_clear()
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let seconds = began.elapsed().as_secs_f64();
        let text = String::from_utf8(output.stdout).unwrap();
        let of = |outcome: &str| -> Vec<Vec<&str>> {
            let lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
            lines.filter(|words| words[0] == outcome).collect()
        };
        let (acknowledged, failed) = (of("acked"), of("failed"));
        let kept: Vec<String> = broker.kept().into_iter().map(|kept| kept.key).collect();
        let there: BTreeSet<&str> = kept.iter().map(String::as_str).collect();
        let lost = acknowledged.iter().filter(|words| !there.contains(words[1])).count();
        let known = failed.iter().filter(|words| there.contains(words[1])).count();
        let first = acknowledged.first().map_or("–", |words| words[2]);
        println!(
            "| {name} | {} | {} | {known} | {lost} | {} | {first} | {seconds:.1} |",
            acknowledged.len(),
            failed.len(),
            kept.len() - there.len(),
        );
        assert_eq!((lost, acknowledged.len() + failed.len()), (0, COUNT), "{text}");
    }
}
