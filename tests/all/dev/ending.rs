//! Tests the end of a run: by Ctrl-C, by a kill, and what the next run finds.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::session::{DECLARATION, Run, ends_soon, is_running, mail};

/// Sends a mail with this subject, which is accepted.
fn accepted(live: &super::session::Live, subject: &str) {
    let data = format!("Subject: {subject}\r\n\r\nbody\r\n.\r\n");
    let says: [&[u8]; 5] = [
        b"EHLO mx.carrier.example\r\n",
        b"MAIL FROM:<>\r\n",
        b"RCPT TO:<noc@example.com>\r\n",
        b"DATA\r\n",
        data.as_bytes(),
    ];
    let answers = live.smtp(&says);
    assert!(answers[5].starts_with("250 2.0.0 OK"), "{answers:?}");
}

#[test]
fn at_ctrl_c_what_was_accepted_is_finished_and_no_more_is_taken() {
    let mut live = Run::new().live(&[]);
    let waiting = live.client();
    for _ in 0..2 {
        accepted(&live, "slow 1");
    }
    live.until_error(|line| line.contains("begun"));
    live.press_ctrl_c();
    live.until_error(|line| line == "Finishing what was accepted; Ctrl-C once more ends it at once");
    let told: Vec<_> = std::io::BufRead::lines(waiting).map_while(Result::ok).collect();
    assert_eq!(told, ["421 4.3.2 provision dev ends"]);
    let run = live.end();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.output.contains("2 mails: 2 handled"), "{run}");
}

#[test]
fn at_ctrl_c_an_event_that_fails_comes_into_the_failure_queue() {
    let mut live = Run::new().live(&["--retry-delay", "0.5"]);
    accepted(&live, "error");
    live.until(|line| line.contains("attempt 2 of 3"));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.output.contains("the event is in queue failed: "), "{run}");
    assert_eq!(run.files("queues/failed").len(), 1, "{run}");
}

#[test]
fn at_ctrl_c_no_further_mail_of_a_folder_is_taken_and_none_is_half_done() {
    let numbers = 0..200;
    let run = numbers.fold(Run::new(), |run, number| run.mail(&format!("{number:03}.eml"), mail("slow 1")));
    let mut live = run.delivering(&[]);
    live.until_error(|line| line.contains("begun"));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    let handed = run.output.lines().filter(|line| line.contains(" handed ")).count();
    assert!(handed < 200, "{run}");
    assert!(run.output.contains(&format!("{handed} mails: {handed} handled")), "{run}");
}

#[test]
fn a_second_ctrl_c_ends_everything_and_lists_unfinished_mails() {
    let mut live = Run::new().live(&[]);
    accepted(&live, "stubborn 600");
    let started = live.until_error(|line| line.contains("started "));
    let processes: Vec<String> = started.split(' ').skip(3).map(str::to_owned).collect();
    assert_eq!(processes.len(), 2, "{started}");
    assert!(processes.iter().all(|process| is_running(process)), "{started}");
    live.press_ctrl_c();
    live.until_error(|line| line.starts_with("Finishing what was accepted"));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    assert!(run.output.contains("1 mail: 1 unfinished"), "{run}");
    for process in processes {
        assert!(ends_soon(&process), "{process} is still there\n{run}");
    }
}

#[test]
fn ctrl_c_ends_a_build() {
    let asked = format!("if [ \"$1\" = metadata ]; then exec '{}' \"$@\"; fi", env!("CARGO"));
    let mut live = Run::new().with_cargo(&format!("{asked}; echo \"building $$\" >&2; sleep 600"));
    let building = live.until_error(|line| line.starts_with("building "));
    let process = building.trim_start_matches("building ").to_owned();
    assert!(is_running(&process));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    assert!(ends_soon(&process), "{process} is still there\n{run}");
}

