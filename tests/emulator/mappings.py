"""IAM's checks of event source mappings: ministack checks making and listing them alone, and knows no condition on the function. And of
batches of messages, whose rights are those of a message."""

import json

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc
from wrapping import replace

# Conditions are looked up in lower case.
KEY = "lambda:functionarn"
ACTIONS = {"GET": "Get", "PUT": "Update", "DELETE": "Delete"}


def install():
    replace(iam_actions, "extract_iam_action", action)
    replace(iam_actions, "request_tag_context", context_of_a_new_one)
    replace(iam_evaluator, "enforce", enforce)


def action(otherwise, service, method, path, *others):
    """The action on a mapping that is named, or on a message of a batch."""
    named = path.rstrip("/").partition("/event-source-mappings/")[2]
    if service == "lambda" and named and method in ACTIONS:
        return f"lambda:{ACTIONS[method]}EventSourceMapping"
    found = otherwise(service, method, path, *others)
    return found.removesuffix("Batch") if found and found.startswith("sqs:") else found


def context_of_a_new_one(otherwise, service, action, body, parameters):
    """The function that a mapping is made for."""
    context = otherwise(service, action, body, parameters)
    if action != "lambda:CreateEventSourceMapping":
        return context
    name = json.loads(body).get("FunctionName", "")
    arn = name if name.startswith("arn:") else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{name}"
    return {**context, KEY: arn}


def enforce(otherwise, key, action, *others, resource_arn="", service_context=None, **further):
    """The function of a mapping that is there."""
    identifier = resource_arn.rpartition(":event-source-mapping:")[2]
    if action.endswith("EventSourceMapping") and (mapping := lambda_svc._esms.get(identifier)):
        service_context = {**(service_context or {}), KEY: mapping["FunctionArn"]}
    return otherwise(key, action, *others, resource_arn=resource_arn, service_context=service_context, **further)
