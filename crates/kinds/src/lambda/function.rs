//! Lambda functions: code, configuration, concurrency and tags, each of which has calls of its own.
//!
//! Lambda answers a change before it has applied it, and refuses a second change until then. So each change of code or configuration waits
//! until the function's `State` and `LastUpdateStatus` are final; a change that Lambda reports as failed is an error with Lambda's reason.

pub(crate) mod children;
mod settings;
mod waits;
mod wire;

use std::time::Duration;

use contract::context::{Context, MailPlace, VARIABLE};

use crate::{
    Condition, Kind, Manage, Session, ec2,
    identity::{Identity, LOG_GROUPS, LONGEST_FUNCTION, Output},
    own_tags, places,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{ArnForm, OrFail};
use engine::{
    Address, Children, Class, Failure, Field, Holds, Live, Owned, Owner, Protection, Slow, Tags, coupled, depends,
    immutable, plain, severe, stays,
};
use waits::{gone, leave_network, settle};

pub use settings::{Logging, Settings, Vpc};

/// The kind of Lambda's functions.
#[derive(Debug)]
pub struct Function;

/// Returns a function's context, as JSON, with the mail places of its earlier context added behind its own; `None` if it has all of
/// them already, or one of the two is not a context.
fn with_earlier_mail_places(context: &str, earlier: &str) -> Option<String> {
    let (mut context, earlier): (Context, Context) =
        (serde_json::from_str(context).ok()?, serde_json::from_str(earlier).ok()?);
    let is_known =
        |place: &MailPlace| context.mail.iter().any(|one| (&one.bucket, &one.prefix) == (&place.bucket, &place.prefix));
    let further: Vec<MailPlace> = earlier.mail.into_iter().filter(|place| !is_known(place)).collect();
    if further.is_empty() {
        return None;
    }
    context.mail.extend(further);
    serde_json::to_string(&context).ok()
}

/// Replaces the placeholders in desired settings by what AWS has chosen: brokers of clusters, hosts of databases and caches, ids of subnets
/// and security groups. The result is for calls; settings are compared with their placeholders.
async fn resolve_placeholders(session: &Session, desired: &Settings) -> Result<Settings, Failure> {
    let mut settings = desired.clone();
    if let Some(context) = settings.environment.get_mut(VARIABLE) {
        *context = places::with(session, context).await?;
    }
    settings.vpc.subnets = ec2::with_set(session, &settings.vpc.subnets).await?;
    settings.vpc.security_groups = ec2::with_set(session, &settings.vpc.security_groups).await?;
    Ok(settings)
}

/// Duration of a change that moves a function into a VPC: Lambda creates network interfaces first, and refuses other changes meanwhile.
const IN_NETWORK: Slow = Slow { seconds: 120, why: "Lambda makes its network interfaces in the VPC" };

/// Fields that Lambda changes together.
const NETWORK_FIELDS: &[&str] = &["vpc.subnets", "vpc.security_groups"];

/// Returns the names and ARNs of all functions whose names begin like this stack's or that have its tag. Lambda's list has neither tags nor
/// a filter, so that [`owned`] reads the tags of each.
pub(super) async fn named(session: &Session) -> Result<Vec<(String, String)>, Failure> {
    let mut pages = session.aws.read.lambda.list_functions().into_paginator().send();
    let mut named = Vec::new();
    while let Some(page) = pages.next().await {
        let functions = page.or_fail("lambda.ListFunctions")?.functions.unwrap_or_default();
        named.extend(functions.into_iter().filter_map(|one| one.function_name.zip(one.function_arn)));
    }
    named.retain(|(name, _)| IDENTITY.is_given_by(&session.stack, name));
    let others = session.named_otherwise(Kind::Function)?.into_iter();
    named.extend(others.map(|name| (name.clone(), arn(session, &name))));
    Ok(named)
}

/// Returns a listed function, if it is this stack's.
pub(super) async fn owned(session: &Session, name: &str, arn: &str) -> Result<Option<Owned>, Failure> {
    let answer = session.aws.read.lambda.list_tags().resource(arn).send().await.or_absent("lambda.ListTags");
    let tags = answer.map(|answer| answer.map(|answer| own_tags(answer.tags.unwrap_or_default())));
    session.owned(Kind::Function, name, tags)
}

/// Returns the ARN of a function.
fn arn(session: &Session, name: &str) -> String {
    IDENTITY.arn_of(&session.aws.realm, &session.stack, name)
}

async fn write_concurrency(session: &Session, name: &str, desired: Option<u32>) -> Result<(), Failure> {
    let lambda = &session.aws.write.lambda;
    if let Some(count) = desired {
        let call = lambda.put_function_concurrency().function_name(name);
        let call = call.reserved_concurrent_executions(crate::number::wire(count));
        return call.send().await.or_fail("lambda.PutFunctionConcurrency").map(drop);
    }
    let call = lambda.delete_function_concurrency().function_name(name);
    call.send().await.or_fail("lambda.DeleteFunctionConcurrency").map(drop)
}

async fn write_tags(session: &Session, name: &str, desired: &Tags, live: &Tags) -> Result<(), Failure> {
    let lambda = &session.aws.write.lambda;
    let surplus = surplus_tags(desired, live);
    if !surplus.is_empty() {
        let call = lambda.untag_resource().resource(arn(session, name)).set_tag_keys(Some(surplus));
        call.send().await.or_fail("lambda.UntagResource")?;
    }
    if desired.iter().any(|(key, value)| live.get(key) != Some(value)) {
        let call = lambda.tag_resource().resource(arn(session, name));
        let call = call.set_tags(Some(desired.clone().into_iter().collect()));
        call.send().await.or_fail("lambda.TagResource")?;
    }
    Ok(())
}

/// Records in tags which revision new code was built from. They are for people; nothing is compared with them.
async fn write_origin(session: &Session, name: &str, code_sha256: &str) -> Result<(), Failure> {
    let origin = session.origin(code_sha256);
    if origin.is_empty() {
        return Ok(());
    }
    let call = session.aws.write.lambda.tag_resource().resource(arn(session, name));
    let call = call.set_tags(Some(origin.into_iter().collect()));
    call.send().await.or_fail("lambda.TagResource").map(drop)
}

/// Returns the name of a function's log group by the function's name.
pub fn log_group_of(function: &str) -> String {
    format!("{LOG_GROUPS}{function}")
}

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    section: Some("functions"),
    arn: Some(ArnForm("lambda:{region}:{account}:function:{name}")),
    output: Output::Arn,
    ..Identity::implied("function", "Functions", LONGEST_FUNCTION)
};

