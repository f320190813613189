//! The classes of AWS's error codes: tables of the codes, and what a message has to tell apart.

use engine::Class;

/// Returns the code in its plain form: `RuleSetDoesNotExistException` and `RuleSetDoesNotExist` are the same code; so are
/// `AWS.SimpleQueueService.NonExistentQueue` and its last part. EC2's are told whole: `InvalidSubnetID.NotFound`.
pub(super) fn plain_code(call: &str, code: &str) -> String {
    let last = if call.starts_with("ec2.") { code } else { code.rsplit(['.', '#']).next().unwrap_or(code) };
    last.strip_suffix("Exception").unwrap_or(last).to_owned()
}

/// Codes that mean something else for one service than for others, or that only it has: looked up before [`CLASSES`].
const CLASSES_OF_SERVICES: &[(&str, Class, &[&str])] = &[
    // DynamoDB: "too many table operations at once", or an index that is being created: a later call succeeds. Elsewhere the code is a
    // limit of the account.
    ("dynamodb", Class::Throttled, &["LimitExceeded", "ProvisionedThroughputExceeded"]),
    (
        "dynamodb",
        Class::InProgress,
        // A cancelled transaction: another one on the same items, or too many writes. That a condition did not hold is a detail of it.
        &[
            "ResourceInUse",
            "TableInUse",
            "TransactionInProgress",
            "TransactionCanceled",
            "ContinuousBackupsUnavailable",
        ],
    ),
    ("dynamodb", Class::NotFound, &["TableNotFound", "PolicyNotFound"]),
    // S3 tells a fault of its own with the status 500, or within the answer to a call about many objects.
    ("s3", Class::Unreachable, &["InternalError"]),
    // MSK: a cluster takes one change at a time, and no topic is made or changed meanwhile. The others are of its brokers, and pass.
    (
        "kafka",
        Class::InProgress,
        &[
            "Conflict",
            "ClusterConnectivity",
            "KafkaTimeout",
            "ControllerMoved",
            "NotController",
            "ReassignmentInProgress",
        ],
    ),
    ("kafka", Class::Exists, &["TopicExists"]),
    ("kafka", Class::NotFound, &["UnknownTopicOrPartition"]),
    // The whole set is about to be changed by somebody else, as SES says with the status of a fault.
    ("sesv2", Class::InProgress, &["ConcurrentModification"]),
    // Lambda: an event source mapping takes a change between two others only.
    ("lambda", Class::InProgress, &["ResourceInUse"]),
    // SES validates bucket, function and topic when a rule is written.
    (
        "ses",
        Class::NotYet,
        &["InvalidS3Configuration", "InvalidLambdaFunction", "InvalidSnsTopic", "InvalidSnsTopicException"],
    ),
];

/// Services that have codes of their own for each kind of resource: the endings of the codes tell their meaning. They are looked up
/// after the whole codes, in this order. Sources: EC2's "Error codes", the errors of RDS and `ElastiCache` in botocore 1.44.8.
const CLASSES_BY_ENDING: &[(&str, Class, &[&str])] = &[
    // A gateway that is to be taken from a network is not there.
    ("ec2", Class::NotFound, &["NotFound", "Gateway.NotAttached"]),
    ("ec2", Class::Exists, &[".Duplicate", "AlreadyExists"]),
    // Something else still uses it, or it is on its way into another state: both end by themselves, or by another step.
    (
        "ec2",
        Class::InProgress,
        &["DependencyViolation", "InUse", "IncorrectState", "IncorrectInstanceState", ".AlreadyAssociated"],
    ),
    ("ec2", Class::Throttled, &["EC2Throttled"]),
    ("ec2", Class::Denied, &["UnauthorizedOperation", "AuthFailure", "OptInRequired", "PendingVerification"]),
    ("rds", Class::NotFound, &["NotFound"]),
    ("rds", Class::Exists, &["AlreadyExists"]),
    // The network is not in a state that passes: the subnets are in other networks, or in too few zones.
    ("rds", Class::Invalid, &["InvalidVPCNetworkState", "InvalidSubnet"]),
    ("rds", Class::InProgress, &["State", "InUse"]),
    ("elasticache", Class::NotFound, &["NotFound"]),
    ("elasticache", Class::Exists, &["AlreadyExists"]),
    ("elasticache", Class::Invalid, &["InvalidVPCNetworkState", "InvalidSubnet"]),
    ("elasticache", Class::InProgress, &["State", "InUse", "IsInUse"]),
];

