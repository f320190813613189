//! Conversion of a function's settings from Lambda's answers and into its calls.

use std::collections::HashMap;

use aws_sdk_lambda::{
    primitives::Blob,
    types::{
        Architecture, Concurrency, Environment, EphemeralStorage, FunctionCode, FunctionConfiguration,
        LastUpdateStatus, LogFormat, LoggingConfig, PackageType, Runtime, State, TracingConfig, TracingMode, VpcConfig,
    },
};

use super::{
    Logging, Settings, Vpc,
    children::{DEAD_LETTER, FILE_SYSTEMS},
};
use crate::{
    Code, Session,
    number::{natural, wire},
    s3::artifacts,
};
use aws::OrFail;
use engine::{Children, Class, Failure};

/// The progress of a function's last change.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) state: Option<State>,
    pub(super) state_reason: Option<String>,
    pub(super) update: Option<LastUpdateStatus>,
    pub(super) update_reason: Option<String>,
}

impl Progress {
    /// Returns the reason of its failure; `None` if it did not fail.
    pub(super) fn failure(&self) -> Option<String> {
        let reason = match (&self.state, &self.update) {
            (Some(State::Failed), _) => &self.state_reason,
            (_, Some(LastUpdateStatus::Failed)) => &self.update_reason,
            _ => return None,
        };
        Some(reason.clone().unwrap_or_else(|| "AWS gives no reason".to_owned()))
    }

    /// Returns whether the change is still in progress. A function that was idle for long is
    /// `Inactive`, and ready.
    pub(super) fn is_going_on(&self) -> bool {
        self.state == Some(State::Pending) || self.update == Some(LastUpdateStatus::InProgress)
    }
}

pub(super) fn concurrency(live: Option<Concurrency>) -> Option<u32> {
    live.and_then(|live| live.reserved_concurrent_executions).map(natural)
}

/// Returns the settings of an answer, without concurrency and tags, which are separate.
pub(super) fn settings(name: &str, live: FunctionConfiguration) -> Result<Settings, Failure> {
    let environment = live.environment;
    if let Some(error) = environment.as_ref().and_then(|environment| environment.error.as_ref()) {
        let message = format!("its environment: {}", error.message().or(error.error_code()).unwrap_or_default());
        return Err(Failure::found("lambda.GetFunction", Class::Denied, message));
    }
    let progress = Progress {
        state: live.state,
        state_reason: live.state_reason,
        update: live.last_update_status,
        update_reason: live.last_update_status_reason,
    };
    let new = Settings::new(name, live.role.unwrap_or_default(), live.code_sha256.unwrap_or_default());
    let vpc = live.vpc_config.map(|vpc| Vpc {
        subnets: vpc.subnet_ids.unwrap_or_default().into_iter().collect(),
        security_groups: vpc.security_group_ids.unwrap_or_default().into_iter().collect(),
    });
    let architecture = live.architectures.and_then(|all| all.into_iter().next());
    let logging = live.logging_config.map(|logging| Logging {
        format: logging.log_format.map_or(new.logging.format.clone(), |format| format.as_str().to_owned()),
        log_group: logging.log_group.filter(|group| !group.is_empty()).unwrap_or(new.logging.log_group.clone()),
    });
    let mut children = Children::default();
    let dead_letter = live.dead_letter_config.and_then(|one| one.target_arn).filter(|arn| !arn.is_empty());
    children.add_only(DEAD_LETTER, dead_letter, true);
    for one in live.file_system_configs.unwrap_or_default() {
        children.add(FILE_SYSTEMS, one.local_mount_path, one.arn, false);
    }
    Ok(Settings {
        handler: live.handler.unwrap_or_default(),
        runtime: live.runtime.map(|runtime| runtime.as_str().to_owned()).unwrap_or_default(),
        architecture: architecture.map_or(new.architecture, |one| one.as_str().to_owned()),
        description: live.description.unwrap_or_default(),
        memory: live.memory_size.map_or(new.memory, natural),
        timeout: live.timeout.map_or(new.timeout, natural),
        ephemeral_storage: live.ephemeral_storage.map_or(new.ephemeral_storage, |storage| natural(storage.size)),
        environment: environment.and_then(|one| one.variables).unwrap_or_default().into_iter().collect(),
        kms_key: live.kms_key_arn.filter(|key| !key.is_empty()),
        layers: live.layers.unwrap_or_default().into_iter().filter_map(|layer| layer.arn).collect(),
        vpc: vpc.unwrap_or_default(),
        tracing: live.tracing_config.and_then(|one| one.mode).map_or(new.tracing, |mode| mode.as_str().to_owned()),
        logging: logging.unwrap_or(new.logging),
        package: live.package_type.map_or(new.package, |package| package.as_str().to_owned()),
        failure: progress.failure(),
        children,
        ..new
    })
}