impl Manage for Function {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] = &[
        plain("role"),
        plain("handler"),
        plain("runtime"),
        plain("architecture"),
        plain("description"),
        plain("memory"),
        plain("timeout"),
        plain("ephemeral_storage"),
        plain("environment.*"),
        plain("kms_key"),
        plain("code_sha256"),
        plain("layers").shared(&[]),
        coupled("vpc.subnets", NETWORK_FIELDS),
        coupled("vpc.security_groups", NETWORK_FIELDS),
        plain("tracing"),
        plain("logging.format"),
        plain("logging.log_group"),
        plain("reserved_concurrency"),
        immutable("package", "Lambda cannot turn a function of one package type into another"),
        plain("failure"),
        plain("tags.*"),
        depends("urls.*", "a URL of the function; whoever calls it needs a permission").used(),
        depends("permissions.*", "somebody in this account may invoke the function").used(),
        severe("mappings.*", "an event source feeds the function").used(),
        severe("dead_letter", "a queue or topic gets the events that the function failed at"),
        stays("file_systems.*", "the function mounts a file system"),
        stays("aliases.*", "an alias of the function").used(),
        stays("versions", "published versions of the function"),
    ];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[
        Kind::Role,
        Kind::LogGroup,
        Kind::Bucket,
        Kind::Queue,
        Kind::Cluster,
        Kind::Database,
        Kind::Cache,
        Kind::Subnet,
        Kind::SecurityGroup,
        Kind::RouteTable,
        Kind::Endpoint,
    ];

    const RIGHTS: &'static [Right] = &[
        // Patterns, since IAM limits the size of a policy, and Lambda has one action for each thing that is read.
        reads(Target::Own(Kind::Function), &["lambda:Get*", "lambda:List*"]),
        // Tags of functions of others are read, too, whose names are those of the stack.
        reads(Target::Everything, &["lambda:ListEventSourceMappings", "lambda:ListFunctions", "lambda:ListTags"]),
        writes(
            Target::Own(Kind::Function),
            &[
                "lambda:CreateFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:DeleteFunctionUrlConfig",
                "lambda:PutFunctionConcurrency",
                "lambda:RemovePermission",
                "lambda:TagResource",
                "lambda:UntagResource",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
            ],
        ),
        writes(Target::Mappings, &["lambda:DeleteEventSourceMapping"]),
        writes(Target::Passed(Kind::Role), &["iam:PassRole"]),
        // Lambda fetches the code with the permissions of the caller.
        writes(Target::Artifacts, &["s3:GetObject", "s3:PutObject"]),
        deletes(Target::Own(Kind::Function), &["lambda:DeleteFunction"]),
    ];

    fn slow(live: Option<&Settings>, desired: &Settings) -> Option<Slow> {
        let is_moved = !desired.vpc.subnets.is_empty() && live.is_none_or(|live| live.vpc != desired.vpc);
        is_moved.then_some(IN_NETWORK)
    }

    fn condition(live: &Settings) -> Condition {
        live.failure.clone().map_or(Condition::Well, Condition::Failed)
    }

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{map, tags, text, texts};
        Settings {
            role: text(),
            handler: text(),
            runtime: text(),
            architecture: text(),
            description: text(),
            memory: 128,
            timeout: 3,
            ephemeral_storage: 512,
            environment: map(),
            kms_key: Some(text()),
            code_sha256: text(),
            layers: vec![text()],
            vpc: Vpc { subnets: texts(), security_groups: texts() },
            tracing: text(),
            logging: Logging { format: text(), log_group: text() },
            reserved_concurrency: Some(1),
            package: text(),
            failure: Some(text()),
            tags: tags(),
            children: Children::one_in_each(Self::FIELDS),
        }
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        const CALL: &str = "lambda.GetFunction";
        let function = async {
            let call = session.aws.read.lambda.get_function().function_name(&address.name);
            call.send().await.or_absent(CALL)
        };
        let (answer, children) = tokio::try_join!(function, children::read(session, &address.name))?;
        let Some(answer) = answer else { return Ok(None) };
        // Without its tags, our own function would look like somebody else's.
        if let Some(error) = answer.tags_error {
            return Err(Failure::found(
                CALL,
                Class::Denied,
                format!("its tags: {} {}", error.error_code, error.message),
            ));
        }
        let missing = || Failure::found(CALL, Class::Other, "AWS's answer has no configuration");
        let mut settings = Settings {
            reserved_concurrency: wire::concurrency(answer.concurrency),
            tags: own_tags(answer.tags.unwrap_or_default()),
            ..wire::settings(&address.name, answer.configuration.ok_or_else(missing)?)?
        };
        settings.children.extend(children);
        if let Some(context) = settings.environment.get_mut(VARIABLE) {
            *context = places::without(session, context).await?;
        }
        settings.vpc.subnets = ec2::without_ids(session, &settings.vpc.subnets).await?;
        settings.vpc.security_groups = ec2::without_ids(session, &settings.vpc.security_groups).await?;
        // Functions are created with their tags, so that an untagged one is somebody else's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    const INTERRUPTION: Option<Duration> = Some(Duration::from_secs(30));

    /// Leaves the mail places of the live context in the desired one: until the receipt rules are changed, they store mails there.
    fn interim(desired: &Settings, live: &Settings) -> Settings {
        let mut interim = desired.clone();
        let earlier = live.environment.get(VARIABLE).map(String::as_str);
        if let (Some(context), Some(earlier)) = (interim.environment.get_mut(VARIABLE), earlier)
            && let Some(context_of_both) = with_earlier_mail_places(context, earlier)
        {
            *context = context_of_both;
        }
        interim
    }

    fn keep_protections(desired: &mut Settings, live: &Settings) -> Vec<Protection> {
        crate::keep_key("kms_key", &mut desired.kms_key, live.kms_key.as_ref()).into_iter().collect()
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    fn children(settings: &mut Settings) -> Option<&mut Children> {
        Some(&mut settings.children)
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        wire::create(session, &address.name, &resolve_placeholders(session, desired).await?).await?;
        settle(session, &address.name).await?;
        match desired.reserved_concurrency {
            Some(_) => write_concurrency(session, &address.name, desired.reserved_concurrency).await,
            None => Ok(()),
        }
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let name = &address.name;
        children::remove(session, name, desired, live).await?;
        // The configuration is changed before the code: new code may need new variables, and old code ignores them. What is removed with the code
        // that used it is missing to the old code for some seconds.
        if desired.configuration() != live.configuration() {
            wire::update_configuration(session, name, &resolve_placeholders(session, desired).await?).await?;
            settle(session, name).await?;
        }
        if (&desired.code_sha256, &desired.architecture) != (&live.code_sha256, &live.architecture) {
            wire::update_code(session, name, desired).await?;
            settle(session, name).await?;
            write_origin(session, name, &desired.code_sha256).await?;
        }
        if desired.reserved_concurrency != live.reserved_concurrency {
            write_concurrency(session, name, desired.reserved_concurrency).await?;
        }
        write_tags(session, name, &desired.tags, &live.tags).await
    }

    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        leave_network(session, &address.name).await?;
        let call = session.aws.write.lambda.delete_function().function_name(&address.name);
        call.send().await.or_absent("lambda.DeleteFunction")?;
        gone(session, &address.name).await
    }

    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let named = named(session).await?;
        let owned = named.iter().map(|(name, arn)| owned(session, name, arn));
        Ok(futures::future::try_join_all(owned).await?.into_iter().flatten().collect())
    }
}
