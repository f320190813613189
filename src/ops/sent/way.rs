//! The way to the brokers of a topic: from this machine, or through a function of the stack.

use std::time::Duration;

use super::Topic;
use crate::ops::{
    account::Opened,
    invocation::{self, NotAnswered},
};
use declaration::Declaration;
use engine::Class;
use kafka::{
    Entry, Keys, NotRead, Page, Patience, Positions, Reader, Security, Selection, Start,
    asked::{Event, Question, Read},
};
use kinds::Kind;
use problem::Problem;

/// Time that is waited for more at the brokers, before it is looked whether somebody still reads.
const WAIT: Duration = Duration::from_millis(500);
/// Time for which a function waits for more: each invocation connects to the brokers anew.
const WAIT_OF_FUNCTION: Duration = Duration::from_secs(5);

/// Time without any record before the end of a topic, after which its brokers are taken for away.
const PATIENCE: Duration = Duration::from_secs(30);

/// The ways that somebody named: brokers, and the entry of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'named> {
    /// Brokers that are reached from here: `HOST:PORT`, with commas between.
    pub(crate) bootstrap: Option<&'named str>,
    /// Entry of a function of the stack.
    pub(crate) via: Option<&'named str>,
}

/// The way to the brokers that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// Brokers that are reached from here: `HOST:PORT`, with commas between.
    Brokers(String),
    /// A function of the stack.
    Function {
        /// Entry of the function.
        entry: String,
        /// Timeout of the function.
        timeout: Duration,
    },
}

impl Way {
    /// Returns the way that was named. Fails at once if none was: MSK's brokers are reached inside their VPC alone.
    pub(crate) fn chosen(named: Named<'_>, declaration: &Declaration, topic: &Topic<'_>) -> Result<Self, Problem> {
        let key = topic.key();
        let functions = declaration.functions.iter();
        let able: Vec<&str> =
            functions.filter(|(_, one)| one.follows.contains(&key)).map(|(entry, _)| entry.as_str()).collect();
        match (named.bootstrap, named.via) {
            (Some(bootstrap), _) => Ok(Self::Brokers(bootstrap.to_owned())),
            (None, Some(entry)) => through(declaration, entry, &key, &able),
            (None, None) => Err(lacking(topic, &able)),
        }
    }

    /// Returns `true` if it leads through AWS.
    pub(crate) fn needs_account(&self) -> bool {
        matches!(self, Self::Function { .. })
    }
}

fn through(declaration: &Declaration, entry: &str, key: &str, able: &[&str]) -> Result<Way, Problem> {
    let problem = |words: &str| Problem::new(format!("Failed to read `{key}` through the function `{entry}`: {words}"));
    match declaration.functions.get(entry) {
        None => Err(problem("the declaration has no function of that name").with_hint(declared_ones(key, able))),
        Some(function) if !function.follows.iter().any(|topic| topic == key) => {
            let hint = format!("let it read the topic: `follows: [{key}]`, and `provision up`");
            Err(problem("its `follows` does not name the topic").with_hint(hint))
        }
        Some(function) => Ok(Way::Function { entry: entry.to_owned(), timeout: function.timeout }),
    }
}

fn declared_ones(key: &str, able: &[&str]) -> String {
    match able {
        [] => format!("declare one: `use: kafka-access` with `follows: [{key}]` and the `vpc` of the cluster"),
        able => format!("name one that reads the topic: {}", able.join(", ")),
    }
}

/// Returns that no way was named, with those that there are.
fn lacking(topic: &Topic<'_>, able: &[&str]) -> Problem {
    let cluster = topic.cluster;
    let message = format!(
        "Failed to reach the cluster `{cluster}`: its brokers are reached inside their VPC alone, and no way to them was named"
    );
    let from_within = "run this on a machine in the VPC, or through a tunnel, with `--bootstrap HOST:PORT`";
    Problem::new(message).with_hint(match able {
        [] => format!("{from_within}; or {}, and pass `--via FUNCTION`", declared_ones(&topic.key(), able)),
        able => {
            let options: Vec<String> = able.iter().map(|entry| format!("`--via {entry}`")).collect();
            format!("read through a function of the stack, {}; or {from_within}", options.join(" or "))
        }
    })
}

