//! Reads the service, the operation and the protocol from a request to AWS.
//!
//! The service is in the signature. The operation is in the body (query), in a header (JSON) or in the path (CBOR); S3 has
//! none of these, nor have Lambda and API Gateway: they have tables.

use std::fmt;

use hyper::{Method, http::request::Parts};

/// An operation of a service; shown as `lambda.GetFunction`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    pub(crate) service: String,
    pub(crate) name: String,
}

/// The protocol of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Cbor,
    Json,
    Query,
    RestJson,
    RestXml,
}

/// Prefixes of operations that change nothing.
const READING: &[&str] = &[
    "AssumeRole",
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Receive",
    "Scan",
    "Search",
    "Simulate",
    "Test",
    "Validate",
];

impl Operation {
    /// Returns the operation and the protocol of a request.
    pub(crate) fn of(request: &Parts, body: &[u8]) -> (Self, Protocol) {
        let service = match signed_for(request) {
            "monitoring" => "cloudwatch",
            other => other,
        };
        let path = request.uri.path();
        let (name, protocol) = if let Some(target) = header(request, "x-amz-target") {
            (target.rsplit('.').next().map(str::to_owned), Protocol::Json)
        } else if let Some((_, name)) = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/")) {
            (Some(name.to_owned()), Protocol::Cbor)
        } else if let Some(action) = parameter(&String::from_utf8_lossy(body), "Action") {
            (Some(action), Protocol::Query)
        } else if service == "s3" {
            (s3(request), Protocol::RestXml)
        } else {
            (lambda(&request.method, path), Protocol::RestJson)
        };
        // An operation that is in no table is recorded too, and counts as a change unless its method is a reading one.
        let unknown =
            || if request.method == Method::GET { format!("Get {path}") } else { format!("{} {path}", request.method) };
        (Self { service: service.to_owned(), name: name.unwrap_or_else(unknown) }, protocol)
    }

    /// Returns whether the operation may change something.
    pub(crate) fn mutates(&self) -> bool {
        !READING.iter().any(|beginning| self.name.starts_with(beginning))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.service, self.name)
    }
}

impl PartialEq<&str> for Operation {
    fn eq(&self, other: &&str) -> bool {
        other.split_once('.') == Some((&self.service, &self.name))
    }
}

/// Returns the service in the signature: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed_for(request: &Parts) -> &str {
    header(request, "authorization")
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, scope)| scope.split('/').nth(3))
        .unwrap_or("unsigned")
}

fn header<'request>(request: &'request Parts, name: &str) -> Option<&'request str> {
    request.headers.get(name).and_then(|value| value.to_str().ok())
}