/// Codes that mean the same for every service.
const CLASSES: &[(Class, &[&str])] = &[
    (
        Class::NotFound,
        &[
            "NotFound",
            "ResourceNotFound",
            "NoSuchEntity",
            "NoSuchBucket",
            "NoSuchBucketPolicy",
            "NoSuchTagSet",
            "NoSuchLifecycleConfiguration",
            "NoSuchPublicAccessBlockConfiguration",
            "OwnershipControlsNotFoundError",
            "ServerSideEncryptionConfigurationNotFoundError",
            "NoSuchKey",
            "NonExistentQueue",
            "QueueDoesNotExist",
            "RuleSetDoesNotExist",
            "RuleDoesNotExist",
            "NotFoundException",
        ],
    ),
    (
        Class::Exists,
        &[
            "AlreadyExists",
            "EntityAlreadyExists",
            "ResourceAlreadyExists",
            "ResourceExists",
            "BucketAlreadyOwnedByYou",
            "BucketAlreadyExists",
            "QueueAlreadyExists",
            "QueueNameExists",
            "ResourceConflict.exists",
        ],
    ),
    (
        Class::Throttled,
        &[
            "Throttling",
            "ThrottlingException",
            "Throttled",
            "TooManyRequests",
            "RequestLimitExceeded",
            "SlowDown",
            "RequestThrottled",
            "PriorRequestNotComplete",
        ],
    ),
    (
        Class::InProgress,
        &["ResourceConflict", "OperationAborted", "ConcurrentModification", "QueueDeletedRecently", "ConcurrentAccess"],
    ),
    (
        Class::Denied,
        &[
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "AuthorizationError",
            "UnrecognizedClient",
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "Forbidden",
        ],
    ),
    (
        Class::Invalid,
        &[
            "ValidationError",
            "Validation",
            "InvalidParameter",
            "InvalidParameterValue",
            "InvalidParameterCombination",
            "InvalidRequest",
            "MalformedPolicyDocument",
            "MalformedPolicy",
            "InvalidAttributeName",
            "InvalidAttributeValue",
            "CannotDelete",
            "LimitExceeded",
            "SubscriptionLimitExceeded",
            "TopicLimitExceeded",
            "TagLimitExceeded",
            "FilterPolicyLimitExceeded",
            "CodeStorageExceeded",
            "BucketNotEmpty",
            "DeleteConflict",
        ],
    ),
];

/// Returns the class of an error. `call` is needed where one code means different things.
pub(super) fn classify(call: &str, status: Option<u16>, code: Option<&str>, message: &str) -> Class {
    let Some(code) = code.filter(|code| !code.is_empty()) else { return by_status(status) };
    // Right after its role was created, a function cannot be created or changed (`aws-facts.md`).
    let early = [
        "cannot be assumed",
        "does not have permissions to",
        "not authorized to perform",
        "ensure the role can perform",
    ];
    let is_lambda_write = call.starts_with("lambda.") && !call.starts_with("lambda.Get");
    if is_lambda_write && code == "InvalidParameterValue" && early.iter().any(|words| message.contains(words)) {
        return Class::NotYet;
    }
    // "Function exists already" and "an update is in progress" share this code; only the message tells them apart.
    if code == "ResourceConflict" && message.to_ascii_lowercase().contains("already exist") {
        return Class::Exists;
    }
    // API Gateway says with one code that something is there, and that it takes one change of an API at a time.
    if call.starts_with("apigatewayv2.") && code == "Conflict" {
        let is_there = message.to_ascii_lowercase().contains("already exist");
        return if is_there { Class::Exists } else { Class::InProgress };
    }
    // SES publishes to a topic before it takes it: right after its policy was written it may not yet. Version 2 has no code for it.
    let is_of_topic = |words: &str| words.contains("SNS") || words.to_ascii_lowercase().contains("topic");
    if call.starts_with("sesv2.") && code == "BadRequest" && is_of_topic(message) {
        return Class::NotYet;
    }
    if call == "ses.SetIdentityNotificationTopic" && code == "InvalidParameterValue" && is_of_topic(message) {
        return Class::NotYet;
    }
    // SNS has no code of its own for this: `Invalid parameter: Tags Reason: Topic already exists with different tags`.
    if call == "sns.CreateTopic" && code == "InvalidParameter" && message.contains("already exists") {
        return Class::Exists;
    }
    let service = call.split('.').next().unwrap_or_default();
    let here = CLASSES_OF_SERVICES.iter().find(|(of, _, codes)| *of == service && codes.contains(&code));
    if let Some((_, class, _)) = here {
        return *class;
    }
    let known = CLASSES.iter().find(|(_, codes)| codes.contains(&code)).map(|(class, _)| *class);
    known.or_else(|| by_ending(service, code)).unwrap_or_else(|| by_status(status))
}

