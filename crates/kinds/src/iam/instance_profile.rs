//! Instance profiles: what gives a server its role. One holds one role, and has that role's name.

use std::collections::BTreeMap;

use aws_sdk_iam::types::{InstanceProfile as LiveProfile, Tag};
use serde::Serialize;

use super::role;
use crate::{
    Kind, Manage, Session,
    identity::{Identity, Naming},
    own_tags,
    rights::{Right, Target, deletes, reads, writes},
    surplus_tags,
};
use aws::{ArnForm, OrFail};
use engine::{Address, Class, Failure, Field, Holds, Live, Owned, Owner, Tags, immutable, plain};

/// The kind of instance profiles, which give servers their roles.
#[derive(Debug)]
pub struct InstanceProfile;

/// The managed settings of an instance profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Path: that of the stack's roles.
    pub path: String,
    /// Name of its role; `None` if it has none.
    pub role: Option<String>,
    /// Tags, ours and the declared ones.
    pub tags: Tags,
}

/// End of the entries of servers' roles and profiles: a function may have a server's name, and each has a role.
pub const OF_SERVER: &str = "-server";

const GET: &str = "iam.GetInstanceProfile";

/// The identity of this kind.
pub const IDENTITY: Identity = Identity {
    arn: Some(ArnForm("iam::{account}:instance-profile/provision/{stack}/{name}")),
    naming: Naming::Regional,
    // As long as that of its role, so that both are cut alike.
    ..Identity::implied("instance profile", "InstanceProfiles", 64)
};

fn list(call: &str, tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| Failure::found(call, Class::Invalid, error.to_string()))
}

fn settings(live: LiveProfile) -> Settings {
    Settings {
        path: live.path,
        role: live.roles.into_iter().next().map(|role| role.role_name),
        tags: own_tags(live.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))),
    }
}

async fn get(session: &Session, name: &str) -> Result<Option<Settings>, Failure> {
    let call = session.aws.read.iam.get_instance_profile().instance_profile_name(name);
    let answer = call.send().await.or_absent(GET)?;
    Ok(answer.and_then(|answer| answer.instance_profile).map(settings))
}

/// Gives a profile its role, in place of the one that it has.
async fn write_role(
    session: &Session,
    name: &str,
    desired: Option<&String>,
    live: Option<&String>,
) -> Result<(), Failure> {
    let iam = &session.aws.write.iam;
    if desired == live {
        return Ok(());
    }
    if let Some(role) = live {
        let call = iam.remove_role_from_instance_profile().instance_profile_name(name).role_name(role);
        call.send().await.or_absent("iam.RemoveRoleFromInstanceProfile")?;
    }
    if let Some(role) = desired {
        let call = iam.add_role_to_instance_profile().instance_profile_name(name).role_name(role);
        call.send().await.or_fail("iam.AddRoleToInstanceProfile")?;
    }
    Ok(())
}

impl Manage for InstanceProfile {
    type Settings = Settings;

    const IDENTITY: Identity = IDENTITY;

    const FIELDS: &'static [Field] =
        &[immutable("path", "IAM cannot move a profile to another path"), plain("role"), plain("tags.*")];

    const HOLDS: Holds = Holds::Nothing;

    const REFERS_TO: &'static [Kind] = &[Kind::Role];