/// A selection of the messages of a topic.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Place from which it is read.
    pub(crate) start: Start,
    /// Messages that are chosen. Records that are no messages are told of, too.
    pub(crate) selection: Selection,
    /// `true` to wait at the end of the topic for more.
    pub(crate) waits: bool,
}

/// A topic that is being read.
pub(crate) struct Source<'opened> {
    topic: String,
    place: Place<'opened>,
    patience: Patience,
}

/// The place at which a topic is read.
enum Place<'opened> {
    /// Read directly from the brokers.
    Brokers(Box<Direct>),
    /// Read through a function of the stack.
    Function(Box<Through<'opened>>),
}

/// A topic that is read at its brokers.
struct Direct {
    reader: Reader,
    selection: Selection,
}

/// A topic that is read through a function: its next question, and the end of the topic when it was asked first.
struct Through<'opened> {
    opened: &'opened Opened,
    entry: String,
    timeout: Duration,
    next: Read,
    end: Option<Positions>,
    is_at_end: bool,
}

impl<'opened> Source<'opened> {
    /// Opens a topic. A function needs the stack to be opened.
    pub(crate) async fn open(
        (way, opened, region): (&Way, Option<&'opened Opened>, &str),
        topic: &Topic<'_>,
        wanted: Wanted,
    ) -> Result<Self, Problem> {
        let Wanted { start, selection, waits } = wanted;
        let place = match (way, opened) {
            (Way::Brokers(bootstrap), _) => {
                let security = security(bootstrap, region).await?;
                let reader = Reader::open(bootstrap, topic.name, &security, start).await.map_err(unread)?;
                Place::Brokers(Box::new(Direct { reader, selection }))
            }
            (Way::Function { entry, timeout }, Some(opened)) => {
                let wait = if waits { WAIT_OF_FUNCTION } else { Duration::ZERO };
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or_default();
                let next = Read { topic: topic.key(), start, selection, wait_ms };
                let (entry, timeout) = (entry.clone(), *timeout);
                Place::Function(Box::new(Through { opened, entry, timeout, next, end: None, is_at_end: false }))
            }
            (Way::Function { entry, .. }, None) => {
                return Err(Problem::new(format!("Failed to ask the function `{entry}`: the stack was not opened")));
            }
        };
        Ok(Self { topic: topic.key(), place, patience: Patience::new(PATIENCE) })
    }

    /// Returns the next chosen records, or none if none comes for a while.
    pub(crate) async fn next(&mut self) -> Result<Vec<Entry>, Problem> {
        match &mut self.place {
            Place::Brokers(direct) => {
                let Direct { reader, selection } = &**direct;
                let entries = reader.next(WAIT).await.map_err(unread)?.into_iter();
                Ok(entries.filter(|entry| !entry.message.as_ref().is_ok_and(|it| !selection.has(it))).collect())
            }
            Place::Function(through) => through.page().await,
        }
    }

    /// Returns what [`Source::next`] does, up to the end that the topic had when it was opened: `None` there. It is an error if no record
    /// brings it any nearer for a time.
    pub(crate) async fn next_before_end(&mut self) -> Result<Option<Vec<Entry>>, Problem> {
        if self.is_at_end().await {
            return Ok(None);
        }
        let entries = self.next().await?;
        let positions = match &self.place {
            Place::Brokers(direct) => direct.reader.positions().await,
            Place::Function(through) => through.positions(),
        };
        self.patience.look(&self.topic, positions).map_err(unread)?;
        Ok(Some(entries))
    }

    /// Returns `true` if everything was read that was in the topic when it was opened.
    async fn is_at_end(&self) -> bool {
        match &self.place {
            Place::Brokers(direct) => direct.reader.is_at_end().await,
            Place::Function(through) => through.is_at_end,
        }
    }

    /// Ends the reading and its connections.
    pub(crate) async fn close(self) {
        if let Place::Brokers(direct) = self.place {
            direct.reader.close().await;
        }
    }
}

impl Through<'_> {
    /// Returns the places up to which it was read: none before the first answer.
    fn positions(&self) -> Positions {
        if let Start::At(positions) = &self.next.start { positions.clone() } else { Positions::new() }
    }

    async fn page(&mut self) -> Result<Vec<Entry>, Problem> {
        let event = Event { provision: Question::Read(self.next.clone()) };
        let name = self.opened.names.name(Kind::Function, &self.entry);
        let page: Page = invocation::ask(&self.opened.session, (&name, self.timeout), &event)
            .await
            .map_err(|reason| unanswered(&self.entry, reason))?;
        let end = self.end.get_or_insert_with(|| page.ends.clone());
        self.is_at_end = page.reaches(end);
        self.next.start = Start::At(page.next);
        Ok(page.entries)
    }
}

