//! The identity of a kind, from which its names, ARNs, permissions, outputs and counts follow.

use aws::{ArnForm, Realm, cut};

/// The identity of a kind, a constant in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Name in a plan, before an entry's name.
    pub name: &'static str,
    /// Plural, as the id of a statement in a policy: `Queues`.
    pub plural: &'static str,
    /// Section of the declaration whose entries are of this kind; `None` for kinds that other entries imply.
    pub section: Option<&'static str>,
    /// Form of its ARN; `None` for a kind that is no resource to IAM.
    pub arn: Option<ArnForm>,
    /// Longest name that AWS takes, in bytes.
    pub longest: usize,
    /// Form of its names.
    pub naming: Naming,
    /// Output of `up` for each declared entry.
    pub output: Output,
}

/// The form of a kind's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `STACK-ENTRY`.
    Prefixed,
    /// `STACK-ENTRY-ACCOUNT-REGION`: the name must be unique in the world.
    Global,
    /// `STACK.ENTRY`: a dot ends the stack's name, since no name has one.
    Dotted,
    /// A fixed prefix and the name of the entry's resource of another kind, whose names are prefixed and have this maximum
    /// length: a function's log group.
    After(&'static str, usize),
}

/// The output of `up` for a declared entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// No output for the entry.
    Nothing,
    /// Name of the resource in AWS.
    Name,
    /// ARN of the resource in AWS.
    Arn,
}

impl Identity {
    /// Returns the identity of a kind that entries imply: prefixed names, no output, no ARN.
    pub const fn implied(name: &'static str, plural: &'static str, longest: usize) -> Self {
        Self { name, plural, section: None, arn: None, longest, naming: Naming::Prefixed, output: Output::Nothing }
    }

    /// Returns the name of an entry's resource, cut to what AWS takes.
    pub fn name_of(&self, realm: &Realm, stack: &str, entry: &str) -> String {
        match self.naming {
            Naming::Prefixed => cut(format!("{stack}-{entry}"), self.longest),
            Naming::Global => cut(format!("{stack}-{entry}-{}-{}", realm.account, realm.region), self.longest),
            Naming::Dotted => cut(format!("{stack}.{entry}"), self.longest),
            Naming::After(beginning, longest) => {
                cut(format!("{beginning}{}", cut(format!("{stack}-{entry}"), longest)), self.longest)
            }
        }
    }

    /// Returns the pattern of all names of a stack, in a policy: resources that are no longer declared have to be found,
    /// too.
    pub fn names_of_stack(&self, stack: &str) -> String {
        match self.naming {
            Naming::Prefixed | Naming::Global => format!("{stack}-*"),
            Naming::Dotted => format!("{stack}.*"),
            Naming::After(beginning, _) => format!("{beginning}{stack}-*"),
        }
    }

    /// Returns the pattern of the stack's names in their own ARNs: any name, if the ARN contains the stack.
    pub fn own_names(&self, stack: &str) -> String {
        if self.arn.is_some_and(|form| form.0.contains("{stack}")) {
            "*".to_owned()
        } else {
            self.names_of_stack(stack)
        }
    }

    /// Returns the ARN of a resource by its name; empty for a kind without ARNs.
    pub fn arn_of(&self, realm: &Realm, stack: &str, name: &str) -> String {
        self.arn.map(|form| realm.arn(form, stack, name).into()).unwrap_or_default()
    }
}
