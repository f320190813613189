//! Parts that others add to a cache: copies of its data in other regions, and logs of what it is asked. The answer about it has both.

use super::{DESCRIBE, Settings};
use crate::children::ensure_ended;
use aws::query::{Call, Element};
use engine::{Children, Failure};

/// Field of the group of caches that have the same data.
const GLOBAL: &str = "global_group";
/// Field of the logs that it delivers.
const LOGS: &str = "logs";
/// The end of what the cache with the data that the others copy is told as.
const LEADS: &str = ", as the one that takes writes";

/// Returns what others added, in the answer about a cache.
pub(super) fn children(group: &Element) -> Children {
    let mut children = Children::default();
    let (global, role) = ["GlobalReplicationGroupId", "GlobalReplicationGroupMemberRole"]
        .map(|name| group.text(&format!("GlobalReplicationGroupInfo/{name}")))
        .into();
    let value = if role.eq_ignore_ascii_case("primary") { format!("{global}{LEADS}") } else { global.to_owned() };
    children.add_only(GLOBAL, (!global.is_empty()).then_some(value), true);
    for log in group.list("LogDeliveryConfigurations").iter().filter(|log| log.text("Status") != "disabling") {
        let details = |place: &str| log.text(&format!("DestinationDetails/{place}")).to_owned();
        // Slow commands are told with the data in them: a stream carries them wherever it likes.
        let (to, is_severe) = match log.text("DestinationType") {
            "cloudwatch-logs" => (format!("to the log group {}", details("CloudWatchLogsDetails/LogGroup")), false),
            _ => (format!("to the stream {} of Firehose", details("KinesisFirehoseDetails/DeliveryStream")), true),
        };
        children.add(LOGS, log.text("LogType"), to, is_severe);
    }
    children
}

/// Returns the change that ends the logs that nobody declared; `None` if there are none.
pub(super) fn end_logs(call: Call, desired: &Children, live: &Children) -> Option<Call> {
    let logs = live.surplus(desired, LOGS);
    let request = "LogDeliveryConfigurations.LogDeliveryConfigurationRequest";
    let named = logs.iter().zip(1..).fold(call, |call, (log, number)| {
        call.with(&format!("{request}.{number}.LogType"), *log).with(&format!("{request}.{number}.Enabled"), "false")
    });
    (!logs.is_empty()).then_some(named)
}

/// Fails as long as others copy its data elsewhere: the group of copies is theirs, and only they end it.
pub(super) fn ensure_not_copied(name: &str, region: &str, desired: &Settings, live: &Settings) -> Result<(), Failure> {
    let is_surplus = live.children.has_surplus(&desired.children, GLOBAL);
    let group = live.children.iter().find(|(field, ..)| is_surplus && *field == GLOBAL);
    let command = group.map(|(.., child)| match child.value.strip_suffix(LEADS) {
        Some(global) => format!(
            "aws elasticache delete-global-replication-group --region {region} --global-replication-group-id {global} --retain-primary-replication-group"
        ),
        None => format!(
            "aws elasticache disassociate-global-replication-group --region {region} --global-replication-group-id {} --replication-group-id {name} --replication-group-region {region}",
            child.value
        ),
    });
    ensure_ended(DESCRIBE, &format!("the cache `{name}`"), command.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of an answer as in the reference of `ElastiCache`, `DescribeReplicationGroups`, and in the service's model (botocore 1.44.8).
    fn answer(role: &str) -> Element {
        let text = format!(
            "<ReplicationGroup>
              <GlobalReplicationGroupInfo>
                <GlobalReplicationGroupId>ldgnf-theirs</GlobalReplicationGroupId>
                <GlobalReplicationGroupMemberRole>{role}</GlobalReplicationGroupMemberRole>
              </GlobalReplicationGroupInfo>
              <LogDeliveryConfigurations>
                <LogDeliveryConfiguration>
                  <LogType>slow-log</LogType><DestinationType>kinesis-firehose</DestinationType>
                  <DestinationDetails><KinesisFirehoseDetails><DeliveryStream>theirs</DeliveryStream></KinesisFirehoseDetails></DestinationDetails>
                  <LogFormat>json</LogFormat><Status>active</Status>
                </LogDeliveryConfiguration>
                <LogDeliveryConfiguration>
                  <LogType>engine-log</LogType><DestinationType>cloudwatch-logs</DestinationType>
                  <DestinationDetails><CloudWatchLogsDetails><LogGroup>/theirs</LogGroup></CloudWatchLogsDetails></DestinationDetails>
                  <LogFormat>json</LogFormat><Status>active</Status>
                </LogDeliveryConfiguration>
              </LogDeliveryConfigurations>
            </ReplicationGroup>"
        );
        Element::read(&text).unwrap()
    }

    #[test]
    fn a_stream_carries_data_out_and_a_log_group_does_not() {
        let told: Vec<(String, String, bool)> = children(&answer("SECONDARY"))
            .iter()
            .map(|(field, name, child)| (format!("{field}.{name}"), child.value.clone(), child.is_severe))
            .collect();
        let told: Vec<(&str, &str, bool)> =
            told.iter().map(|(path, value, is)| (path.as_str(), value.as_str(), *is)).collect();
        assert_eq!(
            told,
            [
                ("global_group.", "ldgnf-theirs", true),
                ("logs.engine-log", "to the log group /theirs", false),
                ("logs.slow-log", "to the stream theirs of Firehose", true),
            ]
        );
        let husks = "<ReplicationGroup><GlobalReplicationGroupInfo/><LogDeliveryConfigurations/></ReplicationGroup>";
        assert_eq!(children(&Element::read(husks).unwrap()), Children::default());
        let disabling = "<ReplicationGroup><LogDeliveryConfigurations><LogDeliveryConfiguration><LogType>slow-log</LogType><Status>disabling</Status></LogDeliveryConfiguration></LogDeliveryConfigurations></ReplicationGroup>";
        assert_eq!(children(&Element::read(disabling).unwrap()), Children::default());
    }

    #[test]
    fn whoever_made_a_group_of_copies_ends_it() {
        let settings =
            |children: Children| Settings { children, ..<super::super::ReplicationGroup as crate::Manage>::full() };
        let none = settings(Children::default());
        for (role, command) in [
            (
                "PRIMARY",
                "delete-global-replication-group --region eu-west-1 --global-replication-group-id ldgnf-theirs --retain-primary-replication-group`",
            ),
            (
                "SECONDARY",
                "disassociate-global-replication-group --region eu-west-1 --global-replication-group-id ldgnf-theirs --replication-group-id circuits-seen --replication-group-region eu-west-1`",
            ),
        ] {
            let live = settings(children(&answer(role)));
            let words = ensure_not_copied("circuits-seen", "eu-west-1", &none, &live).unwrap_err().message;
            assert!(words.contains(command), "{command}: {words}");
            assert_eq!(ensure_not_copied("circuits-seen", "eu-west-1", &live, &live), Ok(()));
        }
    }
}