    const RIGHTS: &'static [Right] = &[
        reads(Target::Own(Kind::InstanceProfile), &["iam:GetInstanceProfile"]),
        // Of one that is not there IAM knows no path.
        reads(Target::WithoutPath(Kind::InstanceProfile), &["iam:GetInstanceProfile"]),
        writes(
            Target::Own(Kind::InstanceProfile),
            &[
                "iam:AddRoleToInstanceProfile",
                "iam:CreateInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:TagInstanceProfile",
                "iam:UntagInstanceProfile",
            ],
        ),
        // Whoever gives a profile a role passes it to servers.
        writes(Target::Passed(Kind::Role), &["iam:PassRole"]),
        deletes(
            Target::Own(Kind::InstanceProfile),
            &["iam:DeleteInstanceProfile", "iam:RemoveRoleFromInstanceProfile"],
        ),
    ];

    #[cfg(test)]
    fn full() -> Settings {
        use crate::registered::{tags, text};
        Settings { path: text(), role: Some(text()), tags: tags() }
    }

    fn tags(settings: &mut Settings) -> Option<&mut Tags> {
        Some(&mut settings.tags)
    }

    async fn read(session: &Session, address: &Address) -> Result<Option<Live<Settings>>, Failure> {
        let Some(settings) = get(session, &address.name).await? else { return Ok(None) };
        // It has tags from its beginning, so that one without is somebody's.
        let owner = Owner::of(&settings.tags, &session.stack, true);
        Ok(Some(Live { settings, owner }))
    }

    async fn create(session: &Session, address: &Address, desired: &Settings) -> Result<(), Failure> {
        const CALL: &str = "iam.CreateInstanceProfile";
        let call = session.aws.write.iam.create_instance_profile().instance_profile_name(&address.name);
        call.path(&desired.path).set_tags(Some(list(CALL, &desired.tags)?)).send().await.or_fail(CALL)?;
        write_role(session, &address.name, desired.role.as_ref(), None).await
    }

    async fn update(session: &Session, address: &Address, desired: &Settings, live: &Settings) -> Result<(), Failure> {
        let (name, iam) = (&address.name, &session.aws.write.iam);
        write_role(session, name, desired.role.as_ref(), live.role.as_ref()).await?;
        let surplus = surplus_tags(&desired.tags, &live.tags);
        if !surplus.is_empty() {
            let call = iam.untag_instance_profile().instance_profile_name(name).set_tag_keys(Some(surplus));
            call.send().await.or_fail("iam.UntagInstanceProfile")?;
        }
        let changed: BTreeMap<_, _> =
            desired.tags.clone().into_iter().filter(|(key, value)| live.tags.get(key) != Some(value)).collect();
        if !changed.is_empty() {
            const CALL: &str = "iam.TagInstanceProfile";
            let call = iam.tag_instance_profile().instance_profile_name(name).set_tags(Some(list(CALL, &changed)?));
            call.send().await.or_fail(CALL)?;
        }
        Ok(())
    }

    /// Deletes a profile. IAM keeps one that has a role.
    async fn delete(session: &Session, address: &Address) -> Result<(), Failure> {
        let Some(live) = get(session, &address.name).await? else { return Ok(()) };
        write_role(session, &address.name, None, live.role.as_ref()).await?;
        let call = session.aws.write.iam.delete_instance_profile().instance_profile_name(&address.name);
        call.send().await.or_absent("iam.DeleteInstanceProfile").map(drop)
    }

    /// Lists the profiles of the stack's servers by their roles: AWS's index has neither, and IAM keeps the role of a profile.
    async fn list_owned(session: &Session) -> Result<Vec<Owned>, Failure> {
        let mut owned = Vec::new();
        for (_, address) in
            session.tagged.roles().filter(|(_, address)| may_be_of_server(&session.stack, &address.name))
        {
            match get(session, &address.name).await {
                // Of a profile that is not there, IAM knows no path, and denies what is allowed within the stack's.
                Err(failure) if failure.class == Class::Denied => (),
                Ok(None) => (),
                found => {
                    let tags = found.map(|found| found.map(|found| found.tags));
                    owned.extend(session.owned(Kind::InstanceProfile, &address.name, tags)?);
                }
            }
        }
        Ok(owned)
    }
}

/// Returns `true` if a role may be that of a server, by its name. A long one is cut, so that its end is gone.
fn may_be_of_server(stack: &engine::Stack, name: &str) -> bool {
    name.ends_with(&format!("{OF_SERVER}-{}", stack.region)) || aws::is_cut(name)
}

/// Returns the path of a stack's profiles.
pub fn path(stack: &engine::Stack) -> String {
    role::path(stack)
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::{primitives::DateTime, types::Role};
    use engine::{Kind as _, Stack};

    use super::*;

    #[test]
    fn the_role_of_a_server_is_known_by_its_name_however_long_that_is() {
        let stack = |name: &str| Stack { name: name.to_owned(), stage: None, region: "eu-central-1".to_owned() };
        for (name, entry, expected) in [
            ("circuits", "host-server", true),
            ("circuits", "host", false),
            ("circuits-of-all-regions-and-of-all-customers", "the-host-of-the-mails-server", true),
        ] {
            let role = Kind::Role.identity().name_of(&stack(name), "123456789012", entry);
            assert_eq!(role, IDENTITY.name_of(&stack(name), "123456789012", entry), "both are cut alike");
            assert_eq!(may_be_of_server(&stack(name), &role), expected, "{role}");
        }
    }

    #[test]
    fn one_real_change_is_seen() {
        let read = |path: &str, role: Option<&str>| {
            let role = role.map(|name| {
                Role::builder()
                    .path(path)
                    .role_name(name)
                    .role_id("A")
                    .arn("a")
                    .create_date(DateTime::from_secs(0))
                    .build()
                    .unwrap()
            });
            let live = LiveProfile::builder()
                .path(path)
                .instance_profile_name("p")
                .instance_profile_id("A")
                .arn("a")
                .create_date(DateTime::from_secs(0))
                .set_roles(Some(role.into_iter().collect()));
            Kind::tree(&settings(live.build().unwrap()).into())
        };
        let plain = read("/provision/circuits.eu-west-1/", Some("host"));
        for (other, field) in [
            (read("/", Some("host")), "path"),
            (read("/provision/circuits.eu-west-1/", Some("other")), "role"),
            (read("/provision/circuits.eu-west-1/", None), "role"),
        ] {
            let paths: Vec<String> = engine::differences(&other, &plain).into_iter().map(|one| one.path).collect();
            assert_eq!(paths, [field]);
        }
    }
}