/// Returns the zip of the settings; one that goes through a bucket is uploaded first.
async fn code<'a>(session: &'a Session, call: &str, settings: &Settings) -> Result<&'a Code, Failure> {
    let missing = || format!("there is no zip with the SHA-256 `{}`; build it first", settings.code_sha256);
    let code = session.code.get(&settings.code_sha256);
    let code = code.ok_or_else(|| Failure::found(call, Class::Invalid, missing()))?;
    if let Code::Object { bucket, key, zip } = code {
        artifacts::put(session, bucket, key, zip).await?;
    }
    Ok(code)
}

fn environment(settings: &Settings) -> Environment {
    let variables: HashMap<_, _> = settings.environment.clone().into_iter().collect();
    Environment::builder().set_variables(Some(variables)).build()
}

fn vpc(settings: &Settings) -> VpcConfig {
    // Empty lists remove a function from its network; missing ones would keep it there.
    VpcConfig::builder()
        .set_subnet_ids(Some(settings.vpc.subnets.iter().cloned().collect()))
        .set_security_group_ids(Some(settings.vpc.security_groups.iter().cloned().collect()))
        .build()
}

fn storage(call: &str, settings: &Settings) -> Result<EphemeralStorage, Failure> {
    let storage = EphemeralStorage::builder().size(wire(settings.ephemeral_storage)).build();
    storage.map_err(|error| Failure::found(call, Class::Invalid, error.to_string()))
}

fn tracing(settings: &Settings) -> TracingConfig {
    TracingConfig::builder().mode(TracingMode::from(settings.tracing.as_str())).build()
}

fn logging(settings: &Settings) -> LoggingConfig {
    let format = LogFormat::from(settings.logging.format.as_str());
    LoggingConfig::builder().log_format(format).log_group(&settings.logging.log_group).build()
}

pub(super) async fn create(session: &Session, name: &str, desired: &Settings) -> Result<(), Failure> {
    const CALL: &str = "lambda.CreateFunction";
    let package = match code(session, CALL, desired).await? {
        Code::Zip(zip) => FunctionCode::builder().zip_file(Blob::new(zip.to_vec())),
        Code::Object { bucket, key, .. } => FunctionCode::builder().s3_bucket(bucket).s3_key(key),
    };
    let call = session.aws.write.lambda.create_function().function_name(name).role(&desired.role).code(package.build());
    let call = call.handler(&desired.handler).runtime(Runtime::from(desired.runtime.as_str()));
    let call = call.architectures(Architecture::from(desired.architecture.as_str()));
    let call = call.package_type(PackageType::from(desired.package.as_str())).description(&desired.description);
    let call = call.memory_size(wire(desired.memory)).timeout(wire(desired.timeout));
    let call = call.ephemeral_storage(storage(CALL, desired)?).environment(environment(desired));
    let call = call.set_layers(Some(desired.layers.clone())).vpc_config(vpc(desired));
    let call = call.tracing_config(tracing(desired)).logging_config(logging(desired));
    let call = call.set_kms_key_arn(desired.kms_key.clone());
    let origin = session.origin(&desired.code_sha256);
    let call = call.set_tags(Some(desired.tags.clone().into_iter().chain(origin).collect()));
    call.send().await.or_fail(CALL).map(drop)
}

pub(super) async fn update_configuration(session: &Session, name: &str, desired: &Settings) -> Result<(), Failure> {
    const CALL: &str = "lambda.UpdateFunctionConfiguration";
    let call = session.aws.write.lambda.update_function_configuration().function_name(name).role(&desired.role);
    let call = call.handler(&desired.handler).runtime(Runtime::from(desired.runtime.as_str()));
    let call = call.description(&desired.description).set_kms_key_arn(desired.kms_key.clone());
    let call = call.memory_size(wire(desired.memory)).timeout(wire(desired.timeout));
    let call = call.ephemeral_storage(storage(CALL, desired)?).environment(environment(desired));
    let call = call.set_layers(Some(desired.layers.clone())).vpc_config(vpc(desired));
    let call = call.tracing_config(tracing(desired)).logging_config(logging(desired));
    call.send().await.or_fail(CALL).map(drop)
}

/// Removes a function from its network, and changes nothing else.
pub(super) async fn leave_network(session: &Session, name: &str) -> Result<(), Failure> {
    let none = VpcConfig::builder().set_subnet_ids(Some(Vec::new())).set_security_group_ids(Some(Vec::new())).build();
    let call = session.aws.write.lambda.update_function_configuration().function_name(name).vpc_config(none);
    call.send().await.or_fail("lambda.UpdateFunctionConfiguration").map(drop)
}

