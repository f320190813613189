//! Opens a stack: reads the declaration, looks up the AWS identity, and derives the names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::schemas;
use aws::{Aws, Pacing};
use declaration::Declaration;
use engine::{Consent, Stack};
use kinds::{Session, s3::bucket_statement::Turn, ses::Snapshots};
use problem::Problem;
use stack::Names;

/// A declared stack, and its account.
pub(crate) struct Opened {
    /// Declaration, in the chosen stage.
    pub(crate) declaration: Declaration,
    /// Names of its resources in AWS.
    pub(crate) names: Names,
    /// Session in the account. It has no code yet, and no secret's value.
    pub(crate) session: Session,
}

/// Reads the declaration and looks up the AWS identity. Another account than the declared one is an error.
pub(crate) async fn open(file: &Path, stage: Option<&str>) -> anyhow::Result<Opened> {
    of(Declaration::read(file, stage)?).await
}

/// The same for what is about to stand in AWS: the functions' environments are checked too, before anything is asked of AWS.
pub(crate) async fn open_checked(file: &Path, stage: Option<&str>) -> anyhow::Result<Opened> {
    of(schemas::read(file, stage).await?).await
}

async fn of(declaration: Declaration) -> anyhow::Result<Opened> {
    let aws = Aws::connect(Some(&declaration.region), Pacing::from_environment()).await?;
    if let Some(account) = declaration.account.as_ref().filter(|account| **account != aws.realm.account) {
        let message = format!(
            "Failed to open the stack: it belongs into account {account}, and these are credentials of {}",
            aws.realm.account
        );
        return Err(Problem::new(message).with_hint("choose other credentials with `AWS_PROFILE`").into());
    }
    let names = Names::new(&declaration, &aws.realm.account);
    let session = session(aws, names.stack().clone());
    Ok(Opened { declaration, names, session })
}

/// Returns a session of a stack of which no declaration is there.
pub(crate) fn session(aws: Aws, stack: Stack) -> Session {
    Session {
        aws,
        stack,
        code: BTreeMap::new(),
        secrets: BTreeMap::new(),
        receipt: Snapshots::default(),
        consent: Consent::default(),
        emptied: BTreeSet::new(),
        revision: None,
        statements: Turn::default(),
    }
}
