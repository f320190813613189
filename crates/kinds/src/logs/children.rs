//! Children of a log group: where its lines are carried to, and what is counted and hidden in them.

use crate::{Session, children::if_offered};
use aws::OrFail;
use engine::{Children, Failure};

/// Field of the filters that send lines elsewhere.
const SUBSCRIPTIONS: &str = "subscription_filters";

/// Reads the children that the group's description does not have.
pub(super) async fn read(session: &Session, name: &str) -> Result<Children, Failure> {
    let (subscriptions, metrics) = tokio::try_join!(subscriptions(session, name), metrics(session, name))?;
    let mut children = subscriptions;
    children.extend(metrics);
    Ok(children)
}

async fn subscriptions(session: &Session, name: &str) -> Result<Children, Failure> {
    let call = session.aws.read.logs.describe_subscription_filters().log_group_name(name);
    let mut pages = call.into_paginator().send();
    let mut children = Children::default();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("logs.DescribeSubscriptionFilters"))? else { break };
        for one in page.subscription_filters.unwrap_or_default() {
            let to = one.destination_arn.unwrap_or_default();
            let is_severe = !session.aws.realm.has(&to);
            children.add(SUBSCRIPTIONS, one.filter_name.unwrap_or_default(), to, is_severe);
        }
    }
    Ok(children)
}

async fn metrics(session: &Session, name: &str) -> Result<Children, Failure> {
    let call = session.aws.read.logs.describe_metric_filters().log_group_name(name);
    let mut pages = call.into_paginator().send();
    let mut children = Children::default();
    while let Some(page) = pages.next().await {
        let Some(page) = if_offered(page.or_fail("logs.DescribeMetricFilters"))? else { break };
        for one in page.metric_filters.unwrap_or_default() {
            let metrics = one.metric_transformations.unwrap_or_default().into_iter();
            let metrics: Vec<_> = metrics.map(|to| format!("{}/{}", to.metric_namespace, to.metric_name)).collect();
            children.add("metric_filters", one.filter_name.unwrap_or_default(), metrics.join(", "), false);
        }
    }
    Ok(children)
}

/// Removes the children that are not desired.
pub(super) async fn remove(session: &Session, name: &str, desired: &Children, live: &Children) -> Result<(), Failure> {
    for filter in live.surplus(desired, SUBSCRIPTIONS) {
        let call = session.aws.write.logs.delete_subscription_filter().log_group_name(name).filter_name(filter);
        call.send().await.or_absent("logs.DeleteSubscriptionFilter")?;
    }
    Ok(())
}
