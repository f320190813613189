//! What a delivery costs: calls and time per mail, the first time and again, against the NetBox at `NETBOX_URL` with `NETBOX_TOKEN`.
//! Providers and circuits are there already. Prints a table; `MAILS` is the folder of the mails, else the mails of our tests.
//!
//! `cargo bench -p handler --bench netbox`

use std::{collections::BTreeMap, env, fmt::Write, fs, path::PathBuf, time::Instant};

use handler::{
    lambda::SecretSource,
    mail::Mail,
    maintenance::{self, outcome::Outcome},
    netbox::{client::Client, delivery::NetBox},
    pipeline::{configuration::Secret, letter::Letter, sink::Sink},
};

#[expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints its result, and may fail")]
fn main() {
    let (Ok(url), Ok(token)) = (env::var("NETBOX_URL"), env::var("NETBOX_TOKEN")) else {
        println!("not run: NETBOX_URL and NETBOX_TOKEN name no NetBox");
        return;
    };
    let folder = env::var_os("MAILS").map_or_else(|| PathBuf::from("../tests/mails"), PathBuf::from);
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.sort();
    let client = Client::new(&url, None, SecretSource::Given(Secret(token)));
    let sink = NetBox::new(client, BTreeMap::new());
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    for file in files {
        let Ok(bytes) = fs::read(&file) else { continue };
        let name = file.strip_prefix(&folder).unwrap_or(&file).display().to_string();
        let mail = Mail::decode(&bytes);
        let Outcome::Notice(notice) = maintenance::parse(&mail) else { continue };
        let letter = Letter {
            ses_message_id: name.clone(),
            bucket: "mail".to_owned(),
            key: name.clone(),
            received_at: mail.outer().date,
            sender: mail.outer().sender.as_ref().map(|sender| sender.address.clone()),
            subject: Some(mail.outer().subject.clone()),
            message_id: None,
            mail: Some(mail),
        };
        let mut line = format!("{name:60} {:3} windows", notice.maintenances.len());
        for _ in 0..2 {
            let (calls, started) = (sink.client.calls(), Instant::now());
            let end = runtime.block_on(sink.deliver(&letter, &notice));
            let calls = sink.client.calls() - calls;
            write!(line, "  {calls:3} calls {:4} ms {end:?}", started.elapsed().as_millis()).unwrap();
        }
        println!("{line}");
    }
}

fn collect(folder: &PathBuf, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "eml") {
            files.push(path);
        }
    }
}
