//! Gives a function what it has at its start: credentials of its own, and the environment that Lambda sets.

use std::{collections::BTreeMap, path::Path};

use contract::{context, secret::Secret};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use declaration::{Declaration, Function};

use crate::{instance::Program, names::FunctionNames, options::Options, refusal::NotStarted, rights::Grant};

/// Name of the log stream, by which a function knows that it runs on this machine, where what it fetches may be too. Lambda names each
/// stream after the day, and lets nobody set the variable.
const LOG_STREAM: &str = "local";

/// Returns the program of a function, with its environment and limits; command-line options override the declaration.
pub(crate) fn program(
    (declaration, function): (&Declaration, &Function),
    (names, grant): (&FunctionNames, &Grant),
    endpoints: &[(String, Secret)],
    executable: &Path,
    options: &Options,
) -> Result<Program, NotStarted> {
    let mut environment = environment(declaration, names, function, grant)?;
    environment.extend(endpoints.iter().cloned());
    let told = options.variables.iter().filter(|(name, _)| !function.secrets.contains_key(*name));
    environment.extend(told.map(|(name, value)| (name.clone(), value.clone())));
    Ok(Program {
        executable: executable.to_owned(),
        environment,
        memory: function.memory,
        timeout: function.timeout,
        function_arn: names.arn.clone(),
    })
}

/// Makes a function's credentials, good for this run only: random, so that nobody else of this machine can guess them.
pub(crate) fn grant(function: &Function, names: &FunctionNames) -> Result<Grant, NotStarted> {
    let mut random = [0; 42];
    getrandom::fill(&mut random)?;
    let (access, secret) = random.split_at(10);
    Ok(Grant {
        access_key: format!("LOCAL{}", BASE32_NOPAD.encode(access)),
        secret_key: HEXLOWER.encode(secret).into(),
        secrets: secrets(&names.context).cloned().collect(),
        reads: names.reads.clone(),
        writes: names.writes.clone(),
        deletes: names.deletes.clone(),
        sends: function.sends.iter().cloned().collect(),
        consumes: function.consumes.as_ref().map(|consumes| consumes.queue.clone()),
        queries: names.context.tables.values().cloned().collect(),
    })
}

/// Returns the names of the secrets that a function may read: its own, and those with the passwords of its databases and caches.
fn secrets(context: &context::Context) -> impl Iterator<Item = &String> {
    let databases = context.databases.values().map(|database| &database.secret);
    let caches = context.caches.values().filter_map(|cache| cache.secret.as_ref());
    context.secrets.values().chain(databases).chain(caches)
}

/// Returns the environment of a function as Lambda sets it, and nothing of this process's own.
fn environment(
    declaration: &Declaration,
    names: &FunctionNames,
    function: &Function,
    grant: &Grant,
) -> Result<BTreeMap<String, Secret>, NotStarted> {
    let name = names.name.clone();
    let context = serde_json::to_string(&names.context)?;
    let given = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", names.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM.to_owned()),
        ("AWS_REGION", declaration.region.clone()),
        ("AWS_DEFAULT_REGION", declaration.region.clone()),
        ("AWS_ACCESS_KEY_ID", grant.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", grant.secret_key.expose().to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned()),
        ("TZ", ":UTC".to_owned()),
        (context::VARIABLE, context),
    ];
    let declared = function.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let all = declared.chain(given.map(|(name, value)| (name.to_owned(), value)));
    Ok(all.map(|(name, value)| (name, value.into())).collect())
}