/// Returns a parameter of a form; names of actions need no decoding.
fn parameter(form: &str, name: &str) -> Option<String> {
    form.split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// Sub-resources of a bucket, and the operation's name after `Get`, `Put` or `Delete`.
const BUCKET: &[(&str, &str)] = &[
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "BucketAcl"),
    ("analytics", "BucketAnalyticsConfiguration"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("intelligent-tiering", "BucketIntelligentTieringConfiguration"),
    ("inventory", "BucketInventoryConfiguration"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("metrics", "BucketMetricsConfiguration"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("policyStatus", "BucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Returns S3's operation, by method, presence of a key, and sub-resource in the query.
fn s3(request: &Parts) -> Option<String> {
    let (bucket, key) = request.uri.path().trim_start_matches('/').split_once('/').unwrap_or((request.uri.path(), ""));
    let query = request.uri.query().unwrap_or_default();
    let asked: Vec<&str> = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name)).collect();
    let method = request.method.as_str();
    let known = match (method, key.is_empty()) {
        ("GET", true) if bucket.trim_matches('/').is_empty() => "ListBuckets",
        (_, true) => {
            if let Some((_, thing)) = BUCKET.iter().find(|(name, _)| asked.contains(name)) {
                return verb(method).map(|verb| {
                    format!("{verb}{thing}").replace("DeleteBucketLifecycleConfiguration", "DeleteBucketLifecycle")
                });
            }
            match method {
                "GET" if asked.contains(&"versions") => "ListObjectVersions",
                "GET" if asked.contains(&"uploads") => "ListMultipartUploads",
                "GET" if asked.contains(&"list-type") => "ListObjectsV2",
                "GET" => "ListObjects",
                "HEAD" => "HeadBucket",
                "PUT" => "CreateBucket",
                "DELETE" => "DeleteBucket",
                "POST" if asked.contains(&"delete") => "DeleteObjects",
                _ => return None,
            }
        }
        (_, false) if asked.contains(&"tagging") => return verb(method).map(|verb| format!("{verb}ObjectTagging")),
        ("GET", false) if asked.contains(&"uploadId") => "ListParts",
        ("PUT", false) if asked.contains(&"partNumber") => "UploadPart",
        ("POST", false) if asked.contains(&"uploads") => "CreateMultipartUpload",
        ("POST", false) => "CompleteMultipartUpload",
        ("DELETE", false) if asked.contains(&"uploadId") => "AbortMultipartUpload",
        ("PUT", false) if header(request, "x-amz-copy-source").is_some() => "CopyObject",
        ("HEAD", false) => "HeadObject",
        (_, false) => return verb(method).map(|verb| format!("{verb}Object")),
    };
    Some(known.to_owned())
}

fn verb(method: &str) -> Option<&'static str> {
    [("GET", "Get"), ("PUT", "Put"), ("DELETE", "Delete")]
        .into_iter()
        .find(|(name, _)| *name == method)
        .map(|(_, verb)| verb)
}

/// Operations of Lambda, API Gateway, MSK and version 2 of SES: method, path after the version (`*` is one segment), name.
const LAMBDA: &[(&str, &str, &str)] = &[
    ("GET", "account-settings", "GetAccountSettings"),
    ("POST", "functions", "CreateFunction"),
    ("GET", "functions", "ListFunctions"),
    ("GET", "functions/*", "GetFunction"),
    ("DELETE", "functions/*", "DeleteFunction"),
    ("PUT", "functions/*/code", "UpdateFunctionCode"),
    ("GET", "functions/*/configuration", "GetFunctionConfiguration"),
    ("PUT", "functions/*/configuration", "UpdateFunctionConfiguration"),
    ("GET", "functions/*/concurrency", "GetFunctionConcurrency"),
    ("PUT", "functions/*/concurrency", "PutFunctionConcurrency"),
    ("DELETE", "functions/*/concurrency", "DeleteFunctionConcurrency"),
    ("GET", "functions/*/event-invoke-config", "GetFunctionEventInvokeConfig"),
    ("PUT", "functions/*/event-invoke-config", "PutFunctionEventInvokeConfig"),
    ("POST", "functions/*/event-invoke-config", "UpdateFunctionEventInvokeConfig"),
    ("DELETE", "functions/*/event-invoke-config", "DeleteFunctionEventInvokeConfig"),
    ("GET", "functions/*/event-invoke-config/list", "ListFunctionEventInvokeConfigs"),
    ("POST", "functions/*/invocations", "Invoke"),
    ("GET", "functions/*/policy", "GetPolicy"),
    ("POST", "functions/*/policy", "AddPermission"),
    ("DELETE", "functions/*/policy/*", "RemovePermission"),
    ("GET", "functions/*/versions", "ListVersionsByFunction"),
    ("GET", "functions/*/aliases", "ListAliases"),
    ("POST", "functions/*/aliases", "CreateAlias"),
    ("GET", "functions/*/urls", "ListFunctionUrlConfigs"),
    ("POST", "functions/*/url", "CreateFunctionUrlConfig"),
    ("DELETE", "functions/*/url", "DeleteFunctionUrlConfig"),
    ("GET", "event-source-mappings", "ListEventSourceMappings"),
    ("POST", "event-source-mappings", "CreateEventSourceMapping"),
    ("GET", "event-source-mappings/*", "GetEventSourceMapping"),
    ("PUT", "event-source-mappings/*", "UpdateEventSourceMapping"),
    ("DELETE", "event-source-mappings/*", "DeleteEventSourceMapping"),
    ("GET", "apis", "GetApis"),
    ("POST", "apis", "CreateApi"),
    ("PATCH", "apis/*", "UpdateApi"),
    ("DELETE", "apis/*", "DeleteApi"),
    ("DELETE", "apis/*/cors", "DeleteCorsConfiguration"),
    ("GET", "apis/*/routes", "GetRoutes"),
    ("POST", "apis/*/routes", "CreateRoute"),
    ("PATCH", "apis/*/routes/*", "UpdateRoute"),
    ("DELETE", "apis/*/routes/*", "DeleteRoute"),
    ("GET", "apis/*/integrations", "GetIntegrations"),
    ("POST", "apis/*/integrations", "CreateIntegration"),
    ("PATCH", "apis/*/integrations/*", "UpdateIntegration"),
    ("DELETE", "apis/*/integrations/*", "DeleteIntegration"),
    ("GET", "apis/*/stages", "GetStages"),
    ("POST", "apis/*/stages", "CreateStage"),
    ("PATCH", "apis/*/stages/*", "UpdateStage"),
    ("DELETE", "apis/*/stages/*", "DeleteStage"),
    ("DELETE", "apis/*/stages/*/accesslogsettings", "DeleteAccessLogSettings"),
    ("DELETE", "apis/*/stages/*/routesettings/*", "DeleteRouteSettings"),
    ("GET", "apis/*/authorizers", "GetAuthorizers"),
    ("POST", "v2/clusters", "CreateClusterV2"),
    ("GET", "v2/clusters", "ListClustersV2"),
    ("GET", "v2/clusters/*", "DescribeClusterV2"),
    ("DELETE", "clusters/*", "DeleteCluster"),
    ("GET", "clusters/*/bootstrap-brokers", "GetBootstrapBrokers"),
    ("GET", "clusters/*/policy", "GetClusterPolicy"),
    ("DELETE", "clusters/*/policy", "DeleteClusterPolicy"),
    ("POST", "clusters/*/topics", "CreateTopic"),
    ("GET", "clusters/*/topics/*", "DescribeTopic"),
    ("PUT", "clusters/*/topics/*", "UpdateTopic"),
    ("PATCH", "clusters/*/security", "UpdateSecurity"),
    ("PUT", "clusters/*/connectivity", "UpdateConnectivity"),
    ("PUT", "clusters/*/nodes/storage", "UpdateBrokerStorage"),
    ("PUT", "clusters/*/nodes/count", "UpdateBrokerCount"),
    ("PUT", "clusters/*/nodes/type", "UpdateBrokerType"),
    ("PUT", "clusters/*/version", "UpdateClusterKafkaVersion"),
    ("PUT", "clusters/*/monitoring", "UpdateMonitoring"),
    ("POST", "email/configuration-sets", "CreateConfigurationSet"),
    ("GET", "email/configuration-sets/*", "GetConfigurationSet"),
    ("DELETE", "email/configuration-sets/*", "DeleteConfigurationSet"),
    ("GET", "email/configuration-sets/*/event-destinations", "GetConfigurationSetEventDestinations"),
    ("POST", "email/configuration-sets/*/event-destinations", "CreateConfigurationSetEventDestination"),
    ("PUT", "email/configuration-sets/*/event-destinations/*", "UpdateConfigurationSetEventDestination"),
    ("DELETE", "email/configuration-sets/*/event-destinations/*", "DeleteConfigurationSetEventDestination"),
    ("PUT", "email/configuration-sets/*/sending", "PutConfigurationSetSendingOptions"),
    ("PUT", "email/configuration-sets/*/reputation-options", "PutConfigurationSetReputationOptions"),
    ("PUT", "email/configuration-sets/*/delivery-options", "PutConfigurationSetDeliveryOptions"),
    ("PUT", "email/configuration-sets/*/suppression-options", "PutConfigurationSetSuppressionOptions"),
    ("PUT", "email/configuration-sets/*/tracking-options", "PutConfigurationSetTrackingOptions"),
    ("POST", "email/tags", "TagResource"),
    ("DELETE", "email/tags", "UntagResource"),
    ("GET", "tags/*", "ListTags"),
    ("POST", "tags/*", "TagResource"),
    ("DELETE", "tags/*", "UntagResource"),
];

fn lambda(method: &Method, path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).skip(1).collect();
    let fits = |pattern: &str| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        wanted.len() == segments.len()
            && wanted.iter().zip(&segments).all(|(wanted, is)| *wanted == "*" || wanted == is)
    };
    let known = LAMBDA.iter().find(|(of, pattern, _)| method.as_str() == *of && fits(pattern));
    known.map(|(_, _, name)| (*name).to_owned())
}
