//! Opens a stack: reads the declaration, looks up the AWS identity, and derives the names.

use std::path::Path;

use super::schemas;
use aws::{Aws, Clients, Pacing};
use declaration::Declaration;
use engine::Stack;
use kinds::{Session, tagged};
use problem::Problem;
use stack::Names;

/// A declared stack, and its account.
pub struct Opened {
    /// Declaration, in the chosen stage.
    pub declaration: Declaration,
    /// Bytes of its file, as they were read: the file may be another one by now.
    pub source: Vec<u8>,
    /// Names of its resources in AWS.
    pub names: Names,
    /// Session in the account. It has no code yet, and no secret's value.
    pub session: Session,
}

/// Reads the declaration and looks up the AWS identity. Another account than the declared one is an error.
pub async fn open(file: &Path, stage: Option<&str>) -> anyhow::Result<Opened> {
    let source = Declaration::source(file)?;
    of(Declaration::parse(file, &source, stage)?.chosen(file, stage)?, source).await
}

/// Opens as `open` does, for what is about to stand in AWS: the functions' environments are checked too, before anything is asked of AWS.
pub async fn open_checked(file: &Path, stage: Option<&str>) -> anyhow::Result<Opened> {
    let source = Declaration::source(file)?;
    of(schemas::read(file, &source, stage).await?, source).await
}

async fn of(declaration: Declaration, source: Vec<u8>) -> anyhow::Result<Opened> {
    let stack = Names::stack_of(&declaration);
    let session = session(Some(&declaration.region), |_| stack.clone()).await?;
    let account = &session.aws.realm.account;
    if let Some(declared) = declaration.account.as_ref().filter(|declared| *declared != account) {
        let message = format!(
            "Failed to open the stack: it belongs into account {declared}, and these are credentials of {account}"
        );
        return Err(Problem::new(message).with_hint("choose other credentials with `AWS_PROFILE`").into());
    }
    session.networks.declare(stack::kinds_of_ec2(&declaration));
    let names = Names::new(&declaration, account).as_listed(&session.tagged);
    session.networks.note_moved(names.moves().clone());
    Ok(Opened { declaration, source, names, session })
}

/// Connects to a stack, in a region or in that of the AWS configuration. What has the stack's tag is read while AWS says who is calling.
pub async fn session(region: Option<&str>, stack: impl Fn(&str) -> Stack) -> Result<Session, Problem> {
    let list = async |clients: &Clients, region: &str| tagged::list(clients, &stack(region)).await;
    let (aws, listed) = Aws::connect_and(region, Pacing::from_environment(), list).await?;
    let stack = stack(&aws.realm.region);
    Ok(Session::new(aws, stack, listed))
}

/// Fails before a change if the index of tags could not be read: a resource under another name would not be seen, and made a second time.
pub fn ensure_listed(session: &Session) -> Result<(), Problem> {
    match session.tagged.failure() {
        None => Ok(()),
        Some(failure) => Err(Problem::new("Failed to find what has the stack's tag")
            .with_hint("allow `tag:GetResources`, as `provision policy` does")
            .with_source(failure.clone())),
    }
}
