//! Tests many SMTP sessions at once.

use std::io::BufRead;

use super::session::{Run, talk};

/// Number of SMTP sessions that have a place at once.
const SESSIONS: usize = 32;

const MAIL: [&[u8]; 5] = [
    b"EHLO mx.carrier.example\r\n",
    b"MAIL FROM:<noc@carrier.example>\r\n",
    b"RCPT TO:<noc@example.com>\r\n",
    b"DATA\r\n",
    b"Subject: hello\r\n\r\nbody\r\n.\r\n",
];

#[test]
fn sessions_that_are_left_alone_give_way_to_those_who_come_later() {
    let live = Run::new().live(&[]);
    let idle: Vec<_> = (0..SESSIONS).map(|_| live.client()).collect();
    // It waits for its place.
    let answers = live.smtp(&MAIL);
    assert!(answers[5].starts_with("250 2.0.0 OK"), "{answers:?}");
    let told = idle.into_iter().map(|mut client| {
        client.get_ref().set_read_timeout(Some(std::time::Duration::from_millis(10))).unwrap();
        let mut words = String::new();
        // Who is not told anything still has the place.
        client.read_line(&mut words).map(|_| words).unwrap_or_default()
    });
    let told: Vec<String> = told.filter(|words| !words.is_empty()).collect();
    assert_eq!(told, ["421 4.4.2 Idle, and others wait\r\n"]);
}

#[test]
fn a_client_that_sends_a_byte_now_and_then_keeps_nobody_out() {
    use std::io::Write;
    let live = Run::new().live(&[]);
    let slow: Vec<_> = (0..SESSIONS).map(|_| live.client()).collect();
    let (ends, ended) = std::sync::mpsc::channel::<()>();
    let dripping = std::thread::spawn(move || {
        while ended
            .recv_timeout(std::time::Duration::from_millis(200))
            .is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            for client in &slow {
                let _it_was_sent_away = client.get_ref().write_all(b"N");
            }
        }
    });
    let answers = live.smtp(&MAIL);
    assert!(answers[5].starts_with("250 2.0.0 OK"), "{answers:?}");
    drop(ends);
    dripping.join().unwrap();
}

#[test]
fn a_hundred_senders_at_once_are_all_served() {
    let mut live = Run::new().live(&[]);
    let port = live.port;
    let senders: Vec<Vec<String>> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..100).map(|_| scope.spawn(move || talk(port, &MAIL))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    for answers in senders {
        assert!(answers[5].starts_with("250 2.0.0 OK"), "{answers:?}");
    }
    live.until(|line| line.starts_with("#100 done"));
    let run = live.interrupt();
    assert!(run.output.contains("100 mails: 100 handled"), "{run}");
}
