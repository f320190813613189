//! The subscriptions of topics, and what every topic's policy has.

use super::{Blueprint, of, with_ids};
use crate::Names;
use aws::policy::{Policy, Statement};
use declaration::{Declaration, Subscription};
use engine::Address;
use kinds::{
    Id, Kind,
    lambda::permission,
    sns::{subscription, topic},
};

/// Returns a topic's policy. If it names services, it must name the account itself too; otherwise AWS's
/// default policy does.
pub(super) fn owned_policy(arn: &str, statements: Vec<(String, Statement)>) -> Policy {
    if statements.is_empty() {
        return Policy::default();
    }
    Policy::new(with_ids(statements).into_iter().chain([topic::owner_statement(arn)]))
}

/// Adds a subscription of a topic.
pub(super) fn subscribe(blueprint: &mut Blueprint<'_>, entry: &str, told: &Subscription) {
    let names = blueprint.names();
    let mut after = vec![of(Kind::Topic, entry)];
    let (protocol, endpoint, who, raw_delivery) = match told {
        Subscription::Mail(address) => ("email", address.clone(), address, false),
        Subscription::Queue { queue, raw } => {
            after.push(of(Kind::Queue, queue));
            ("sqs", names.arn(Kind::Queue, queue), queue, *raw)
        }
        Subscription::Function { function, .. } => {
            after.extend([of(Kind::Function, function), invoked_by_topic(names, function, entry)]);
            ("lambda", names.arn(Kind::Function, function), function, false)
        }
    };
    let redrive = match told {
        Subscription::Function { redrive: Some(queue), .. } => {
            after.push(of(Kind::Queue, queue));
            Some(names.arn(Kind::Queue, queue))
        }
        _ => None,
    };
    let settings = subscription::Settings { raw_delivery, redrive, ..subscription::Settings::default() };
    let address = Address::within(names.name(Kind::Topic, entry), subscription::name(protocol, &endpoint));
    blueprint.add(subscribed(entry, protocol, who), address, settings, after);
}

/// Returns the identity of a subscription.
fn subscribed(topic: &str, protocol: &str, who: &str) -> Id {
    of(Kind::Subscription, format!("{topic}.{protocol}:{who}"))
}

/// Returns the subscriptions that a topic is declared with.
pub(super) fn subscriptions_of(declaration: &Declaration, topic: &str) -> Vec<Id> {
    let declared = declaration.topics.get(topic).map_or(&[][..], |topic| &topic.subscriptions);
    let id = |told: &Subscription| match told {
        Subscription::Mail(address) => subscribed(topic, "email", address),
        Subscription::Queue { queue, .. } => subscribed(topic, "sqs", queue),
        Subscription::Function { function, .. } => subscribed(topic, "lambda", function),
    };
    declared.iter().map(id).collect()
}

/// Returns the identity of a topic's permission to invoke a function.
pub(super) fn invoked_by_topic(names: &Names, function: &str, topic: &str) -> Id {
    of(Kind::Permission, permission::entry(function, &format!("sns-{}", names.label(Kind::Topic, topic))))
}
