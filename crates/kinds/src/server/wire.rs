//! A server in EC2's calls and answers.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::Settings;
use crate::{Input, ec2::tags_of};
use aws::query::{Call, Element};
use engine::{Children, Class, Failure};

/// Name under which a disk for data is attached. The machine shows it under another one, and by the disk's id.
pub const DEVICE: &str = "/dev/sdf";
/// Name of a machine's own disk, as images of Amazon Linux have it.
const OWN_DISK: &str = "/dev/xvda";
/// Steps that an answer of the metadata may go: a container on the machine is one further.
const HOPS: &str = "2";

/// Beginning of the lines of a script that say what it prepares: comments, as `# provision prepares mount: /data`. Each script has one at
/// least.
pub const PREPARES: &str = "# provision prepares ";

/// Returns what a script says that it prepares. Of one that says nothing, which is somebody else's, the SHA-256 tells it from others.
///
/// ```
/// use kinds::server::prepared;
///
/// let script = "#cloud-config\n# provision prepares mount: /data\nruncmd: []\n";
/// assert_eq!(prepared(script)["mount"], "/data");
/// assert_eq!(prepared(script), prepared(&script.replace("[]", "[true]")));
/// assert_ne!(prepared("#!/bin/sh\n"), prepared("#!/bin/sh\ntrue\n"));
/// ```
pub fn prepared(script: &str) -> BTreeMap<String, String> {
    let told = script.lines().filter_map(|line| line.strip_prefix(PREPARES)?.split_once(": "));
    let told: BTreeMap<String, String> = told.map(|(what, how)| (what.to_owned(), how.to_owned())).collect();
    if told.is_empty() { unknown(&HEXLOWER.encode(&Sha256::digest(script))) } else { told }
}

/// Returns the entries of a script that is somebody else's.
fn unknown(script: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("script".to_owned(), script.to_owned())])
}

/// Returns the user data that EC2 tells in Base64; `None` if it is something else.
pub(super) fn decoded(encoded: &str) -> Option<String> {
    let encoded: String = encoded.split_whitespace().collect();
    BASE64.decode(encoded.as_bytes()).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns what a script prepares that was read.
pub(super) fn prepared_by_decoded(script: Option<&str>) -> BTreeMap<String, String> {
    script.map_or_else(|| unknown("(unreadable)"), prepared)
}

/// Returns the disks of a server: under which name each is attached, and its id.
pub(super) fn disks(member: &Element) -> impl Iterator<Item = (&str, &str)> {
    member.list("blockDeviceMapping").iter().map(|disk| (disk.text("deviceName"), disk.text("ebs/volumeId")))
}

/// Returns `true` if what failed may succeed later, by itself.
pub(super) fn may_pass(failure: &Failure) -> bool {
    // EC2 tells with the status of a fault that it has no machine of a type: that may last.
    let lacks_machines = failure.code.as_deref() == Some("InsufficientInstanceCapacity");
    !lacks_machines
        && matches!(failure.class, Class::Throttled | Class::InProgress | Class::NotYet | Class::Unreachable)
}

/// Returns the call that makes a server, but for its tags. Its network interface says that it gets no public address: the subnet might.
pub(super) fn run(settings: &Settings, user_data: &str, subnet: &str, groups: &[String]) -> Call {
    let image = &settings.image.0;
    let image = if image.starts_with('/') { format!("resolve:ssm:{image}") } else { image.clone() };
    let call = Call::new("RunInstances")
        .with("ImageId", image)
        .with("MinCount", "1")
        .with("MaxCount", "1")
        .with("InstanceType", &settings.machine)
        .with("UserData", BASE64.encode(user_data.as_bytes()))
        .with("MetadataOptions.HttpEndpoint", "enabled")
        .with("MetadataOptions.HttpTokens", tokens(settings.needs_token))
        .with("MetadataOptions.HttpPutResponseHopLimit", HOPS)
        .with("DisableApiTermination", settings.deletion_protection.to_string())
        .with("BlockDeviceMapping.1.DeviceName", OWN_DISK)
        .with("BlockDeviceMapping.1.Ebs.VolumeSize", settings.disk.0.to_string())
        .with("BlockDeviceMapping.1.Ebs.VolumeType", "gp3")
        .with("BlockDeviceMapping.1.Ebs.Encrypted", "true")
        .with("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true")
        .with("NetworkInterface.1.DeviceIndex", "0")
        .with("NetworkInterface.1.AssociatePublicIpAddress", "false")
        .with("NetworkInterface.1.SubnetId", subnet)
        .list("NetworkInterface.1.SecurityGroupId", groups);
    let given = [("KeyName", &settings.key), ("IamInstanceProfile.Name", &settings.profile)];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    given.fold(call, |call, (name, value)| call.with(name, value))
}

fn tokens(needed: bool) -> &'static str {
    if needed { "required" } else { "optional" }
}

