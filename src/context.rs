//! What the stack's parts are called in AWS: the one place that derives names and ARNs from the declaration.
//!
//! Also what a function is told of its stack, since that follows from the receipt rules and not from the function's own entry.

use handler::context::{Context, MailPlace};
use sha2::{Digest, Sha256};

use crate::declaration::{Action, Declaration, SecretReference, SecretSource};

/// The longest bucket name, in bytes.
const LONGEST_BUCKET: usize = 63;
/// The longest function name.
const LONGEST_FUNCTION: usize = 64;
/// The longest name of a secret.
const LONGEST_SECRET: usize = 512;

/// Derives names and ARNs.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    stack: String,
    region: String,
    account: String,
}

impl Names {
    /// The names of a stack in an account.
    pub(crate) fn new(declaration: &Declaration, account: &str) -> Self {
        Self { stack: declaration.stack.clone(), region: declaration.region.clone(), account: account.to_owned() }
    }

    /// A bucket's name.
    pub(crate) fn bucket(&self, entry: &str) -> String {
        cut(format!("{}-{entry}", self.stack), LONGEST_BUCKET)
    }

    /// A function's name.
    pub(crate) fn function(&self, entry: &str) -> String {
        cut(format!("{}-{entry}", self.stack), LONGEST_FUNCTION)
    }

    /// A function's ARN.
    pub(crate) fn function_arn(&self, entry: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.function(entry))
    }

    /// A secret's name in Secrets Manager.
    pub(crate) fn secret(&self, declaration: &Declaration, reference: &SecretReference) -> String {
        match reference {
            SecretReference::Existing(name) => name.clone(),
            SecretReference::Declared(entry) => match declaration.secrets.get(entry).map(|secret| &secret.source) {
                Some(SecretSource::Existing(name)) => name.clone(),
                _ => cut(format!("{}-{entry}", self.stack), LONGEST_SECRET),
            },
        }
    }

    /// What a function is told of its stack.
    pub(crate) fn function_context(&self, declaration: &Declaration, entry: &str) -> Context {
        let declared = declaration.functions.get(entry).into_iter().flat_map(|function| &function.secrets);
        let secrets = declared.map(|(variable, secret)| (variable.clone(), self.secret(declaration, secret))).collect();
        Context {
            stack: self.stack.clone(),
            stage: declaration.stage.clone(),
            function: entry.to_owned(),
            mail: self.mail_places(declaration, entry),
            secrets,
            writes: Vec::new(),
        }
    }

    /// Where the rules that invoke a function put the mail before they do.
    fn mail_places(&self, declaration: &Declaration, entry: &str) -> Vec<MailPlace> {
        let mut places = Vec::new();
        for rule in &declaration.receipt_rules {
            let invokes = |action: &Action| matches!(action, Action::Invoke { function, .. } if function == entry);
            let Some(last) = rule.actions.iter().rposition(invokes) else { continue };
            for action in rule.actions.iter().take(last) {
                if let Action::Store { bucket, prefix, .. } = action {
                    let place = MailPlace { bucket: self.bucket(bucket), prefix: prefix.clone() };
                    if !places.contains(&place) {
                        places.push(place);
                    }
                }
            }
        }
        places
    }
}

/// Cuts a name that is too long, with a hash of the whole, so that two long names never become one.
fn cut(name: String, longest: usize) -> String {
    if name.len() <= longest {
        return name;
    }
    let hash = hex(Sha256::digest(name.as_bytes()).get(..4).unwrap_or_default());
    let kept: String = name.chars().filter(char::is_ascii).take(longest.saturating_sub(hash.len() + 1)).collect();
    format!("{kept}-{hash}")
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        digits.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_lower_case_and_two_for_a_byte() {
        assert_eq!(hex(&[0, 15, 255, 16]), "000fff10");
    }

    #[test]
    fn short_names_stay_and_long_names_stay_different() {
        assert_eq!(cut("stack-mail".to_owned(), 63), "stack-mail");
        let (one, two) = (cut(format!("{}1", "a".repeat(70)), 63), cut(format!("{}2", "a".repeat(70)), 63));
        assert_eq!((one.len(), two.len()), (63, 63));
        assert_ne!(one, two);
    }
}
