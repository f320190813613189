//! Reads the values of secrets when they are needed. They go to AWS, and nowhere else.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use contract::secret::Secret;
use declaration::{Declaration, SecretSource, ValueFrom, choose};
use kinds::elasticache::replication_group::fault_of_password;
use problem::Problem;

/// Fails if one of these names is not a secret that the stack creates.
pub(crate) fn ensure_declared(declaration: &Declaration, names: &[String]) -> Result<(), Problem> {
    let own: Vec<&str> = declaration
        .secrets
        .iter()
        .filter(|(_, secret)| matches!(secret.source, SecretSource::Created(_)))
        .map(|(entry, _)| entry.as_str())
        .collect();
    match names.iter().find(|name| !own.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let problem = Problem::new(format!("Failed to set the secret `{name}`: the stack has no such secret"));
            Err(problem.with_hint(choose(name, "its own secrets are", &own)))
        }
    }
}

/// Reads the values of some secrets from their declared sources; paths are relative to the
/// declaration.
pub(crate) fn values(
    declaration: &Declaration,
    folder: &Path,
    names: &[String],
) -> Result<BTreeMap<String, Secret>, Problem> {
    let mut values = BTreeMap::new();
    for name in names {
        let Some(SecretSource::Created(from)) = declaration.secrets.get(name).map(|secret| &secret.source) else {
            continue;
        };
        let problem = |words: String| Problem::new(format!("Failed to read the value of the secret `{name}`: {words}"));
        let value = match from {
            ValueFrom::File(path) => of_file(&folder.join(path)).map_err(|(path, error)| {
                problem(format!("the file `{}` cannot be read", path.display())).with_source(error)
            })?,
            ValueFrom::Environment(variable) => std::env::var(variable).map_err(|_| {
                problem(format!("the environment variable `{variable}` is not set"))
                    .with_hint(format!("set `{variable}` for this command"))
            })?,
            ValueFrom::Stdin => io::read_to_string(io::stdin())
                .map_err(|error| problem("standard input".to_owned()).with_source(error))?,
        };
        let value = value.strip_suffix('\n').map_or(value.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if value.is_empty() {
            return Err(problem("it is empty".to_owned()));
        }
        if declaration.caches.values().any(|cache| cache.auth == *name)
            && let Some(why) = fault_of_password(value)
        {
            return Err(
                problem(why.to_owned()).with_hint("a cache takes no other one: `openssl rand -hex 24` makes one")
            );
        }
        values.insert(name.clone(), value.into());
    }
    Ok(values)
}

/// Fails if the value of one of some secrets cannot be read. A value from standard input is not asked for: whoever types it does so once.
pub(crate) fn ensure_readable(declaration: &Declaration, folder: &Path, mut names: Vec<String>) -> Result<(), Problem> {
    let is_typed = |name: &String| {
        let source = declaration.secrets.get(name).map(|secret| &secret.source);
        matches!(source, Some(SecretSource::Created(ValueFrom::Stdin)))
    };
    names.retain(|name| !is_typed(name));
    values(declaration, folder, &names).map(drop)
}

fn of_file(path: &Path) -> Result<String, (PathBuf, io::Error)> {
    fs::read_to_string(path).map_err(|error| (path.to_owned(), error))
}
