//! Parts that others attach to a server: disks, and interfaces by which it is reached otherwise than its groups say. The answer about it
//! has both.

use super::{Settings, state, wire};
use crate::{
    Session,
    children::ensure_ended,
    ec2::{SERVER, without_id},
};
use aws::query::Element;
use engine::{Children, Failure};

/// Field of the further interfaces.
const INTERFACES: &str = "interfaces";
const DESCRIBE: &str = "ec2.DescribeInstances";

/// Returns the further interfaces of a server: one that is in a group of its own lets in whom that group does.
fn interfaces(member: &Element) -> Children {
    let mut children = Children::default();
    let groups: Vec<String> = member.texts("groupSet", "groupId").collect();
    // The first one is its own, and has its groups.
    let others = member.list("networkInterfaceSet").iter().filter(|one| one.text("attachment/deviceIndex") != "0");
    for one in others.filter(|one| one.text("attachment/status") != "detaching") {
        let further: Vec<String> = one.texts("groupSet", "groupId").filter(|group| !groups.contains(group)).collect();
        let in_groups = if further.is_empty() { "the server's".to_owned() } else { further.join(", ") };
        let value = format!("{}, in the groups {in_groups}", one.text("attachment/attachmentId"));
        children.add(INTERFACES, one.text("networkInterfaceId"), value, !further.is_empty());
    }
    children
}

/// Returns what others attached, in the answer about a server.
pub(super) async fn children(session: &Session, member: &Element) -> Result<Children, Failure> {
    let mut children = interfaces(member);
    let disks = wire::disks(member).filter(|(_, id)| !id.is_empty());
    for (device, id) in disks.filter(|(device, _)| *device != member.text("rootDeviceName")) {
        // The stack's has what stands for its id.
        if without_id(session, id).await? == id {
            children.add("disks", id, format!("as {device}"), false);
        }
    }
    Ok(children)
}

/// Fails as long as an interface opens the server: it is somebody's, and only they detach it.
pub(super) fn ensure_not_opened(member: &Element, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let surplus = live.children.surplus(&desired.children, INTERFACES);
    let opened = live.children.iter().filter(|(field, name, _)| *field == INTERFACES && surplus.contains(name));
    let commands: Vec<String> = opened
        .map(|(.., child)| {
            let attachment = child.value.split(',').next().unwrap_or_default();
            format!("aws ec2 detach-network-interface --attachment-id {attachment}")
        })
        .collect();
    let of = format!("the server `{}`, which is {},", member.text(SERVER.id), state(member));
    ensure_ended(DESCRIBE, &of, &commands)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of an answer as in EC2's reference, `DescribeInstances`, and in the service's model (botocore 1.44.8).
    const ANSWER: &str = "<item>
        <instanceId>i-0a</instanceId><instanceState><name>running</name></instanceState>
        <groupSet><item><groupId>sg-0a</groupId></item></groupSet>
        <networkInterfaceSet>
          <item><networkInterfaceId>eni-0a</networkInterfaceId><attachment><attachmentId>eni-attach-0a</attachmentId><deviceIndex>0</deviceIndex><status>attached</status></attachment><groupSet><item><groupId>sg-0a</groupId></item></groupSet></item>
          <item><networkInterfaceId>eni-0b</networkInterfaceId><attachment><attachmentId>eni-attach-0b</attachmentId><deviceIndex>1</deviceIndex><status>attached</status></attachment><groupSet><item><groupId>sg-0a</groupId></item></groupSet></item>
          <item><networkInterfaceId>eni-0c</networkInterfaceId><attachment><attachmentId>eni-attach-0c</attachmentId><deviceIndex>2</deviceIndex><status>attached</status></attachment><groupSet><item><groupId>sg-0a</groupId></item><item><groupId>sg-open</groupId></item></groupSet></item>
          <item><networkInterfaceId>eni-0d</networkInterfaceId><attachment><attachmentId>eni-attach-0d</attachmentId><deviceIndex>3</deviceIndex><status>detaching</status></attachment><groupSet><item><groupId>sg-open</groupId></item></groupSet></item>
        </networkInterfaceSet></item>";

    #[test]
    fn an_interface_in_other_groups_opens_a_server() {
        let member = Element::read(ANSWER).unwrap();
        let live = interfaces(&member);
        let told: Vec<(&str, &str, bool)> =
            live.iter().map(|(_, name, child)| (name, child.value.as_str(), child.is_severe)).collect();
        assert_eq!(
            told,
            [
                ("eni-0b", "eni-attach-0b, in the groups the server's", false),
                ("eni-0c", "eni-attach-0c, in the groups sg-open", true),
            ]
        );
        let mut kept = Children::default();
        kept.add(INTERFACES, "eni-0b", "", false);
        let settings = |children: Children| Settings { children, ..wire::settings(&member) };
        let words = ensure_not_opened(&member, &settings(kept), &settings(live.clone())).unwrap_err().message;
        assert!(words.contains("`aws ec2 detach-network-interface --attachment-id eni-attach-0c`"), "{words}");
        assert!(!words.contains("eni-attach-0b"), "{words}");
        assert_eq!(ensure_not_opened(&member, &settings(live.clone()), &settings(live)), Ok(()));
    }
}
