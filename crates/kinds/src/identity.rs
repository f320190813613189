//! The identity of a kind, from which its names, ARNs, permissions, outputs and counts follow.

use aws::{ArnForm, Realm, cut, hashed, kept_prefix};
use engine::Stack;

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
    /// Number of characters that AWS adds to a name in its ARN; 0 for most kinds.
    pub added_to_arn: usize,
    /// `true` if AWS adds a slash and an id of its own to a name in its ARN, where no name has a slash.
    pub has_id_in_arn: bool,
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
    /// `STACK-STAGE-ENTRY`: names of one region.
    Prefixed,
    /// The same where no name may have two hyphens in a row: a name that is cut has one before its hash.
    SingleHyphens,
    /// `STACK-STAGE-ENTRY-REGION`: the name must be unique in the account, in whichever region.
    Regional,
    /// `STACK-STAGE-ENTRY-ACCOUNT-REGION`: the name must be unique in the world.
    Global,
    /// `STACK.STAGE.ENTRY`, or with another character between: the kind has no tags, so the name alone tells whose it is. No name of a
    /// part has that character.
    Joined(char),
    /// `STACK_STAGE`: one for a stack, and the kind has neither tags nor dots. No name has an underscore.
    Alone,
    /// `STACK.STAGE.REGION.ENTRY`: a part of something that is not ours, and that stacks of all regions share.
    Marked,
    /// A fixed prefix and the entry: a part of a resource of ours, whose tags tell whose it is.
    Part(&'static str),
    /// A fixed prefix and the name of the entry's resource of another kind, whose names are prefixed and have this maximum
    /// length: a function's log group.
    After(&'static str, usize),
}

/// Prefix of the log groups that Lambda writes to.
pub(crate) const LOG_GROUPS: &str = "/aws/lambda/";
/// Maximum length of a function's name, in characters.
pub(crate) const LONGEST_FUNCTION: usize = 64;
/// Longest entry in a [`Naming::Joined`] name that was cut; the rest is the stack's.
const LONGEST_ENTRY: usize = 32;

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
        Self {
            name,
            plural,
            section: None,
            arn: None,
            added_to_arn: 0,
            has_id_in_arn: false,
            longest,
            naming: Naming::Prefixed,
            output: Output::Nothing,
        }
    }

    /// Returns the name of an entry's resource, cut to what AWS takes.
    pub fn name_of(&self, stack: &Stack, account: &str, entry: &str) -> String {
        // Everything that tells this resource from others of its kind.
        let whole = format!("{account}/{}/{entry}", stack.id());
        let (prefix, region) = (stack.prefix(), &stack.region);
        match self.naming {
            Naming::Prefixed => cut(format!("{prefix}-{entry}"), self.longest, &whole),
            Naming::SingleHyphens => cut(format!("{prefix}-{entry}"), self.longest, &whole).replacen("--", "-", 1),
            Naming::Regional => cut(format!("{prefix}-{entry}-{region}"), self.longest, &whole),
            Naming::Global => cut(format!("{prefix}-{entry}-{account}-{region}"), self.longest, &whole),
            Naming::Joined(between) => {
                let name = format!("{}{between}{entry}", stack.joined(between));
                if name.len() <= self.longest {
                    return name;
                }
                format!("{}{between}{}", self.short(stack), cut(entry.to_owned(), LONGEST_ENTRY, entry))
            }
            Naming::Alone => cut(stack.joined('_'), self.longest, &stack.id()),
            Naming::Marked => cut(format!("{}.{entry}", stack.id()), self.longest, &whole),
            Naming::Part(beginning) => cut(format!("{beginning}{entry}"), self.longest, entry),
            Naming::After(beginning, longest) => {
                format!("{beginning}{}", cut(format!("{prefix}-{entry}"), longest, &whole))
            }
        }
    }

    /// Returns the beginning of a [`Naming::Joined`] name that is too long with the stack's whole name. It has two hyphens in a row
    /// before its hash, as no name has.
    fn short(&self, stack: &Stack) -> String {
        hashed(&stack.prefix(), self.longest.saturating_sub(LONGEST_ENTRY + 1), &stack.id())
    }

    /// Returns the beginning of all names of a stack, cut ones too: what lists by a prefix ask for. Other stacks have such names,
    /// too; tags tell whose they are.
    pub fn listed_by(&self, stack: &Stack) -> String {
        let prefix = format!("{}-", stack.prefix());
        match self.naming {
            Naming::After(beginning, longest) => format!("{beginning}{}", kept_prefix(&prefix, longest)),
            Naming::Marked => kept_prefix(&format!("{}.", stack.id()), self.longest),
            _ => kept_prefix(&prefix, self.longest),
        }
    }

    /// Returns whether a name is one that this stack gives, or another with the same beginning.
    pub fn is_given_by(&self, stack: &Stack, name: &str) -> bool {
        name.starts_with(&self.listed_by(stack))
    }

    /// Returns the entry of a name without tags, [`Naming::Joined`]; `None` if it is not this stack's, or of another kind of names.
    ///
    /// ```
    /// use engine::Stack;
    /// use kinds::ses::rule::IDENTITY;
    ///
    /// let stack = |name: &str, stage: Option<&str>| {
    ///     Stack { name: name.to_owned(), stage: stage.map(str::to_owned), region: "eu-west-1".to_owned() }
    /// };
    /// assert_eq!(IDENTITY.entry_of(&stack("mail", Some("prod")), "mail.prod.all"), Some("all"));
    /// assert_eq!(IDENTITY.entry_of(&stack("mail", None), "mail.prod.all"), None);
    /// assert_eq!(IDENTITY.entry_of(&stack("mail-prod", None), "mail.prod.all"), None);
    /// ```
    pub fn entry_of<'name>(&self, stack: &Stack, name: &'name str) -> Option<&'name str> {
        let Naming::Joined(between) = self.naming else { return None };
        let after = |beginning: &str| name.strip_prefix(beginning)?.strip_prefix(between);
        let entry = after(&stack.joined(between)).or_else(|| after(&self.short(stack)))?;
        (!entry.is_empty() && !entry.contains(between)).then_some(entry)
    }

    /// Returns the name in the ARN of a resource of this kind; `None` if it is none, or in another account or region.
    pub fn name_in(&self, realm: &Realm, stack: &Stack, arn: &str) -> Option<String> {
        let beginning = self.arn_of(realm, stack, "");
        let name = arn.strip_prefix(&beginning).filter(|_| !beginning.is_empty())?;
        // A log group's may end with all of its streams.
        let name = name.strip_suffix(":*").unwrap_or(name);
        let name = if self.has_id_in_arn { name.split('/').next().unwrap_or(name) } else { name };
        let end = name.len().checked_sub(self.added_to_arn)?;
        name.get(..end).filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// Returns the ARN of a resource by its name; empty for a kind without ARNs.
    pub fn arn_of(&self, realm: &Realm, stack: &Stack, name: &str) -> String {
        self.arn.map(|form| realm.arn(form, &stack.id(), name).into()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Kind;

    const ACCOUNT: &str = "123456789012";

    /// A name as a declaration has it, of any length: hyphens stand alone, and between other characters.
    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[ab](-?[ab0]){0,3}",
            2 => "[a-z](-?[a-z0-9]){0,31}",
            1 => "[a-z](-?[a-z0-9]){0,200}",
            1 => Just("eu-west-1".to_owned()),
        ]
    }

    fn stack() -> impl Strategy<Value = Stack> {
        let region = prop_oneof!["eu-west-1", "us-east-1", "ap-southeast-2"];
        (name(), proptest::option::of(name()), region).prop_map(|(name, stage, region)| Stack { name, stage, region })
    }

    /// Two stacks that differ, often in one part or in the place of a hyphen alone.
    fn two_stacks() -> impl Strategy<Value = (Stack, Stack)> {
        let alike = (stack(), name(), any::<u8>()).prop_map(|(one, further, which)| {
            let mut other = one.clone();
            match which % 5 {
                0 => other.region = "eu-central-1".to_owned(),
                1 => other.stage = Some(further),
                2 => other.stage = None,
                3 => {
                    other.name = one.prefix();
                    other.stage = None;
                }
                _ => other.name = format!("{}-{further}", one.name),
            }
            (one, other)
        });
        prop_oneof![(stack(), stack()), alike].prop_filter("two stacks", |(one, other)| one != other)
    }

    fn tags(stack: &Stack, entry: &str) -> engine::Tags {
        let tags = [(engine::STACK_TAG, stack.id()), (engine::ENTRY_TAG, entry.to_owned())];
        tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    proptest! {
        #[test]
        fn an_id_is_one_stacks((one, other) in two_stacks()) {
            prop_assert_ne!(one.id(), other.id());
            prop_assert_eq!(Stack::parse(&one.id()), Some(one));
        }

        #[test]
        fn no_stack_takes_what_is_anothers((one, other) in two_stacks(), entry in name(), theirs in name()) {
            for kind in Kind::ALL {
                let identity = kind.identity();
                let name = identity.name_of(&one, ACCOUNT, &entry);
                prop_assert!(name.len() <= identity.longest, "{kind:?} {name}");
                let path = |stack: &Stack| crate::iam::role::path(stack);
                prop_assert!(!path(&one).starts_with(&path(&other)));
                // Rule sets are of one region.
                let is_apart = one.region != other.region;
                match identity.naming {
                    Naming::Joined(_) => {
                        prop_assert!(identity.entry_of(&one, &name).is_some(), "{name}");
                        prop_assert!(is_apart || identity.entry_of(&other, &name).is_none(), "{name}");
                    }
                    Naming::Alone => prop_assert!(is_apart || identity.name_of(&other, ACCOUNT, &theirs) != name, "{name}"),
                    Naming::Marked => prop_assert_ne!(identity.name_of(&other, ACCOUNT, &theirs), name.clone()),
                    Naming::Part(_) => {}
                    Naming::Prefixed
                    | Naming::SingleHyphens
                    | Naming::Regional
                    | Naming::Global
                    | Naming::After(..) => {
                        prop_assert!(identity.naming != Naming::SingleHyphens || !name.contains("--"), "{name}");
                        prop_assert!(identity.is_given_by(&one, &name), "{name} is not found by {}", identity.listed_by(&one));
                        let own = one.owned(&name, &tags(&one, &entry), true).map(|owned| owned.entry);
                        prop_assert_eq!(own.as_deref(), Some(entry.as_str()));
                        for is_named_ours in [true, false] {
                            prop_assert_eq!(other.owned(&name, &tags(&one, &entry), is_named_ours), None);
                        }
                        let owner = engine::Owner::of(&tags(&one, &entry), &other, false);
                        prop_assert!(matches!(owner, engine::Owner::Other(_)));
                    }
                }
                // In every region of the account and of the world.
                if is_apart && matches!(identity.naming, Naming::Regional | Naming::Global) && one.prefix() == other.prefix() {
                    prop_assert_ne!(identity.name_of(&other, ACCOUNT, &entry), name.clone());
                }
            }
        }

        #[test]
        fn no_stack_takes_what_has_anothers_tags_whatever_its_name(
            (one, other) in two_stacks(),
            entry in name(),
            given in "[a-z][a-z0-9-]{0,20}",
        ) {
            use engine::Kind as _;
            let realm = Realm { region: one.region.clone(), account: ACCOUNT.to_owned() };
            for kind in Kind::ALL.iter().filter(|kind| kind.has_tags() && **kind != Kind::Role) {
                let identity = kind.identity();
                // A name of anybody's, of the stack's own, and of the other stack's.
                for name in [given.clone(), identity.name_of(&one, ACCOUNT, &entry), identity.name_of(&other, ACCOUNT, &entry)] {
                    let ending = if identity.has_id_in_arn { "/0a1b-7" } else { "-Ab1-9z".get(..identity.added_to_arn).unwrap() };
                    let arn = format!("{}{ending}", identity.arn_of(&realm, &one, &name));
                    let index = || Ok(vec![(arn.clone(), tags(&one, &entry))]);
                    let listed = || crate::tagged::Listed { index: index(), roles: Ok(Vec::new()) };
                    let of = |stack: &Stack| {
                        let tagged = crate::Tagged::new(listed(), &realm, stack);
                        tagged.entries().map(|(kind, entry, name)| (kind, entry.to_owned(), name.to_owned())).collect::<Vec<_>>()
                    };
                    prop_assert_eq!(of(&one), [(*kind, entry.clone(), name.clone())]);
                    prop_assert_eq!(of(&other), []);
                    let is_given = |stack: &Stack| identity.is_given_by(stack, &name);
                    let owned = one.owned(&name, &tags(&one, &entry), is_given(&one)).unwrap();
                    prop_assert_eq!((owned.entry, owned.stays), (entry.clone(), None));
                    prop_assert_eq!(other.owned(&name, &tags(&one, &entry), is_given(&other)), None);
                }
            }
        }

        #[test]
        fn entries_of_one_stack_have_names_of_their_own(one in stack(), entry in name(), other in name()) {
            prop_assume!(entry != other);
            for kind in Kind::ALL {
                let identity = kind.identity();
                if identity.naming != Naming::Alone {
                    let of = |entry: &str| identity.name_of(&one, ACCOUNT, entry);
                    prop_assert_ne!(of(&entry), of(&other), "{:?}", kind);
                }
            }
        }
    }
}
