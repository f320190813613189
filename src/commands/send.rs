//! `provision send`: sends a mail through SES, with its record before and after.

use std::{fs, io::Read as _, path::Path, process::ExitCode};

use super::{tail::watch, until_interrupted};
use crate::{
    cli::{Common, Send, Simulation},
    ops::{
        account,
        send::{self, Chosen, place},
        sent::{self, Way},
    },
    render::{self, Printer},
};
use declaration::Declaration;
use kinds::Kind;
use problem::Problem;
use sending::{Attachment, Mailbox, NotSent, Request};

/// Exit code if the mail was or may have been sent, and its record does not say so.
const PENDING: u8 = 1;
/// Media type of attachments: recipients go by the names of files.
const FILE: &str = "application/octet-stream";
/// Text and subject of a mail to the simulator, where none are given.
const SIMULATED: &str = "A mail to the mailbox simulator of SES";

pub(super) fn run(printer: &Printer, common: &Common, typed: &Send) -> anyhow::Result<ExitCode> {
    let mut request = request(typed)?;
    until_interrupted(async {
        let opened = account::open(&common.file, common.stage.as_deref()).await?;
        let account::Opened { declaration, names, session, .. } = &opened;
        let chosen = Chosen {
            table: typed.table.as_deref(),
            bucket: typed.bucket.as_deref(),
            function: typed.function.as_deref(),
        };
        let place = place(declaration, names, chosen)?;
        // Before the mail is sent: afterwards a mistake would be told too late.
        let watched = watched(declaration, typed)?;
        let sets = &declaration.configuration_sets;
        let set =
            sent::entry(sets, typed.configuration_set.as_deref(), ("configuration set", "--configuration-set"))?.0;
        request.configuration_set = names.name(Kind::ConfigurationSet, set);
        if common.dry_run {
            render::sent::would_send(printer, &request, &place, typed.sent_as.as_deref());
            return Ok(ExitCode::SUCCESS);
        }
        let place = place.opened(&opened).await?;
        match send::send(&session.aws.write, &place, &request, typed.sent_as.as_deref()).await {
            Ok(end) => {
                render::sent::sent(printer, &end);
                let Some((topic, way)) = &watched else { return Ok(ExitCode::SUCCESS) };
                let last = typed.simulate.map(Simulation::last);
                let is_ended = watch(printer, &opened, (topic, way), (&end, last)).await?;
                Ok(if is_ended { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
            }
            Err(reason) => failed(printer, reason, place.records.table().is_some()),
        }
    })
}

/// Returns the topic to watch with the way there; `None` if none was named.
fn watched<'declared>(
    declaration: &'declared Declaration,
    typed: &Send,
) -> Result<Option<(sent::Topic<'declared>, Way)>, Problem> {
    let Some(topic) = &typed.watch else { return Ok(None) };
    let topic = sent::topic(declaration, Some(topic))?;
    let way = Way::chosen(typed.brokers.named(), declaration, &topic)?;
    Ok(Some((topic, way)))
}

/// Reads the files, and makes the request. The configuration set is added later.
fn request(typed: &Send) -> Result<Request, Problem> {
    let label = jiff::Timestamp::now().as_millisecond();
    let simulated = typed.simulate.map(|what| what.address(&label.to_string()));
    let parsed = simulated.map(|address| address.parse::<Mailbox>()).transpose();
    let simulated =
        parsed.map_err(|error| Problem::new("Failed to name the simulator's mailbox").with_source(error))?;
    let given = typed.subject.clone().or_else(|| simulated.is_some().then(|| SIMULATED.to_owned()));
    let text = typed.text.as_deref().map(text).transpose()?;
    let text =
        if simulated.is_some() && typed.html.is_none() { text.or_else(|| Some(SIMULATED.to_owned())) } else { text };
    let again = format!("again at {label}");
    Ok(Request {
        from: typed.from.clone(),
        to: typed.to.iter().cloned().chain(simulated).collect(),
        cc: typed.cc.clone(),
        bcc: typed.bcc.clone(),
        reply_to: typed.reply_to.clone(),
        subject: given.unwrap_or_default(),
        text,
        html: typed.html.as_deref().map(text_of_file).transpose()?,
        attachments: typed.attach.iter().map(|path| attachment(path)).collect::<Result<_, _>>()?,
        configuration_set: String::new(),
        template_id: typed.template_id.clone(),
        key: if typed.again { again } else { typed.key.clone() },
    })
}

fn text(path: &Path) -> Result<String, Problem> {
    if path != Path::new("-") {
        return text_of_file(path);
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map_err(|error| Problem::new("Failed to read the text from standard input").with_source(error))?;
    Ok(text)
}

fn text_of_file(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path)
        .map_err(|error| Problem::new(format!("Failed to read `{}` as text", path.display())).with_source(error))
}

fn attachment(path: &Path) -> Result<Attachment, Problem> {
    let content = fs::read(path)
        .map_err(|error| Problem::new(format!("Failed to read the file `{}`", path.display())).with_source(error))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Attachment { name, media_type: FILE.to_owned(), content })
}

/// Tells why a mail was not sent, or is not known to be.
fn failed(printer: &Printer, reason: NotSent, has_table: bool) -> anyhow::Result<ExitCode> {
    const IN_KAFKA: &str = "its events name the id: `provision timeline` with the recipient's address. Record it with \
                            `--sent-as MESSAGE-ID`, or send once more with `--again`";
    const IN_DATABASE: &str = "its first event brings the id into its record, and `provision track` with the recipient's address \
                               shows it. Record it with `--sent-as MESSAGE-ID`, or send once more with `--again`";
    let later = if has_table { IN_KAFKA } else { IN_DATABASE };
    let problem = Problem::new("Failed to send the mail");
    let (problem, is_pending) = match &reason {
        NotSent::Unknown { .. } | NotSent::Undecided(_) => (problem.with_hint(later), true),
        NotSent::NotRecorded { sent, .. } => {
            let hint = format!("repeat the command with `--sent-as {}`, which sends nothing", sent.message_id);
            (Problem::new("Failed to record the mail, which was sent").with_hint(hint), true)
        }
        NotSent::Refused { left: Some(_), .. } => {
            let hint =
                "its record could not be removed, so that the same request is taken for sent: repeat it with `--again`";
            (problem.with_hint(hint), false)
        }
        NotSent::NothingPending => {
            (Problem::new("Failed to record the mail").with_hint("run the same command without `--sent-as`"), false)
        }
        _ => (problem, false),
    };
    let problem = problem.with_source(reason);
    if is_pending {
        printer.problem(&problem);
        return Ok(ExitCode::from(PENDING));
    }
    Err(problem.into())
}