/// Returns the class that the ending of a service's code tells.
fn by_ending(service: &str, code: &str) -> Option<Class> {
    // Some codes of RDS and ElastiCache end in `Fault`, others of the same meaning do not.
    let code = code.strip_suffix("Fault").unwrap_or(code);
    let is_told = |(of, _, endings): &&(&str, Class, &[&str])| {
        *of == service && endings.iter().any(|ending| code.ends_with(ending))
    };
    CLASSES_BY_ENDING.iter().find(is_told).map(|(_, class, _)| *class)
}

fn by_status(status: Option<u16>) -> Class {
    match status {
        None | Some(500 | 502..=504) => Class::Unreachable,
        Some(404) => Class::NotFound,
        Some(403 | 401) => Class::Denied,
        Some(429) => Class::Throttled,
        Some(400) => Class::Invalid,
        Some(_) => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(call: &str, status: u16, code: &str, message: &str) -> Class {
        classify(call, Some(status), Some(&plain_code(call, code)), message)
    }

    #[test]
    fn an_ending_or_a_namespace_does_not_change_the_meaning() {
        for code in ["RuleSetDoesNotExist", "RuleSetDoesNotExistException"] {
            assert_eq!(class("ses.DescribeReceiptRuleSet", 400, code, ""), Class::NotFound);
        }
        for code in ["AWS.SimpleQueueService.NonExistentQueue", "com.amazonaws.sqs#QueueDoesNotExist"] {
            assert_eq!(class("sqs.GetQueueUrl", 400, code, ""), Class::NotFound);
        }
    }

    #[test]
    fn a_code_means_what_its_service_means() {
        let code = "LimitExceededException";
        assert_eq!(
            class("dynamodb.CreateTable", 400, code, "Too many operations for a given subscriber"),
            Class::Throttled
        );
        for call in ["ses.CreateReceiptRuleSet", "iam.CreateRole", "logs.CreateLogGroup"] {
            assert_eq!(class(call, 400, code, ""), Class::Invalid, "{call}");
        }
        assert_eq!(class("dynamodb.UpdateTable", 400, "ResourceInUseException", ""), Class::InProgress);
        for (call, status, code, message, expected) in [
            ("kafka.CreateTopic", 409, "TopicExistsException", "", Class::Exists),
            ("kafka.CreateTopic", 409, "ConflictException", "the cluster is UPDATING", Class::InProgress),
            ("kafka.DescribeTopic", 409, "NotControllerException", "", Class::InProgress),
            ("kafka.DescribeTopic", 404, "UnknownTopicOrPartitionException", "", Class::NotFound),
            ("kafka.DescribeClusterV2", 403, "ForbiddenException", "", Class::Denied),
            ("sesv2.PutConfigurationSetSendingOptions", 500, "ConcurrentModificationException", "", Class::InProgress),
            ("sesv2.CreateConfigurationSet", 400, "AlreadyExistsException", "", Class::Exists),
            (
                "sesv2.CreateConfigurationSetEventDestination",
                400,
                "BadRequestException",
                "Could not publish to SNS topic",
                Class::NotYet,
            ),
            ("sesv2.CreateConfigurationSet", 400, "BadRequestException", "Invalid name", Class::Invalid),
            (
                "ses.SetIdentityNotificationTopic",
                400,
                "InvalidParameterValue",
                "Invalid SNS topic <arn>",
                Class::NotYet,
            ),
        ] {
            assert_eq!(class(call, status, code, message), expected, "{call} {code} {message}");
        }
        assert_eq!(class("ses.CreateReceiptRule", 400, "InvalidS3Configuration", ""), Class::NotYet);
    }

    #[test]
    fn codes_of_each_kind_of_resource_mean_what_they_end_in() {
        for (call, status, code, expected) in [
            ("ec2.DescribeSubnets", 400, "InvalidSubnetID.NotFound", Class::NotFound),
            ("ec2.DescribeSubnets", 400, "InvalidSubnetId.NotFound", Class::NotFound),
            ("ec2.DescribeLaunchTemplates", 400, "InvalidLaunchTemplateName.NotFoundException", Class::NotFound),
            ("ec2.DescribeNatGateways", 400, "NatGatewayNotFound", Class::NotFound),
            ("ec2.AuthorizeSecurityGroupEgress", 400, "InvalidPermission.Duplicate", Class::Exists),
            ("ec2.CreateRoute", 400, "RouteAlreadyExists", Class::Exists),
            ("ec2.DeleteSubnet", 400, "DependencyViolation", Class::InProgress),
            ("ec2.DeleteNetworkInterface", 400, "InvalidNetworkInterface.InUse", Class::InProgress),
            ("ec2.DescribeSubnets", 503, "RequestLimitExceeded", Class::Throttled),
            ("ec2.DescribeSubnets", 400, "EC2ThrottledException", Class::Throttled),
            ("ec2.DescribeSubnets", 403, "UnauthorizedOperation", Class::Denied),
            ("ec2.DescribeSubnets", 401, "AuthFailure", Class::Denied),
            ("ec2.DescribeSubnets", 400, "InvalidSubnetID.Malformed", Class::Invalid),
            ("ec2.RunInstances", 400, "VcpuLimitExceeded", Class::Invalid),
            ("ec2.DescribeSubnets", 503, "Unavailable", Class::Unreachable),
            ("rds.DescribeDBInstances", 404, "DBInstanceNotFound", Class::NotFound),
            ("rds.DescribeDBSubnetGroups", 404, "DBSubnetGroupNotFoundFault", Class::NotFound),
            ("rds.CreateDBInstance", 400, "DBInstanceAlreadyExists", Class::Exists),
            ("rds.CreateDBSubnetGroup", 400, "DBSubnetGroupAlreadyExists", Class::Exists),
            ("rds.ModifyDBInstance", 400, "InvalidDBInstanceState", Class::InProgress),
            ("rds.DeleteDBSubnetGroup", 400, "InvalidDBSubnetGroupStateFault", Class::InProgress),
            ("rds.CreateDBInstance", 400, "InvalidVPCNetworkStateFault", Class::Invalid),
            ("rds.CreateDBInstance", 400, "InstanceQuotaExceeded", Class::Invalid),
            ("elasticache.DescribeReplicationGroups", 404, "ReplicationGroupNotFoundFault", Class::NotFound),
            ("elasticache.CreateReplicationGroup", 400, "ReplicationGroupAlreadyExists", Class::Exists),
            ("elasticache.ModifyReplicationGroup", 400, "InvalidReplicationGroupState", Class::InProgress),
            ("elasticache.DeleteCacheSubnetGroup", 400, "CacheSubnetGroupInUse", Class::InProgress),
            ("elasticache.CreateReplicationGroup", 400, "NodeQuotaForCustomerExceeded", Class::Invalid),
            ("ec2.DetachInternetGateway", 400, "Gateway.NotAttached", Class::NotFound),
            ("s3.DeleteObjects", 200, "InternalError", Class::Unreachable),
            ("s3.DeleteObjects", 200, "AccessDenied", Class::Denied),
            // Elsewhere an ending tells nothing.
            ("s3.PutObject", 409, "InvalidBucketState", Class::Other),
        ] {
            assert_eq!(class(call, status, code, ""), expected, "{call} {code}");
        }
    }

    #[test]
    fn a_conflict_of_names_is_no_update_in_progress() {
        let code = "ResourceConflictException";
        assert_eq!(class("lambda.CreateFunction", 409, code, "Function already exist: a"), Class::Exists);
        assert_eq!(
            class("lambda.UpdateFunctionCode", 409, code, "An update is in progress for resource: a"),
            Class::InProgress
        );
        assert_eq!(
            class("lambda.AddPermission", 409, code, "The statement id (a) provided already exists"),
            Class::Exists
        );
    }

    #[test]
    fn an_api_takes_one_change_at_a_time() {
        let words = "Unable to complete operation due to concurrent modification. Please try again later.";
        let class = |call: &str, words: &str| class(call, 409, "ConflictException", words);
        assert_eq!(class("apigatewayv2.CreateRoute", words), Class::InProgress);
        let there = "Route with key POST /job-complete already exists for this API";
        assert_eq!(class("apigatewayv2.CreateRoute", there), Class::Exists);
    }

    #[test]
    fn a_mapping_takes_a_change_between_two_others() {
        let update =
            |code: &str, status: u16, words: &str| class("lambda.UpdateEventSourceMapping", status, code, words);
        assert_eq!(update("ResourceInUseException", 400, "in use"), Class::InProgress);
        assert_eq!(
            update("ResourceConflictException", 409, "Cannot update the event source mapping"),
            Class::InProgress
        );
        let create =
            |words: &str| class("lambda.CreateEventSourceMapping", 400, "InvalidParameterValueException", words);
        for words in [
            "The provided execution role does not have permissions to call ReceiveMessage on SQS",
            "Please ensure the role can perform the sqs:ReceiveMessage action",
            "The role defined for the function cannot be assumed by Lambda.",
        ] {
            assert_eq!(create(words), Class::NotYet, "{words}");
        }
        let visibility = "Queue visibility timeout: 60 seconds is less than Function timeout: 180 seconds";
        assert_eq!(create(visibility), Class::Invalid);
    }

    #[test]
    fn a_topic_that_somebody_else_just_made_exists() {
        let words = "Invalid parameter: Attributes Reason: Topic already exists with different attributes";
        assert_eq!(class("sns.CreateTopic", 400, "InvalidParameter", words), Class::Exists);
        assert_eq!(class("sns.CreateTopic", 400, "InvalidParameter", "Invalid parameter: Topic Name"), Class::Invalid);
    }

    #[test]
    fn a_limit_of_sns_is_no_lack_of_rights() {
        assert_eq!(class("sns.Subscribe", 403, "SubscriptionLimitExceeded", ""), Class::Invalid);
        assert_eq!(class("sns.Subscribe", 403, "AuthorizationError", ""), Class::Denied);
    }

    #[test]
    fn a_role_that_is_not_seen_yet_is_no_wrong_value() {
        let code = "InvalidParameterValueException";
        let words = "The role defined for the function cannot be assumed by Lambda.";
        assert_eq!(class("lambda.CreateFunction", 400, code, words), Class::NotYet);
        assert_eq!(class("lambda.CreateFunction", 400, code, "memory is out of bounds"), Class::Invalid);
    }

    #[test]
    fn a_non_empty_resource_is_not_deleted_by_retrying() {
        assert_eq!(
            class("s3.DeleteBucket", 409, "BucketNotEmpty", "The bucket you tried to delete is not empty"),
            Class::Invalid
        );
        assert_eq!(class("iam.DeleteRole", 409, "DeleteConflict", "Cannot delete entity"), Class::Invalid);
    }

    #[test]
    fn without_a_code_the_status_speaks() {
        assert_eq!(classify("s3.HeadBucket", Some(404), None, ""), Class::NotFound);
        assert_eq!(classify("s3.HeadBucket", Some(403), None, ""), Class::Denied);
        assert_eq!(classify("s3.HeadBucket", None, None, "dispatch failure"), Class::Unreachable);
        assert_eq!(classify("iam.GetRole", Some(503), Some("ServiceUnavailable"), ""), Class::Unreachable);
    }
}
