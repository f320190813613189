"""What SES tells of the mails that it sends: topics of identities in the first interface, and destinations of configuration sets in the
second, which are refused unless SES may publish there."""

from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import ses, ses_v2, tagging
from queries import add_actions, done, parameter, refused
from receipt_rules import may_publish
from wrapping import before


def install():
    add_actions({
        "GetIdentityNotificationAttributes": attributes,
        "SetIdentityHeadersInNotificationsEnabled": set_headers,
        "SetIdentityNotificationTopic": set_topic,
    })
    before(ses_v2, "_event_destinations_request", refused_destination)
    tagging._COLLECTORS["ses"] = indexed


def indexed():
    for arn, tags in ses_v2._ses_tags.items():
        yield arn, tags


def arn(kind, name):
    return f"arn:aws:ses:{get_region()}:{get_account_id()}:{kind}/{name}"


def refused_destination(method, name, _destination, data):
    definition = (data or {}).get("EventDestination") or {}
    topic = (definition.get("SnsDestination") or {}).get("TopicArn")
    if method in ("POST", "PUT") and topic and not may_publish(topic, arn("configuration-set", name)):
        return error_response_json("BadRequestException", f"Could not publish to SNS topic: {topic}", 400)
    return None


def topics_of(identity):
    known = ses._identities.get(identity)
    return known and known.setdefault("NotificationTopics", {})


def set_topic(parameters):
    identity, topic = parameter(parameters, "Identity"), parameter(parameters, "SnsTopic")
    topics = topics_of(identity)
    if topics is None:
        return refused("InvalidParameterValue", f"Identity {identity} does not exist.")
    if topic and not may_publish(topic, arn("identity", identity)):
        return refused("InvalidParameterValue", f"Invalid SNS topic <{topic}>.")
    topics[parameter(parameters, "NotificationType")] = topic
    return done("SetIdentityNotificationTopic")


def set_headers(parameters):
    known = ses._identities.get(parameter(parameters, "Identity"))
    if known is None:
        return refused("InvalidParameterValue", "The identity does not exist.")
    headers = known.setdefault("HeadersInNotifications", {})
    headers[parameter(parameters, "NotificationType")] = parameter(parameters, "Enabled").lower() == "true"
    return done("SetIdentityHeadersInNotificationsEnabled")


def attributes(parameters):
    entries, number = "", 1
    while identity := parameter(parameters, f"Identities.member.{number}"):
        number += 1
        known = ses._identities.get(identity)
        topics, headers = (topics_of(identity) or {}), (known or {}).get("HeadersInNotifications") or {}
        one = f"<ForwardingEnabled>{str((known or {}).get('FeedbackForwardingEnabled', True)).lower()}</ForwardingEnabled>"
        for of in ("Bounce", "Complaint", "Delivery"):
            if topics.get(of):
                one += f"<{of}Topic>{topics[of]}</{of}Topic>"
            one += f"<HeadersIn{of}NotificationsEnabled>{str(headers.get(of, False)).lower()}</HeadersIn{of}NotificationsEnabled>"
        if known is not None:
            entries += f"<entry><key>{identity}</key><value>{one}</value></entry>"
    return ses._xml(200, "GetIdentityNotificationAttributesResponse",
                    f"<GetIdentityNotificationAttributesResult><NotificationAttributes>{entries}</NotificationAttributes>"
                    "</GetIdentityNotificationAttributesResult>")