/// Before it builds, the declaration is checked by the schemas that Cargo finds.
#[test]
fn ctrl_c_ends_dev_while_it_checks_the_declaration() {
    let run = Run::new();
    let told = run.path().join("asked");
    let live = run.with_cargo(&format!("sleep 600 & echo \"$!\" >'{0}.new'; mv '{0}.new' '{0}'; wait", told.display()));
    let started = std::time::Instant::now();
    while !told.is_file() {
        assert!(started.elapsed() < std::time::Duration::from_mins(1), "Cargo was not asked");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let process = fs::read_to_string(&told).unwrap().trim().to_owned();
    assert!(is_running(&process));
    let run = live.interrupt();
    assert_eq!(run.code, 130, "{run}");
    assert!(ends_soon(&process), "{process} is still there\n{run}");
}

#[test]
fn without_a_state_folder_nothing_is_left_behind() {
    let run = Run::new().mail("a.eml", mail("hello")).temporary().once(&[]);
    assert_eq!(run.code, 0, "{run}");
    assert!(run.errors.contains("removed at the end (`--state FOLDER` keeps them)"), "{run}");
    let left: Vec<_> = std::fs::read_dir(run.folder.path().join("temporary")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_path_that_is_removed_with_the_run_is_not_told() {
    let run = Run::new().mail("a.eml", mail("error")).temporary().once(&[]);
    let told = "the event is in queue failed until the end of this run (`--state FOLDER` keeps it)";
    assert!(run.output.contains(told) && !run.output.contains("queues/failed"), "{run}");
    let run = Run::new().mail("a.eml", mail("error")).temporary().once(&["--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    assert!(document["mails"][0]["failure_message"].is_null(), "{document:#}");
    let run = Run::new().mail("a.eml", mail("error")).once(&["--json"]);
    let document: serde_json::Value = serde_json::from_str(&run.output).unwrap();
    assert!(Path::new(document["mails"][0]["failure_message"].as_str().unwrap()).is_file(), "{document:#}");
}

#[test]
fn a_killed_run_leaves_no_process_and_the_next_one_removes_its_mails() {
    let mut live = Run::new().temporary().live(&[]);
    accepted(&live, "hello");
    live.until_error(|line| line.contains("handled hello"));
    let function = live.children();
    assert!(!function.is_empty());
    let folder = live.kill();
    for process in function {
        assert!(ends_soon(&process), "{process} is still there");
    }
    let temporary = folder.path().join("temporary");
    let left = || fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left().len(), 1, "a killed run cannot remove anything");
    let next = Run::within(folder).mail("a.eml", mail("hello")).temporary().once(&[]);
    assert_eq!(next.code, 0, "{next}");
    assert!(left().is_empty(), "{:?}", left());
}

#[test]
fn a_killed_run_does_no_harm_to_the_next_one_on_its_folder() {
    let mut live = Run::new().live(&[]);
    accepted(&live, "slow 600");
    live.until_error(|line| line.contains("begun"));
    let folder = live.kill();
    let state = folder.path().join("state");
    let bucket = "buckets/standin-mail-123456789012-eu-west-1";
    for half in ["buckets/.unfinished-mail", "queues/failed/.unfinished-event"] {
        fs::write(state.join(half), "half").unwrap();
    }
    let next = Run::within(folder).mail("a.eml", mail("hello")).once(&[]);
    assert_eq!(next.code, 0, "{next}");
    assert_eq!(next.files("queues/failed").len(), 0, "{next}");
    assert_eq!(next.files(&format!("{bucket}/inbound")).len(), 2, "{next}");
    assert!(!state.join("buckets/.unfinished-mail").exists());
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let live = Run::new().live(&[]);
    let state = live.state();
    let process = live.process();
    let other = Run::new().mail("a.eml", mail("hello")).temporary().once(&["--state", state.to_str().unwrap()]);
    assert_eq!(other.code, 2, "{other}");
    let told = format!(
        "error: Failed to take the folder `{}`: another `provision dev` uses it, process {process}\n",
        state.display()
    );
    assert!(other.errors.contains(&told), "{other}");
    assert!(other.errors.contains("hint: end that one, or name another folder with `--state`"), "{other}");
    drop(live);
}

#[test]
fn folders_are_closed_to_others_and_one_that_cannot_be_used_is_told() {
    let run = Run::new().mail("a.eml", mail("error")).once(&[]);
    for path in ["", "buckets", "buckets/standin-mail-123456789012-eu-west-1/inbound", "queues/failed"] {
        let mode = fs::metadata(run.folder.path().join("state").join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{path}");
    }
    let odd = "state \u{1b}[31m\n'\"ü";
    let run = Run::new().mail("a.eml", mail("hello"));
    let state = run.path().join(odd);
    let run = run.temporary().once(&["--state", state.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{run}");
    assert!(!run.errors.contains('\u{1b}'), "{run}");
    let file = Run::new().mail("a.eml", mail("hello"));
    let state = file.path().join("mails/a.eml");
    let run = file.temporary().once(&["--state", state.to_str().unwrap()]);
    assert_eq!(run.code, 2, "{run}");
    assert!(run.errors.contains("error: Failed to make the folder `"), "{run}");
    assert!(DECLARATION.contains("on_failure"));
}
