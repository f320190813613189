//! The names that functions get on this machine: the same as in AWS.

use declaration::{Declaration, Function};
use kinds::Kind;
use local::{ACCOUNT, FunctionNames, QueueNames, Secret};
use stack::Names;

/// Returns the names of a declaration's resources, as if they were in the example account.
pub(crate) fn local_names(declaration: &Declaration) -> local::Names {
    let names = Names::new(declaration, ACCOUNT);
    let secrets = declaration.functions.values().flat_map(|function| &function.secrets);
    local::Names {
        buckets: declaration.buckets.keys().map(|entry| (entry.clone(), names.name(Kind::Bucket, entry))).collect(),
        functions: declaration
            .functions
            .iter()
            .map(|(entry, function)| (entry.clone(), of_function(declaration, &names, entry, function)))
            .collect(),
        queues: declaration
            .queues
            .keys()
            .map(|entry| {
                let url = names.queue_url(&names.name(Kind::Queue, entry));
                (entry.clone(), QueueNames { arn: names.arn(Kind::Queue, entry), url })
            })
            .collect(),
        tables: declaration.tables.keys().map(|entry| (entry.clone(), names.name(Kind::Table, entry))).collect(),
        topics: declaration.topics.keys().map(|entry| (entry.clone(), names.arn(Kind::Topic, entry))).collect(),
        secrets: secrets
            .map(|(variable, secret)| {
                let name = names.secret(declaration, secret);
                let secret = Secret { arn: names.arn_of(Kind::Secret, &name), variable: variable.clone() };
                (name, secret)
            })
            .collect(),
    }
}

fn of_function(declaration: &Declaration, names: &Names, entry: &str, function: &Function) -> FunctionNames {
    FunctionNames {
        name: names.name(Kind::Function, entry),
        arn: names.arn(Kind::Function, entry),
        log_group: names.name(Kind::LogGroup, entry),
        context: names.function_context(declaration, entry),
        reads: names.places(&function.reads),
        writes: names.places(&function.writes),
        deletes: names.places(&function.deletes),
    }
}
