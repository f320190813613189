"""What becomes of the mails that are sent: SES tells the topics of the mail's configuration set, as its mailbox simulator does, and of every
other recipient that the mail was delivered."""

import contextvars
import datetime
import json
import threading

from ministack.core.responses import get_account_id, get_region
from ministack.services import ses_v2, sns

# By what an address at the simulator begins with: the event after `Send`, with its own part.
SIMULATOR = "simulator.amazonses.com"
OUTCOMES = {
    "bounce": "Bounce",
    "suppressionlist": "Bounce",
    "complaint": "Complaint",
}


def install():
    handle = ses_v2.handle_request

    async def handle_request(method, path, headers, body, query_params):
        answer = await handle(method, path, headers, body, query_params)
        if method == "POST" and path.rstrip("/").endswith("/outbound-emails") and answer[0] == 200:
            sent = json.loads(body)
            destinations = topics(sent.get("ConfigurationSetName"))
            if destinations:
                tell(destinations, sent, json.loads(answer[2])["MessageId"])
        return answer

    ses_v2.handle_request = handle_request


def topics(configuration_set):
    """The topics of a configuration set, each with the types of events that it wants."""
    known = ses_v2._config_sets.get(configuration_set) or {}
    wanted = [
        ((one.get("SnsDestination") or {}).get("TopicArn"), one["MatchingEventTypes"])
        for one in (known.get("EventDestinations") or {}).values() if one["Enabled"]
    ]
    return [(topic, types) for topic, types in wanted if topic]


def tell(destinations, sent, message_id):
    """Publishes the events of a mail, after the answer about it: SES does so, too."""
    context = contextvars.copy_context()

    def publish():
        for event in events(sent, message_id):
            for topic, types in destinations:
                if event["eventType"].upper() in types:
                    sns.publish_internal(topic, event)

    threading.Timer(0.2, lambda: context.run(publish)).start()


def events(sent, message_id):
    recipients = [address for addresses in (sent.get("Destination") or {}).values() for address in addresses]
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    mail = {
        "timestamp": now,
        "source": sent["FromEmailAddress"],
        "sourceArn": f"arn:aws:ses:{get_region()}:{get_account_id()}:identity/{sent['FromEmailAddress'].split('@')[-1].rstrip('>')}",
        "sendingAccountId": get_account_id(),
        "messageId": message_id,
        "destination": recipients,
        "tags": {
            "ses:configuration-set": [sent["ConfigurationSetName"]],
            **{tag["Name"]: [tag["Value"]] for tag in sent.get("EmailTags") or []},
        },
    }
    yield {"eventType": "Send", "mail": mail, "send": {}}
    for recipient in recipients:
        address, _, domain = recipient.rpartition("@")
        outcome = OUTCOMES.get(address.split("+")[0]) if domain == SIMULATOR else None
        yield {"eventType": outcome or "Delivery", "mail": mail, **own_part(outcome, recipient, now)}


def own_part(outcome, recipient, now):
    if outcome == "Bounce":
        bounced = {"emailAddress": recipient, "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
        return {"bounce": {"feedbackId": "feedback-1", "bounceType": "Permanent", "bounceSubType": "General",
                           "bouncedRecipients": [bounced], "timestamp": now}}
    if outcome == "Complaint":
        return {"complaint": {"feedbackId": "feedback-1", "complaintFeedbackType": "abuse",
                              "complainedRecipients": [{"emailAddress": recipient}], "timestamp": now}}
    return {"delivery": {"timestamp": now, "processingTimeMillis": 400, "recipients": [recipient],
                         "smtpResponse": "250 2.6.0 Message received", "reportingMTA": "a1-2.smtp-out.eu-west-1.amazonses.com"}}