/// Returns why a function did not answer.
pub(crate) fn unanswered(entry: &str, reason: NotAnswered) -> Problem {
    let problem = Problem::new(format!("Failed to ask the function `{entry}`"));
    let problem = match &reason {
        NotAnswered::NotInvoked(failure) if failure.class == Class::NotFound => {
            problem.with_hint("`provision up` creates it")
        }
        NotAnswered::NotInvoked(_) => problem.with_hint("allow `lambda:InvokeFunction`, as `provision policy` does"),
        NotAnswered::Failed(_) => problem.with_hint(format!("see `provision logs {entry}`")),
        NotAnswered::NotRead(_) => {
            problem.with_hint("it has to be the `kafka-access` of this version: `provision up` deploys it")
        }
    };
    problem.with_source(reason)
}

/// Returns how the brokers are spoken to: plain on this machine, else by TLS with the caller's identity.
async fn security(bootstrap: &str, region: &str) -> Result<Security, Problem> {
    if kafka::is_local(bootstrap) {
        return Ok(Security::None);
    }
    let aws::Keys { access_key_id, secret_access_key, session_token } = aws::keys(region).await?;
    let ca = aws::bundled_certificates().await?;
    let keys = Keys { access_key_id, secret_access_key, session_token, region: region.to_owned() };
    Ok(Security::Iam { keys, ca })
}

/// Returns why a topic was not read.
fn unread(reason: NotRead) -> Problem {
    let problem = Problem::new("Failed to read the topic");
    match &reason {
        NotRead::NotConnected(reason) if !reason.is_denied() => {
            problem.with_hint("`--bootstrap` needs the brokers' IAM addresses, port 9098, and a way to them")
        }
        NotRead::NoTopic(_) => problem.with_hint("`provision up` creates the declared topics"),
        NotRead::Denied(..) | NotRead::NotConnected(_) => problem
            .with_hint("allow `kafka-cluster:Connect`, `kafka-cluster:DescribeTopic` and `kafka-cluster:ReadData`"),
        NotRead::Stalled(..) => problem.with_hint("see whether its brokers are all there, and run it again"),
        NotRead::Fault(..) => problem,
    }
    .with_source(reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const DECLARATION: &str = "\
stack: s
region: eu-west-1
functions:
  access: {use: kafka-access, FOLLOWS timeout: 20s, vpc: {subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b], security_groups: [sg-0a1b2c3d]}}
clusters: {events: {existing: 'arn:aws:kafka:eu-west-1:123456789012:cluster/company/0a1b2c3d-7', topics: {messages: {}}}}
";

    fn chosen(follows: &str, bootstrap: Option<&str>, via: Option<&str>) -> Result<Way, String> {
        let source = DECLARATION.replace("FOLLOWS", follows);
        let checked = Declaration::parse(Path::new("infra.yaml"), source.as_bytes(), None).unwrap();
        let topic = Topic { cluster: "events", name: "messages" };
        Way::chosen(Named { bootstrap, via }, &checked.declarations[0], &topic)
            .map_err(|problem| format!("{problem}; {}", problem.hint().unwrap_or_default()))
    }

    #[test]
    fn a_way_is_chosen_or_those_that_there_are_are_named() {
        let follows = "follows: [events/messages],";
        let through = Way::Function { entry: "access".to_owned(), timeout: Duration::from_secs(20) };
        assert_eq!(chosen(follows, None, Some("access")), Ok(through));
        assert_eq!(chosen("", Some("b-1:9098"), None), Ok(Way::Brokers("b-1:9098".to_owned())));
        for (follows, via, words) in [
            (follows, None, &["no way to them was named", "`--via access`", "--bootstrap"][..]),
            ("", None, &["no way to them was named", "use: kafka-access", "follows: [events/messages]"]),
            ("", Some("access"), &["does not name the topic", "follows: [events/messages]"]),
            (follows, Some("acces"), &["no function of that name", "access"]),
        ] {
            let told = chosen(follows, None, via).unwrap_err();
            assert!(words.iter().all(|word| told.contains(word)), "{told}");
        }
    }
}
