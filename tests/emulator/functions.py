"""Lambda, as strict as AWS: roles that it may assume, bounds, one update at a time, destinations that the role may reach."""

import copy
import json

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.services import iam, lambda_svc, sns, sqs
from wrapping import before, listed, replace

MEMORY = (128, 10240)
TIMEOUT = (1, 900)
RUNTIMES = ("provided.al2023", "provided.al2", "python3.12", "python3.13", "nodejs22.x", "nodejs24.x", "java21")
# How long a function is being made or updated, in seconds. Some time it must be, so that whoever does not wait is found out.
TRANSITION = 0.1


def install():
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = TRANSITION
    replace(lambda_svc, "_update_config", update)
    replace(lambda_svc, "_update_code", update_code)
    before(lambda_svc, "_create_function", lambda data: configuration_error(data, creating=True))
    before(lambda_svc, "_get_policy", no_policy)
    before(lambda_svc, "_put_event_invoke_config", destination_error)


def invalid(message):
    return error_response_json("InvalidParameterValueException", message, 400)


def configuration_error(data, creating):
    """Lambda's refusal of a configuration."""
    if (creating or "Role" in data) and not assumable(data.get("Role", "")):
        return invalid("The role defined for the function cannot be assumed by Lambda.")
    for key, (least, most) in (("MemorySize", MEMORY), ("Timeout", TIMEOUT)):
        if key in data and not least <= data[key] <= most:
            bound = f"less than or equal to {most}" if data[key] > most else f"greater than or equal to {least}"
            return error_response_json("ValidationException", (
                f"1 validation error detected: Value '{data[key]}' at '{key[0].lower()}{key[1:]}' failed to satisfy "
                f"constraint: Member must have value {bound}"), 400)
    if data.get("Runtime") and data["Runtime"] not in RUNTIMES:
        return invalid(f"Value {data['Runtime']} at 'runtime' failed to satisfy constraint: not a supported runtime")
    return None


def assumable(arn):
    """Whether there is such a role, with that path, and its trust policy names Lambda."""
    role = iam._roles.get(arn.rpartition("/")[2])
    if role is None or role["Arn"] != arn:
        return False
    statements = listed(json.loads(role["AssumeRolePolicyDocument"])["Statement"])
    services = [statement["Principal"].get("Service", []) for statement in statements
                if statement.get("Effect") == "Allow" and isinstance(statement["Principal"], dict)]
    return any("lambda.amazonaws.com" in listed(service) for service in services)


def update(change, name, data):
    """An update waits for nothing: while another one is under way it is refused."""
    function = lambda_svc._functions.get(name)
    if function is None:
        return change(name, data)
    if error := configuration_error(data, creating=False):
        return error
    configuration = function["config"]
    arn = configuration["FunctionArn"]
    if configuration["State"] == "Pending":
        return error_response_json("ResourceConflictException", (
            "The operation cannot be performed at this time. The function is currently in the following state: Pending"), 409)
    if configuration["LastUpdateStatus"] == "InProgress":
        return error_response_json("ResourceConflictException", (
            f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"), 409)
    answer = change(name, data)
    # A function that is updated stays active meanwhile.
    configuration.update(State="Active", StateReason="", StateReasonCode="")
    return answer


def update_code(change, name, data):
    """A dry run checks the code and changes nothing."""
    function = lambda_svc._functions.get(name)
    if function is None or not data.get("DryRun"):
        return update(change, name, data)
    kept = {**function, "config": copy.deepcopy(function["config"])}
    answer = update(change, name, data)
    function.update(kept)
    return answer


def no_policy(name, *_qualifiers):
    """A function without any permission has no policy at all."""
    function = lambda_svc._functions.get(name)
    if function is None or function["policy"]["Statement"]:
        return None
    return error_response_json("ResourceNotFoundException", "The resource you requested does not exist.", 404)


def destination_error(name, _qualifier, data):
    """Lambda's refusal of a destination that is not there, or that the function's role may not send to."""
    function = lambda_svc._functions.get(name)
    if function is None:
        return None
    for destination in (data.get("DestinationConfig") or {}).values():
        arn = (destination or {}).get("Destination", "")
        service = arn.split(":")[2] if arn.count(":") > 4 else ""
        action = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}.get(service)
        there = {"sqs": lambda: sqs._queue_by_arn(arn), "sns": lambda: sns._topics.get(arn)}.get(service)
        if there and there() is None:
            return invalid("The provided destination config DestinationConfig is invalid.")
        if action and not role_allows(function["config"]["Role"], action, arn):
            call = action.split(":")[1]
            return invalid(f"The function's execution role does not have permissions to call {call} on {arn}")
    return None


def role_allows(arn, action, resource):
    """Whether the policies of a role allow that."""
    role = iam._roles.get(arn.rpartition("/")[2])
    if role is None:
        return False
    attached = [iam._policies.get(policy) for policy in role["AttachedPolicies"]]
    documents = [*role["InlinePolicies"].values(),
                 *(policy["Versions"][policy["DefaultVersionId"]]["Document"] for policy in attached if policy)]
    context = EvalContext(
        principal_arn=arn, principal_type="AssumedRole", principal_account=get_account_id(), action=action,
        resource_arn=resource, region=get_region(), secure_transport=True,
    )
    return evaluate(context, [parse_policy_document(document) for document in documents]).decision == "Allow"