/// Returns the call that says whether metadata needs a token.
pub(super) fn metadata(id: &str, needs_token: bool) -> Call {
    Call::new("ModifyInstanceMetadataOptions")
        .with("InstanceId", id)
        .with("HttpTokens", tokens(needs_token))
        .with("HttpPutResponseHopLimit", HOPS)
        .with("HttpEndpoint", "enabled")
}

/// Returns the settings in an answer, as far as it has them.
pub(super) fn settings(member: &Element) -> Settings {
    let given = |name: &str| Some(member.text(name).to_owned()).filter(|text| !text.is_empty());
    let profile = given("iamInstanceProfile/arn").map(|arn| arn.rsplit('/').next().unwrap_or_default().to_owned());
    let state = member.text("instanceState/name").to_owned();
    Settings {
        image: Input::default(),
        disk: Input::default(),
        first_start: Input::default(),
        prepares: BTreeMap::new(),
        worker: BTreeMap::new(),
        // Images for older and for Apple's machines have words of their own.
        architecture: if member.text("architecture").starts_with("arm64") { "arm64" } else { "x86_64" }.to_owned(),
        machine: member.text("instanceType").to_owned(),
        subnet: member.text("subnetId").to_owned(),
        security_groups: member.texts("groupSet", "groupId").collect(),
        key: given("keyName"),
        profile,
        needs_token: member.text("metadataOptions/httpTokens") == "required",
        deletion_protection: false,
        volume: None,
        address: None,
        is_running: state == "running",
        state: Input(state),
        tags: tags_of(member),
        children: Children::default(),
    }
}