pub(super) async fn update_code(session: &Session, name: &str, desired: &Settings) -> Result<(), Failure> {
    const CALL: &str = "lambda.UpdateFunctionCode";
    let call = session.aws.write.lambda.update_function_code().function_name(name);
    let call = call.architectures(Architecture::from(desired.architecture.as_str()));
    let call = match code(session, CALL, desired).await? {
        Code::Zip(zip) => call.zip_file(Blob::new(zip.to_vec())),
        Code::Object { bucket, key, .. } => call.s3_bucket(bucket).s3_key(key),
    };
    call.send().await.or_fail(CALL).map(drop)
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::{
        EnvironmentError, EnvironmentResponse, Layer, SnapStartResponse, TracingConfigResponse, VpcConfigResponse,
        builders::FunctionConfigurationBuilder,
    };

    use super::*;

    const NAME: &str = "mail-maintenance";
    const ROLE: &str = "arn:aws:iam::123456789012:role/provision/mail/mail-maintenance";

    fn recorded() -> FunctionConfigurationBuilder {
        // Lambda's answer for a function that was created with code, role, handler and runtime only.
        FunctionConfiguration::builder()
            .function_name(NAME)
            .function_arn("arn:aws:lambda:eu-west-1:123456789012:function:mail-maintenance")
            .runtime(Runtime::from("provided.al2023"))
            .role(ROLE)
            .handler("bootstrap")
            .code_size(1_000)
            .description("")
            .timeout(3)
            .memory_size(128)
            .last_modified("2026-01-01T00:00:00.000+0000")
            .code_sha256("abc=")
            .version("$LATEST")
            .tracing_config(TracingConfigResponse::builder().mode(TracingMode::PassThrough).build())
            .revision_id("1b2c")
            .state(State::Active)
            .last_update_status(LastUpdateStatus::Successful)
            .package_type(PackageType::Zip)
            .architectures(Architecture::X8664)
            .ephemeral_storage(EphemeralStorage::builder().size(512).build().unwrap())
            .snap_start(SnapStartResponse::builder().build())
            .logging_config(
                LoggingConfig::builder().log_format(LogFormat::Text).log_group("/aws/lambda/mail-maintenance").build(),
            )
    }

    fn read(live: FunctionConfigurationBuilder) -> Settings {
        settings(NAME, live.build()).unwrap()
    }

    fn desired() -> Settings {
        Settings::new(NAME, ROLE, "abc=")
    }

    #[test]
    fn defaults_of_aws_are_the_defaults() {
        assert_eq!(read(recorded()), desired());
        // A missing value, an empty structure and one that is still in progress are equal.
        let husks = recorded()
            .vpc_config(VpcConfigResponse::builder().vpc_id("").set_subnet_ids(Some(Vec::new())).build())
            .environment(EnvironmentResponse::builder().build())
            .set_layers(Some(Vec::new()))
            .set_logging_config(None)
            .set_ephemeral_storage(None)
            .set_architectures(None)
            .set_tracing_config(None)
            .set_package_type(None)
            .state(State::Inactive)
            .last_update_status(LastUpdateStatus::InProgress);
        assert_eq!(read(husks), desired());
    }

    #[test]
    fn one_real_change_is_seen() {
        let variables = HashMap::from([("SINK".to_owned(), "lines".to_owned())]);
        for changed in [
            recorded().memory_size(256),
            recorded().description("by hand"),
            recorded().architectures(Architecture::Arm64).set_architectures(Some(vec![Architecture::Arm64])),
            recorded().layers(Layer::builder().arn("arn:aws:lambda:eu-west-1:123456789012:layer:a:1").build()),
            recorded().vpc_config(VpcConfigResponse::builder().subnet_ids("subnet-1").build()),
            recorded().environment(EnvironmentResponse::builder().set_variables(Some(variables)).build()),
            recorded().tracing_config(TracingConfigResponse::builder().mode(TracingMode::Active).build()),
            recorded().logging_config(LoggingConfig::builder().log_format(LogFormat::Json).build()),
            recorded().logging_config(LoggingConfig::builder().log_group("/other").build()),
            recorded().package_type(PackageType::Image),
            recorded().code_sha256("def="),
            recorded().kms_key_arn("arn:aws:kms:eu-west-1:123456789012:key/1b2c"),
        ] {
            assert_ne!(read(changed), desired());
        }
    }

    #[test]
    fn a_change_that_failed_afterwards_is_seen_with_its_reason() {
        let reason = "The subnet has no address left";
        let update = recorded().last_update_status(LastUpdateStatus::Failed).last_update_status_reason(reason);
        let state = recorded().state(State::Failed).state_reason(reason);
        for live in [update, state] {
            assert_eq!(read(live), Settings { failure: Some(reason.to_owned()), ..desired() });
        }
    }

    #[test]
    fn an_environment_that_cannot_be_read_is_not_an_empty_one() {
        let error = EnvironmentError::builder().error_code("AccessDeniedException").message("kms:Decrypt").build();
        let live = recorded().environment(EnvironmentResponse::builder().error(error).build());
        assert!(settings(NAME, live.build()).is_err_and(|failure| failure.class == Class::Denied));
    }

    #[test]
    fn only_an_edit_of_the_configuration_is_one() {
        let other = Settings { code_sha256: "def=".to_owned(), reserved_concurrency: Some(1), ..desired() };
        assert_eq!(other.configuration(), desired().configuration());
        assert_ne!(Settings { memory: 256, ..desired() }.configuration(), desired().configuration());
    }
}
