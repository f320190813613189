//! The names that a function is told on this machine: the same as in AWS.

use declaration::{Declaration, Function};
use local::{ACCOUNT, FunctionNames};
use stack::Names;

/// Returns the names of a declaration's parts, as if they stood in the example account.
pub(crate) fn local_names(declaration: &Declaration) -> local::Names {
    let names = Names::new(declaration, ACCOUNT);
    let secrets = declaration.functions.values().flat_map(|function| &function.secrets);
    local::Names {
        buckets: declaration.buckets.keys().map(|entry| (entry.clone(), names.bucket(entry))).collect(),
        functions: declaration
            .functions
            .iter()
            .map(|(entry, function)| (entry.clone(), of_function(declaration, &names, entry, function)))
            .collect(),
        secrets: secrets.map(|(variable, secret)| (names.secret(declaration, secret), variable.clone())).collect(),
    }
}

fn of_function(declaration: &Declaration, names: &Names, entry: &str, function: &Function) -> FunctionNames {
    FunctionNames {
        name: names.function(entry),
        arn: names.function_arn(entry),
        log_group: names.log_group(entry),
        context: names.function_context(declaration, entry),
        reads: names.places(&function.reads),
        writes: names.places(&function.writes),
        deletes: names.places(&function.deletes),
    }
}