/// Returns a failure of a call that names a profile that was made just now: EC2 tells it as a wrong value.
pub(super) fn not_yet_known(failure: Failure) -> Failure {
    let is_profile = failure.message.to_ascii_lowercase().contains("iam instance profile");
    let class = if is_profile && failure.class == Class::Invalid { Class::NotYet } else { failure.class };
    Failure { class, ..failure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_known_by_what_it_prepares() {
        let script = format!("#cloud-config\n{PREPARES}mount: /data\nruncmd: []\n");
        let encoded = BASE64.encode(script.as_bytes());
        let expected = BTreeMap::from([("mount".to_owned(), "/data".to_owned())]);
        let prepared_by = |encoded: &str| prepared_by_decoded(decoded(encoded).as_deref());
        assert_eq!(prepared_by(&encoded), expected);
        let (one, other) = encoded.split_at(4);
        assert_eq!(prepared_by(&format!("{one}\n{other}")), expected, "Base64 may have line ends");
        for others in ["", "?", &BASE64.encode(b"#!/bin/sh\n")] {
            assert!(prepared_by(others).contains_key("script"), "{others}");
        }
    }

    #[test]
    fn a_server_is_made_with_all_that_protects_it() {
        let read = settings(&Element::read("<item/>").unwrap());
        let image = Input("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64".to_owned());
        let wanted = Settings { image, needs_token: true, disk: Input(8), ..read };
        let call = run(&wanted, "#cloud-config\n", "subnet-0a", &["sg-0a".to_owned()]);
        let sent: BTreeMap<_, _> = call.parameters().collect();
        for (name, value) in [
            ("ImageId", "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"),
            ("MetadataOptions.HttpTokens", "required"),
            ("MetadataOptions.HttpEndpoint", "enabled"),
            ("BlockDeviceMapping.1.Ebs.Encrypted", "true"),
            ("NetworkInterface.1.AssociatePublicIpAddress", "false"),
            ("NetworkInterface.1.SecurityGroupId.1", "sg-0a"),
        ] {
            assert_eq!(sent.get(name), Some(&value), "{name}: {sent:?}");
        }
    }

    #[test]
    fn what_ec2_refuses_for_good_is_told_from_what_passes() {
        let failure = |class: Class, code: &str| {
            let failure = Failure::found("ec2.StartInstances", class, "no");
            may_pass(&Failure { code: Some(code.to_owned()), ..failure })
        };
        assert!(failure(Class::Throttled, "RequestLimitExceeded"));
        assert!(failure(Class::Unreachable, "InternalError"));
        assert!(!failure(Class::Unreachable, "InsufficientInstanceCapacity"));
        assert!(!failure(Class::Invalid, "InvalidParameterValue"));
        assert!(!failure(Class::Denied, "UnauthorizedOperation"));
    }

    #[test]
    fn one_real_change_is_seen() {
        use engine::Kind as _;
        let read = |subnet: &str, key: &str, script: &str| {
            let text = format!("<item><subnetId>{subnet}</subnetId><keyName>{key}</keyName></item>");
            let settings = settings(&Element::read(&text).unwrap());
            let prepares = prepared(&format!("{PREPARES}mount: /{script}\n"));
            crate::Kind::tree(&Settings { prepares, ..settings }.into())
        };
        let plain = read("subnet-0a", "ops", "a");
        for (other, field) in [
            (read("subnet-0b", "ops", "a"), "subnet"),
            (read("subnet-0a", "", "a"), "key"),
            (read("subnet-0a", "ops", "b"), "prepares.mount"),
        ] {
            let paths: Vec<String> = engine::differences(&other, &plain).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [field]);
        }
        for name in ["function", "code_sha256", "queue", "context", "environment.LINES"] {
            let with = |value: &str| {
                let worker = BTreeMap::from([(name.to_owned(), value.to_owned())]);
                let settings = settings(&Element::read("<item/>").unwrap());
                crate::Kind::tree(&Settings { worker, ..settings }.into())
            };
            let paths: Vec<String> =
                engine::differences(&with("a"), &with("b")).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [format!("worker.{name}")]);
        }
        for (told, expected) in [("arm64", "arm64"), ("x86_64", "x86_64"), ("i386", "x86_64"), ("arm64_mac", "arm64")] {
            let told = Element::read(&format!("<item><architecture>{told}</architecture></item>")).unwrap();
            assert_eq!(settings(&told).architecture, expected);
        }
    }

    #[test]
    fn a_profile_that_is_not_known_everywhere_yet_is_tried_again() {
        for (class, message, expected) in [
            (
                Class::Invalid,
                "Value (circuits) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
                Class::NotYet,
            ),
            (Class::Invalid, "Invalid instance type", Class::Invalid),
            (Class::Denied, "no IAM instance profile", Class::Denied),
        ] {
            assert_eq!(not_yet_known(Failure::found("ec2.RunInstances", class, message)).class, expected, "{message}");
        }
    }

    #[test]
    fn the_newest_image_is_named_by_its_parameter() {
        let of = |image: &str| {
            let settings = Settings { image: Input(image.to_owned()), ..settings(&Element::read("<item/>").unwrap()) };
            let call = run(&settings, "#cloud-config\n", "subnet-0a", &["sg-0a".to_owned()]);
            let all: Vec<(String, String)> =
                call.parameters().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            all
        };
        let has = |call: &[(String, String)], key: &str, value: &str| {
            call.iter().any(|(of, is)| (of.as_str(), is.as_str()) == (key, value))
        };
        let parameter = of("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64");
        assert!(has(
            &parameter,
            "ImageId",
            "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
        ));
        assert!(has(&of("ami-0a1b2c3d"), "ImageId", "ami-0a1b2c3d"));
        for (key, value) in [
            ("BlockDeviceMapping.1.Ebs.Encrypted", "true"),
            ("NetworkInterface.1.AssociatePublicIpAddress", "false"),
            ("MinCount", "1"),
            ("MaxCount", "1"),
        ] {
            assert!(has(&parameter, key, value), "{key}");
        }
    }
}
