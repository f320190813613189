//! ARNs, in every partition. Nothing else in the project writes `arn:` by hand (a test reads the sources).

use std::fmt;

use contract::partition::Partition;

/// The form of a kind's ARNs behind the partition, such as `sqs:{region}:{account}:{name}`.
///
/// Its fields are `{region}` and `{account}`, `{stack}` (the id of the stack), `{container}` and `{name}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArnForm(pub &'static str);

/// The region and the account of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Realm {
    /// AWS region of the stack.
    pub region: String,
    /// Account id, 12 digits.
    pub account: String,
}

/// An ARN, in any partition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arn(String);

impl Realm {
    /// Returns the host of a service in the region.
    ///
    /// ```
    /// let realm = aws::Realm { region: "cn-north-1".to_owned(), account: "123456789012".to_owned() };
    /// assert_eq!(realm.endpoint("sqs"), "sqs.cn-north-1.amazonaws.com.cn");
    /// ```
    pub fn endpoint(&self, service: &str) -> String {
        Partition::endpoint(service, &self.region)
    }

    /// Returns `true` if a resource is in the account, by its ARN.
    ///
    /// ```
    /// let realm = aws::Realm { region: "eu-west-1".to_owned(), account: "123456789012".to_owned() };
    /// assert!(realm.has("arn:aws:sqs:eu-west-1:123456789012:mail"));
    /// assert!(!realm.has("arn:aws:sqs:eu-west-1:210987654321:mail"));
    /// ```
    pub fn has(&self, arn: &str) -> bool {
        arn.split(':').nth(4) == Some(self.account.as_str())
    }

    /// Returns the ARN of a resource that is part of nothing.
    ///
    /// ```
    /// use aws::{ArnForm, Realm};
    ///
    /// let realm = Realm { region: "cn-north-1".to_owned(), account: "123456789012".to_owned() };
    /// let queue = realm.arn(ArnForm("sqs:{region}:{account}:{name}"), "mail", "mail-failed");
    /// assert_eq!(queue.to_string(), "arn:aws-cn:sqs:cn-north-1:123456789012:mail-failed");
    /// ```
    pub fn arn(&self, form: ArnForm, stack: &str, name: &str) -> Arn {
        self.arn_within(form, stack, "", name)
    }

    /// Returns the ARN of a part of something: a receipt rule in its rule set.
    pub fn arn_within(&self, form: ArnForm, stack: &str, container: &str, name: &str) -> Arn {
        let Self { region, account } = self;
        let mut text = form.0.to_owned();
        // The names are inserted last: a brace in one of them is not a field.
        let fields = [
            ("{region}", region.as_str()),
            ("{account}", account),
            ("{stack}", stack),
            ("{container}", container),
            ("{name}", name),
        ];
        for (field, value) in fields {
            text = text.replace(field, value);
        }
        Arn(format!("arn:{}:{text}", Partition::of_region(region).as_str()))
    }
}

impl Arn {
    /// Returns the region and the account of an ARN, each empty where the service has none in it; `None` if the text is no ARN.
    ///
    /// ```
    /// use aws::Arn;
    ///
    /// assert_eq!(Arn::realm_of("arn:aws:sqs:eu-west-1:123456789012:mail"), Some(("eu-west-1", "123456789012")));
    /// assert_eq!(Arn::realm_of("arn:aws-cn:s3:::mail"), Some(("", "")));
    /// assert_eq!(Arn::realm_of("mail"), None);
    /// ```
    pub fn realm_of(text: &str) -> Option<(&str, &str)> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(2);
        let (region, account) = (parts.next()?, parts.next()?);
        parts.next().map(|_| (region, account))
    }

    /// Returns the account whose root user an ARN names: `arn:aws:iam::123456789012:root`, in any partition.
    pub fn root_account(text: &str) -> Option<&str> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':').skip(1);
        let (service, region, account) = (parts.next()?, parts.next()?, parts.next()?);
        (service == "iam" && region.is_empty() && parts.next() == Some("root")).then_some(account)
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Arn> for String {
    fn from(arn: Arn) -> Self {
        arn.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_follows_from_the_region() {
        for (region, expected) in [
            ("eu-west-1", "arn:aws:iam::1:role/provision/mail/mail-f"),
            ("cn-northwest-1", "arn:aws-cn:iam::1:role/provision/mail/mail-f"),
            ("us-gov-west-1", "arn:aws-us-gov:iam::1:role/provision/mail/mail-f"),
        ] {
            let realm = Realm { region: region.to_owned(), account: "1".to_owned() };
            let form = ArnForm("iam::{account}:role/provision/{stack}/{name}");
            assert_eq!(realm.arn(form, "mail", "mail-f").to_string(), expected);
        }
    }

    #[test]
    fn a_root_user_is_its_account_in_every_partition() {
        assert_eq!(Arn::root_account("arn:aws:iam::123456789012:root"), Some("123456789012"));
        assert_eq!(Arn::root_account("arn:aws-cn:iam::123456789012:root"), Some("123456789012"));
        for other in ["123456789012", "arn:aws:iam::123456789012:role/root", "arn:aws:s3:::root", "arn:aws:iam::1"] {
            assert_eq!(Arn::root_account(other), None, "{other}");
        }
    }
}
