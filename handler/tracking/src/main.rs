//! Keeps what became of each mail. In Lambda: batches of a queue in, messages to deliver again out. With `--queue URL`: a worker that takes
//! from the queue by itself, until SIGTERM.

use std::{
    env, io,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use contract::{probe::Check, queue_event::QueueEvent};
use delivery::{Database, Fault, RedisCache, Store};
use runtime::{Deadline, Invocation, Receiver, answer_with_checks, log::Log, start};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Mutex, watch},
};
use tracking::{configuration::Configuration, tracker::handle, worker::Worker};

/// Workers of a process, each with a connection of its own to the database: while one commits, another takes.
const WORKERS: usize = 4;
/// Part of an invocation that is kept free at its end, to tell the outcome.
const RESERVE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--queue"), Some(url)) => {
            start(Configuration::read_for_worker, async |configuration| work(configuration, url).await)
        }
        _ => start(Configuration::read, serve),
    }
}

/// The database and the cache of a function, between its invocations.
type Opened = (Database, Option<RedisCache>);

async fn serve(configuration: Configuration) -> ExitCode {
    let log = Log::new(&configuration.context, io::stdout());
    let opened: Mutex<Option<Opened>> = Mutex::new(None);
    answer_with_checks(
        "NotTracked",
        async |Invocation { request_id, event, deadline }: Invocation<QueueEvent>| {
            let mut opened = opened.lock().await;
            let deadline = deadline.earlier(RESERVE.min(deadline.left() / 5));
            if opened.is_none() {
                *opened = Some(open(&configuration, deadline).await?);
            }
            let Some((database, cache)) = &*opened else { return Err("the database is not open".to_owned()) };
            let handling = handle(database, cache, &log, &request_id, &event.records);
            let ended = tokio::time::timeout(deadline.left(), handling).await;
            let Ok(handled) = ended else {
                return Err("the database did not answer in the invocation's time".to_owned());
            };
            if matches!(handled.fault, Some(Fault::Denied(_))) {
                // The secret has another password by now: the next invocation reads it.
                *opened = None;
            }
            Ok(handled.answer)
        },
        async |deadline: Deadline| {
            let reached = match open(&configuration, deadline).await {
                Ok((database, _)) => database.reach().await.map_err(|fault| fault.to_string()),
                Err(reason) => Err(reason),
            };
            vec![Check::of("database", reached)]
        },
    )
    .await
}

async fn open(configuration: &Configuration, deadline: Deadline) -> Result<Opened, String> {
    let database = configuration.open_database(deadline).await?;
    let id = database.id().await.map_err(|fault| fault.to_string())?;
    let cache = configuration.open_cache(&id, deadline).await?;
    Ok((database, cache))
}

async fn work(configuration: Configuration, url: String) -> ExitCode {
    let log = Log::new(&configuration.context, io::stdout());
    let queue = Receiver::new(&configuration.aws, url);
    let (tell, ends) = watch::channel(false);
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("the system takes no handler for SIGTERM");
        return ExitCode::FAILURE;
    };
    let told = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tell.send_replace(true);
    };
    let worker = Worker { configuration: &configuration, queue: &queue, log: &log };
    let workers = futures::future::join_all((0..WORKERS).map(|_| worker.work(ends.clone())));
    tokio::join!(told, workers);
    tracing::info!(at = ?SystemTime::now(), "the worker has ended");
    ExitCode::SUCCESS
}
