//! What the stack's parts are called in AWS: the one place that derives names and ARNs from the declaration.
//!
//! Also what a function is told of its stack, since that follows from the receipt rules and not from the function's own entry.

use std::collections::BTreeMap;

use aws::cut;
use contract::context::{Context, MailPlace, Place};
use declaration::{Action, Declaration, SecretReference, SecretSource};
use kinds::{logs::log_group, s3::artifacts};

/// The longest names that AWS takes, in bytes.
mod longest {
    pub(super) const ALARM: usize = 255;
    pub(super) const BUCKET: usize = 63;
    pub(super) const FUNCTION: usize = 64;
    pub(super) const QUEUE: usize = 80;
    pub(super) const ROLE: usize = 64;
    pub(super) const RULE: usize = 64;
    pub(super) const SECRET: usize = 512;
    pub(super) const STATEMENT: usize = 100;
    pub(super) const TOPIC: usize = 256;
}

/// Derives names and ARNs.
#[derive(Debug, Clone)]
pub struct Names {
    /// The stack's name, without its stage.
    declared: String,
    /// Beginning of every name: the stack, and its stage if it has one.
    prefix: String,
    /// The buckets that are not ours, and keep their names.
    existing_buckets: BTreeMap<String, String>,
    region: String,
    account: String,
}

impl Names {
    /// The names of a stack in an account.
    pub fn new(declaration: &Declaration, account: &str) -> Self {
        let declared = declaration.stack.clone();
        let existing =
            declaration.buckets.iter().filter_map(|(entry, bucket)| Some((entry, bucket.existing.as_ref()?)));
        Self {
            prefix: declaration.stage.as_ref().map_or_else(|| declared.clone(), |stage| format!("{declared}-{stage}")),
            declared,
            existing_buckets: existing.map(|(entry, name)| (entry.clone(), name.clone())).collect(),
            region: declaration.region.clone(),
            account: account.to_owned(),
        }
    }

    /// The stack's id: `STACK` or `STACK-STAGE`, with which every name begins.
    pub fn stack(&self) -> &str {
        &self.prefix
    }

    /// The account, as 12 digits.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// A bucket's name. The names of buckets are the world's, so account and region are part of it.
    pub fn bucket(&self, entry: &str) -> String {
        let existing = self.existing_buckets.get(entry);
        existing.cloned().unwrap_or_else(|| {
            cut(format!("{}-{entry}-{}-{}", self.prefix, self.account, self.region), longest::BUCKET)
        })
    }

    /// The name of the bucket for artefacts.
    pub fn artifacts(&self) -> String {
        artifacts::bucket_name(&self.prefix, &self.account, &self.region)
    }

    /// Returns a function's name.
    pub fn function(&self, entry: &str) -> String {
        self.name(entry, longest::FUNCTION)
    }

    /// The name of a function's log group.
    pub fn log_group(&self, function: &str) -> String {
        log_group::of_function(&self.function(function))
    }

    /// The ARN of a function's log group.
    pub fn log_group_arn(&self, function: &str) -> String {
        format!("arn:aws:logs:{}:{}:log-group:{}", self.region, self.account, self.log_group(function))
    }

    /// The name of a function's role.
    pub fn role(&self, function: &str) -> String {
        self.name(function, longest::ROLE)
    }

    /// The ARN of a function's role.
    pub fn role_arn(&self, function: &str) -> String {
        format!("arn:aws:iam::{}:role/provision/{}/{}", self.account, self.prefix, self.role(function))
    }

    /// Returns a queue's name.
    pub fn queue(&self, entry: &str) -> String {
        self.name(entry, longest::QUEUE)
    }

    /// Returns a queue's ARN.
    pub fn queue_arn(&self, entry: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{}", self.region, self.account, self.queue(entry))
    }

    /// Returns a topic's name.
    pub fn topic(&self, entry: &str) -> String {
        self.name(entry, longest::TOPIC)
    }

    /// Returns a topic's ARN.
    pub fn topic_arn(&self, entry: &str) -> String {
        format!("arn:aws:sns:{}:{}:{}", self.region, self.account, self.topic(entry))
    }

    /// The name of an alarm on an entry.
    pub fn alarm(&self, entry: &str, alarm: &str) -> String {
        self.name(&format!("{entry}-{alarm}"), longest::ALARM)
    }

    /// The ARN of an alarm on an entry.
    pub fn alarm_arn(&self, entry: &str, alarm: &str) -> String {
        format!("arn:aws:cloudwatch:{}:{}:alarm:{}", self.region, self.account, self.alarm(entry, alarm))
    }

    /// The ARN of a secret by its name, but for the end that Secrets Manager gives it.
    pub fn secret_arn(&self, name: &str) -> String {
        format!("arn:aws:secretsmanager:{}:{}:secret:{name}", self.region, self.account)
    }

    /// The name of a secret of ours.
    pub fn own_secret(&self, entry: &str) -> String {
        self.name(entry, longest::SECRET)
    }

    /// The id of a statement in a policy that is not ours alone.
    pub fn statement(&self, entry: &str) -> String {
        self.name(entry, longest::STATEMENT)
    }

