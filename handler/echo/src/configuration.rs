//! The configuration of the function `echo`, read once from its environment at the start.

use contract::context::Context;
use runtime::environment::{Aws, ConfigurationError, Reader};

/// Variable: the answer to SES if it waits for one: `CONTINUE` (default), `STOP_RULE` or `STOP_RULE_SET`.
pub const DISPOSITION: &str = "DISPOSITION";

/// The answer to SES: how it goes on after a function that it waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disposition {
    /// SES goes on with the rule's next action.
    #[default]
    Continue,
    /// SES goes on with the next rule.
    StopRule,
    /// SES does nothing more.
    StopRuleSet,
}

impl Disposition {
    /// Returns SES's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::StopRule => "STOP_RULE",
            Self::StopRuleSet => "STOP_RULE_SET",
        }
    }
}

const DISPOSITIONS: &[(&str, Disposition)] = &[
    (Disposition::Continue.as_str(), Disposition::Continue),
    (Disposition::StopRule.as_str(), Disposition::StopRule),
    (Disposition::StopRuleSet.as_str(), Disposition::StopRuleSet),
];

/// The configuration of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// Context: the function's name, and the places of mails.
    pub context: Context,
    /// Answer to SES if it waits for one.
    pub disposition: Disposition,
    /// Region and credentials of AWS.
    pub aws: Aws,
}

impl Configuration {
    /// Reads the configuration; `variable` looks one up. Every missing variable is reported at once.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let mut reader = Reader::new(variable);
        let (context, disposition, aws) = (reader.context(), reader.word(DISPOSITION, DISPOSITIONS), reader.aws());
        let all = context.zip(disposition).zip(aws);
        reader.finish(all.map(|((context, disposition), aws)| Self { context, disposition, aws }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: &str = r#"{"stack":"echo","function":"echo","mail":[{"bucket":"echo-mail","prefix":"special/"}]}"#;

    fn read(changes: &[(&str, &str)]) -> Result<Configuration, String> {
        let sound = [
            ("PROVISION_CONTEXT", CONTEXT),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1"),
            ("AWS_LAMBDA_FUNCTION_NAME", "echo"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ];
        let look_up = |name: &str| {
            let value = changes.iter().find(|(variable, _)| *variable == name);
            value.or_else(|| sound.iter().find(|(known, _)| *known == name)).map(|(_, value)| (*value).to_owned())
        };
        Configuration::read(&look_up).map_err(|error| error.to_string())
    }

    #[test]
    fn the_stack_is_told_as_typed_values() {
        let configuration = read(&[]).unwrap();
        assert_eq!((configuration.context.stack.as_str(), configuration.aws.region.as_str()), ("echo", "eu-west-1"));
        assert_eq!(configuration.context.mail[0].bucket, "echo-mail");
        assert_eq!(configuration.disposition, Disposition::Continue);
        assert_eq!(read(&[("DISPOSITION", "STOP_RULE_SET")]).unwrap().disposition, Disposition::StopRuleSet);
    }

    #[test]
    fn what_is_absent_is_named_at_the_start() {
        let faults = [
            read(&[("PROVISION_CONTEXT", "")]),
            read(&[("PROVISION_CONTEXT", r#"{"stack":"echo"}"#)]),
            read(&[("PROVISION_CONTEXT", &CONTEXT.replace("echo-mail", ""))]),
            read(&[("PROVISION_CONTEXT", "{}"), ("AWS_REGION", ""), ("DISPOSITION", "GO ON")]),
        ];
        let faults: Vec<_> = faults.into_iter().map(|read| read.unwrap_err()).collect();
        insta::assert_snapshot!(faults.join("\n"), @r"
        the function's environment is not complete: `PROVISION_CONTEXT` is missing
        the function's environment is not complete: `PROVISION_CONTEXT` cannot be read: missing field `function` at line 1 column 16
        the function's environment is not complete: `PROVISION_CONTEXT` lacks the name of a bucket
        the function's environment is not complete: `PROVISION_CONTEXT` cannot be read: missing field `stack` at line 1 column 2; `DISPOSITION` is `GO ON`, supported are `CONTINUE`, `STOP_RULE` and `STOP_RULE_SET`; `AWS_REGION` is missing
        ");
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../configuration.json")).unwrap();
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let look_up = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            None
        };
        assert!(Configuration::read(&look_up).is_err());
        let declared = |name: &String| name != "PROVISION_CONTEXT" && !name.starts_with("AWS_");
        let asked: Vec<String> = asked.into_inner().into_iter().filter(declared).collect();
        assert_eq!(
            schema["properties"].as_object().unwrap().keys().collect::<Vec<_>>(),
            asked.iter().collect::<Vec<_>>()
        );
        let schema = jsonschema::validator_for(&schema).unwrap();
        for value in ["CONTINUE", "STOP_RULE", "STOP_RULE_SET", "GO ON"] {
            let is_valid = schema.is_valid(&serde_json::json!({"DISPOSITION": value}));
            assert_eq!(is_valid, read(&[("DISPOSITION", value)]).is_ok(), "{value}");
        }
    }
}
