//! An example consumer: writes the messages of mails into a database, and commits the offsets after the rows.
//!
//! ```sh
//! cargo run -p kafka --example consumer -- 127.0.0.1:9092 messages warehouse mail-events.sqlite
//! ```
//!
//! Brokers on this machine are spoken to as they are. Elsewhere it signs with the keys in `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
//! and, if there is one, `AWS_SESSION_TOKEN`, in the region `AWS_REGION`. Ctrl-C ends it after the batch that it is writing.

mod consumer;
mod rows;

use std::{env, time::Duration};

use anyhow::{Context, bail};
use consumer::Consuming;
use kafka::{Keys, Security, connect, is_local};
use rusqlite::Connection;

/// Time that a batch is waited for.
const WAIT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "it is a program of its own")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bootstrap, topic, group, file] = &arguments[..] else {
        bail!("expected: BOOTSTRAP TOPIC GROUP DATABASE");
    };
    let kafka = connect(bootstrap, &security(bootstrap)?).await?;
    let database = Connection::open(file).with_context(|| format!("Failed to open the database `{file}`"))?;
    let mut consuming = Consuming::start(&kafka, group, topic, database).await?;
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        // A batch is finished, so that its rows are committed.
        let batch = consuming.step(WAIT).await?;
        if batch.read > 0 {
            eprintln!("{} records, {} new rows, {} that are no message", batch.read, batch.new, batch.unreadable);
        }
        if tokio::time::timeout(Duration::ZERO, &mut interrupt).await.is_ok() {
            return consuming.close().await;
        }
    }
}

fn security(bootstrap: &str) -> anyhow::Result<Security> {
    if is_local(bootstrap) {
        return Ok(Security::None);
    }
    let variable = |name: &str| env::var(name).with_context(|| format!("`{name}` is not set"));
    let keys = Keys {
        access_key_id: variable("AWS_ACCESS_KEY_ID")?,
        secret_access_key: variable("AWS_SECRET_ACCESS_KEY")?.into(),
        session_token: env::var("AWS_SESSION_TOKEN").ok().map(Into::into),
        region: variable("AWS_REGION")?,
    };
    Ok(Security::Iam { keys, ca: None })
}