    /// A receipt rule's name: the dot ends the stack's name, since no name has one.
    pub fn rule(&self, entry: &str) -> String {
        cut(format!("{}.{entry}", self.prefix), longest::RULE)
    }

    /// The ARN of a receipt rule in a set.
    pub fn rule_arn(&self, set: &str, entry: &str) -> String {
        format!("arn:aws:ses:{}:{}:receipt-rule-set/{set}:receipt-rule/{}", self.region, self.account, self.rule(entry))
    }

    fn name(&self, entry: &str, longest: usize) -> String {
        cut(format!("{}-{entry}", self.prefix), longest)
    }

    /// Returns a function's ARN.
    pub fn function_arn(&self, entry: &str) -> String {
        format!("arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.function(entry))
    }

    /// A secret's name in Secrets Manager.
    pub fn secret(&self, declaration: &Declaration, reference: &SecretReference) -> String {
        match reference {
            SecretReference::Existing(name) => name.clone(),
            SecretReference::Declared(entry) => match declaration.secrets.get(entry).map(|secret| &secret.source) {
                Some(SecretSource::Existing(name)) => name.clone(),
                _ => self.own_secret(entry),
            },
        }
    }

    /// Returns the context that a function finds in its environment.
    pub fn function_context(&self, declaration: &Declaration, entry: &str) -> Context {
        let declared = declaration.functions.get(entry).into_iter().flat_map(|function| &function.secrets);
        let secrets = declared.map(|(variable, secret)| (variable.clone(), self.secret(declaration, secret))).collect();
        Context {
            stack: self.declared.clone(),
            stage: declaration.stage.clone(),
            function: entry.to_owned(),
            mail: self.mail_places(declaration, entry),
            secrets,
            writes: declaration.functions.get(entry).map(|function| self.places(&function.writes)).unwrap_or_default(),
        }
    }

    /// Places by the names of their buckets in AWS.
    pub fn places(&self, declared: &[declaration::Place]) -> Vec<Place> {
        let place =
            |place: &declaration::Place| Place { bucket: self.bucket(&place.bucket), prefix: place.prefix.clone() };
        declared.iter().map(place).collect()
    }

    /// Where the rules that invoke a function put the mail before they do, as far as the function may read it.
    fn mail_places(&self, declaration: &Declaration, entry: &str) -> Vec<MailPlace> {
        let reads = declaration.functions.get(entry).map_or(&[][..], |function| &function.reads);
        let may_read = |bucket: &str, prefix: &str| {
            reads.iter().any(|place| place.bucket == bucket && prefix.starts_with(&place.prefix))
        };
        let mut places = Vec::new();
        for rule in &declaration.receipt_rules {
            let invokes = |action: &Action| matches!(action, Action::Invoke { function, .. } if function == entry);
            let Some(last) = rule.actions.iter().rposition(invokes) else { continue };
            let mut added_headers: Vec<String> = Vec::new();
            for action in rule.actions.iter().take(last) {
                match action {
                    Action::AddHeader { name, .. } => added_headers.push(name.clone()),
                    Action::Store { bucket, prefix, .. } if may_read(bucket, prefix) => {
                        self.add_place(&mut places, bucket, prefix, &added_headers);
                    }
                    _ => {}
                }
            }
        }
        places
    }

    /// Adds a place by the name of its bucket in AWS, or the headers to one that is there.
    fn add_place(&self, places: &mut Vec<MailPlace>, bucket: &str, prefix: &str, added_headers: &[String]) {
        let bucket = self.bucket(bucket);
        let known = places.iter_mut().find(|place| place.bucket == bucket && place.prefix == prefix);
        let Some(place) = known else {
            places.push(MailPlace { bucket, prefix: prefix.to_owned(), added_headers: added_headers.to_vec() });
            return;
        };
        let new: Vec<_> = added_headers.iter().filter(|name| !place.added_headers.contains(name)).cloned().collect();
        place.added_headers.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Where a function of this declaration is told that mails lie.
    fn told(function: &str) -> Vec<String> {
        const SOURCE: &str = "\
stack: circuits
region: eu-west-1
buckets: {mail: {}, audit: {}, archive: {existing: example-archive}}
functions:
  reader: {crate: maintenance, bin: reader, reads: [{bucket: mail, prefix: inbound/}, archive]}
  counter: {crate: maintenance, bin: counter}
receipt_rules:
  - name: all
    actions:
      - {store: audit}
      - {store: mail, prefix: inbound/}
      - {store: mail, prefix: other/}
      - {store: archive}
      - {invoke: reader}
      - {invoke: counter}
stages: {prod: {}}
";
        let checked = Declaration::parse(Path::new("infra.yaml"), SOURCE.as_bytes(), Some("prod")).unwrap();
        let declaration = &checked.declarations[0];
        let context = Names::new(declaration, "123456789012").function_context(declaration, function);
        context.mail.into_iter().map(|place| format!("{}/{}", place.bucket, place.prefix)).collect()
    }

    #[test]
    fn a_function_is_told_of_those_mails_alone_that_it_may_read() {
        assert_eq!(told("reader"), ["circuits-prod-mail-123456789012-eu-west-1/inbound/", "example-archive/"]);
        assert_eq!(told("counter"), Vec::<String>::new());
    }
}
