"""Buckets, queues, topics and secrets: what AWS says of new ones, and what it refuses."""

import re

from ministack.core.responses import error_response_json, get_account_id
from ministack.services import s3, secretsmanager, sns, sqs
from wrapping import before, replace


def install():
    s3._new_bucket_public_access_block = lambda: {"_public_access_block": s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK}
    before_request(s3)
    replace(sqs._HANDLERS, "CreateQueue", create_queue)
    replace(sqs._HANDLERS, "SetQueueAttributes", set_queue_attributes)
    replace(sns, "_subscribe", subscribe)
    before(sns, "_unsubscribe", unsubscription_error)
    replace(sns, "_list_subscriptions", list_subscriptions)
    replace(sns, "_list_subscriptions_by_topic", list_subscriptions)
    before(secretsmanager, "_create_secret", secret_error)


def before_request(module):
    """A bucket's owner who is not the one that the caller expects is a refusal."""
    answer = module.handle_request

    async def handle_request(method, path, headers, *arguments, **options):
        if headers.get("x-amz-expected-bucket-owner", get_account_id()) != get_account_id():
            return s3._error("AccessDenied", "Access Denied", 403, path)
        return await answer(method, path, headers, *arguments, **options)

    module.handle_request = handle_request


def create_queue(create, data, url):
    """A new queue is encrypted by SQS unless it has a key."""
    attributes = data.get("Attributes") or {}
    exclusive(attributes)
    new = sqs._queue_url(data.get("QueueName", "")) not in sqs._queues
    answer = create(data, url)
    if new:
        made = sqs._queues[answer["QueueUrl"]]["attributes"]
        made.setdefault("SqsManagedSseEnabled", "false" if made.get("KmsMasterKeyId") else "true")
    return answer


def set_queue_attributes(change, data, url):
    """A key switches SQS's own encryption off, and the other way round."""
    sent = data.get("Attributes") or {}
    exclusive(sent)
    answer = change(data, url)
    attributes = sqs._get_q(data.get("QueueUrl", url), "sqs:SetQueueAttributes")["attributes"]
    if sent.get("KmsMasterKeyId"):
        attributes["SqsManagedSseEnabled"] = "false"
    elif sent.get("SqsManagedSseEnabled") == "true" or "KmsMasterKeyId" in sent:
        for name in ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"):
            attributes.pop(name, None)
    return answer


def exclusive(attributes):
    if attributes.get("KmsMasterKeyId") and attributes.get("SqsManagedSseEnabled") == "true":
        raise sqs._Err("InvalidAttributeValue", "You can use one type of server-side encryption (SSE) at one time.", 400)


def subscribe(make, parameters):
    """A subscription by mail waits for its confirmation, whose token is the mail address; another one of the same endpoint must
    have the same attributes."""
    protocol, endpoint = sns._p(parameters, "Protocol"), sns._p(parameters, "Endpoint")
    topic = sns._topics.get(sns._p(parameters, "TopicArn"))

    def there():
        same = (found for found in topic["subscriptions"] if (found["protocol"], found["endpoint"]) == (protocol, endpoint))
        return next(same, None)

    known = there() if topic else None
    if known and any(known["attributes"].get(key, "") != value for key, value in attributes_of(parameters)):
        return sns._error("InvalidParameter", (
            "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"), 400)
    status, headers, body = make(parameters)
    if status != 200:
        return status, headers, body
    made = there()
    if protocol in ("email", "email-json") and not known:
        made.update(confirmed=False, token=endpoint)
        made["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        sns._refresh_subscription_counts(topic)
    if not made["confirmed"] and sns._p(parameters, "ReturnSubscriptionArn").lower() != "true":
        body = text(body).replace(made["arn"], "pending confirmation").encode()
    return status, headers, body


def attributes_of(parameters):
    number = 1
    while key := sns._p(parameters, f"Attributes.entry.{number}.key"):
        yield key, sns._p(parameters, f"Attributes.entry.{number}.value")
        number += 1


def unsubscription_error(parameters):
    """What is not confirmed has no ARN in lists, and cannot be removed without one."""
    if sns._p(parameters, "SubscriptionArn").count(":") < 5:
        return sns._error("InvalidParameter", (
            "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"), 400)
    return None


def list_subscriptions(answer, parameters):
    """Lists show no ARN of what is not confirmed."""
    status, headers, body = answer(parameters)
    pending = [found["arn"] for topic in sns._topics.values() for found in topic["subscriptions"] if not found["confirmed"]]
    shown = text(body)
    for arn in pending:
        shown = re.sub(f"<SubscriptionArn>{re.escape(arn)}<", "<SubscriptionArn>PendingConfirmation<", shown)
    return status, headers, shown.encode()


def text(body):
    return body.decode() if isinstance(body, bytes) else body


def secret_error(data):
    """A name is taken as long as a secret of that name waits for its end."""
    secret = secretsmanager._secrets.get(data.get("Name"))
    if secret and secret.get("DeletedDate"):
        return error_response_json("InvalidRequestException", (
            "You can't create this secret because a secret with this name is already scheduled for deletion."), 400)
    return None
