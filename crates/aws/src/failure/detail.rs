//! Circumstances that a code of AWS tells beyond its class, for callers that go on differently because of them.

use engine::Failure;

/// A circumstance that one code, or words in its message, tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The bucket exists, and has no policy.
    NoBucketPolicy,
    /// The service does not have a feature, in the region or for the resource.
    NotOffered,
    /// A group of subnets names a subnet that is not there, or is not seen yet.
    SubnetNotSeen,
    /// A transaction was cancelled because a condition did not hold.
    ConditionFailed,
    /// A message of a queue is not hidden any more, or gone.
    NotHidden,
}

/// A detail, a service or (`None`) all of them, and codes in their plain form; a text after a code must be in the message.
type Row = (Detail, Option<&'static str>, &'static [(&'static str, &'static str)]);

/// The codes of each detail.
const DETAILS: &[Row] = &[
    (Detail::NoBucketPolicy, Some("s3"), &[("NoSuchBucketPolicy", "")]),
    (
        Detail::NotOffered,
        None,
        &[("MethodNotAllowed", ""), ("NotImplemented", ""), ("UnsupportedArgument", ""), ("UnsupportedOperation", "")],
    ),
    (Detail::SubnetNotSeen, Some("rds"), &[("InvalidSubnet", "")]),
    (Detail::SubnetNotSeen, Some("elasticache"), &[("InvalidSubnet", "")]),
    // The reasons stand in the message, in brackets, one for each item.
    (Detail::ConditionFailed, Some("dynamodb"), &[("TransactionCanceled", "ConditionalCheckFailed")]),
    (
        Detail::NotHidden,
        Some("sqs"),
        &[("MessageNotInflight", ""), ("InvalidParameterValue", "not available for visibility timeout change")],
    ),
];

impl Detail {
    /// Returns whether a failure tells this.
    pub fn is_told_by(self, failure: &Failure) -> bool {
        let service = failure.call.split('.').next().unwrap_or_default();
        let code = failure.code.as_deref().unwrap_or_default();
        let mut rows = DETAILS.iter().filter(|(detail, of, _)| *detail == self && of.is_none_or(|of| of == service));
        rows.any(|(_, _, codes)| codes.iter().any(|(told, words)| *told == code && failure.message.contains(words)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure_within;

    #[test]
    fn a_detail_is_told_by_its_code_of_its_service_and_its_words() {
        let gone = "Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.";
        let cancelled = "Transaction cancelled, please refer cancellation reasons for specific reasons";
        for (detail, call, code, words, is_told) in [
            (Detail::NotHidden, "sqs.ChangeMessageVisibilityBatch", "InvalidParameterValue", gone, true),
            (
                Detail::NotHidden,
                "sqs.ChangeMessageVisibilityBatch",
                "AWS.SimpleQueueService.MessageNotInflight",
                "",
                true,
            ),
            (
                Detail::NotHidden,
                "sqs.ChangeMessageVisibilityBatch",
                "InvalidParameterValue",
                "Value 90000 is invalid.",
                false,
            ),
            (Detail::NotHidden, "sqs.ChangeMessageVisibilityBatch", "InternalError", gone, false),
            (
                Detail::ConditionFailed,
                "dynamodb.TransactWriteItems",
                "TransactionCanceledException",
                &format!("{cancelled} [ConditionalCheckFailed, None]"),
                true,
            ),
            (
                Detail::ConditionFailed,
                "dynamodb.TransactWriteItems",
                "TransactionCanceledException",
                &format!("{cancelled} [TransactionConflict, None]"),
                false,
            ),
            (Detail::NoBucketPolicy, "s3.GetBucketPolicy", "NoSuchBucketPolicy", "", true),
            (Detail::NoBucketPolicy, "s3.GetBucketPolicy", "NoSuchBucket", "", false),
            (Detail::SubnetNotSeen, "rds.CreateDBSubnetGroup", "InvalidSubnet", "", true),
            (Detail::SubnetNotSeen, "ec2.RunInstances", "InvalidSubnet", "", false),
            (Detail::NotOffered, "s3.GetBucketAccelerateConfiguration", "MethodNotAllowed", "", true),
            (Detail::NotOffered, "lambda.ListFunctionUrlConfigs", "NotImplemented", "", true),
            (Detail::NotOffered, "lambda.ListFunctionUrlConfigs", "AccessDenied", "", false),
        ] {
            assert_eq!(detail.is_told_by(&failure_within(call, code, words)), is_told, "{detail:?} {code} {words}");
        }
    }
}
