"""AWS's answers where ministack's would let a mistake of ours pass: what AWS refuses, and what it says of new things.

Each extension wraps a function of ministack 1.5.33 by name; should another version no longer have it, starting fails.
"""

import functools
import json

from ministack import app
from ministack.core.iam_evaluator import validate_policy_document
from ministack.core.responses import error_response_json
from ministack.services import iam, lambda_svc, s3, sns, sqs

MEMORY = (128, 10240)
TIMEOUT = (1, 900)
RUNTIMES = ("provided.al2023", "provided.al2", "python3.12", "python3.13", "nodejs22.x", "nodejs24.x", "java21")


def install():
    before(lambda_svc, "_create_function", lambda data: function_error(data, creating=True))
    before(lambda_svc, "_update_config", lambda name, data: function_error(data, creating=False))
    before(lambda_svc, "_get_policy", no_policy)
    before(s3, "_put_bucket_policy", bucket_policy_error)
    before(sns, "_set_topic_attributes", topic_policy_error)
    replace(lambda_svc, "_update_code", update_code)
    replace(iam, "_trust_policy_not_principal_error", trust_policy_error)
    replace(sqs, "_validate_numeric_attrs", queue_attributes)
    # New buckets block all public access.
    s3._new_bucket_public_access_block = lambda: {"_public_access_block": s3._NEW_BUCKET_PUBLIC_ACCESS_BLOCK}
    # Policies that demand TLS hold as on AWS, where no plain connection comes so far as a policy.
    replace(app, "pin_request_origin", lambda pin, address, secure: pin(address, True))


def replace(module, name, replacement):
    """Puts a function in the place of another, and gives it that one first."""
    replaced = getattr(module, name)
    setattr(module, name, functools.wraps(replaced)(functools.partial(replacement, replaced)))


def before(module, name, check):
    """Lets a check answer in the place of a function; without an answer the function does."""
    replace(module, name, lambda function, *arguments: check(*arguments) or function(*arguments))


def invalid(message):
    return error_response_json("InvalidParameterValueException", message, 400)


def function_error(data, creating):
    """Lambda's refusal of a function's configuration."""
    if (creating or "Role" in data) and not assumable(data.get("Role", "")):
        return invalid("The role defined for the function cannot be assumed by Lambda.")
    for key, (least, most) in (("MemorySize", MEMORY), ("Timeout", TIMEOUT)):
        if key in data and not least <= data[key] <= most:
            bound = f"less than or equal to {most}" if data[key] > most else f"greater than or equal to {least}"
            field = key[0].lower() + key[1:]
            return error_response_json("ValidationException", (
                f"1 validation error detected: Value '{data[key]}' at '{field}' failed to satisfy constraint: "
                f"Member must have value {bound}"), 400)
    if data.get("Runtime") and data["Runtime"] not in RUNTIMES:
        return invalid(f"Value {data['Runtime']} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set")
    return None


def assumable(role):
    """Whether there is such a role, with that path, and its trust policy names Lambda."""
    found = iam._roles.get(role.rpartition("/")[2])
    if found is None or found["Arn"] != role:
        return False
    try:
        statements = json.loads(found["AssumeRolePolicyDocument"]).get("Statement", [])
    except ValueError:
        return False
    services = [statement["Principal"].get("Service", []) for statement in listed(statements)
                if statement.get("Effect") == "Allow" and isinstance(statement.get("Principal"), dict)]
    return any("lambda.amazonaws.com" in listed(service) for service in services)


def listed(one_or_more):
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]


def no_policy(name, *_qualifiers):
    """A function without any permission has no policy at all."""
    function = lambda_svc._functions.get(name)
    if function is not None and not function["policy"]["Statement"]:
        return error_response_json(
            "ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return None


def update_code(update, name, data):
    """A dry run checks the code and changes nothing."""
    if data.get("DryRun") and name in lambda_svc._functions:
        function = lambda_svc._functions[name]
        kept = {key: json.loads(json.dumps(value)) if key == "config" else value for key, value in function.items()}
        answer = update(name, data)
        function.update(kept)
        return answer
    return update(name, data)


def bucket_policy_error(name, body):
    """S3's refusal of a policy that is none, names nobody, or speaks of another bucket."""
    if name not in s3._buckets:
        return None
    text = body.decode("utf-8", "replace")
    error = validate_policy_document(text)
    statements = [] if error else listed(json.loads(text)["Statement"])
    if not error and not all("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        error = "Missing required field Principal"
    arn = f"arn:aws:s3:::{name}"
    resources = [resource for statement in statements for resource in listed(statement.get("Resource", arn))]
    if not error and not all(resource == arn or resource.startswith(f"{arn}/") for resource in resources):
        error = "Policy has invalid resource"
    return s3._error("MalformedPolicy", error, 400, f"/{name}") if error else None


def topic_policy_error(parameters):
    """SNS's refusal of a policy that is none."""
    value = sns._p(parameters, "AttributeValue")
    if sns._p(parameters, "AttributeName") == "Policy" and (error := validate_policy_document(value)):
        return sns._error("InvalidParameter", f"Invalid parameter: Policy Error: {error}", 400)
    return None


def queue_attributes(check, attributes):
    """SQS's refusal of a policy that is none."""
    check(attributes)
    if attributes.get("Policy") and validate_policy_document(str(attributes["Policy"])):
        raise sqs._Err("InvalidAttributeValue", "Invalid value for the parameter Policy.", 400)


def trust_policy_error(check, document):
    """IAM's refusal of a trust policy that is none."""
    try:
        statements = listed(json.loads(document)["Statement"])
    except (ValueError, TypeError, KeyError):
        return "This policy contains invalid Json"
    if not statements or not all(isinstance(statement, dict) and "Principal" in statement for statement in statements):
        return "Missing required field Principal"
    if any("Resource" in statement or "NotResource" in statement for statement in statements):
        return "Has prohibited field Resource"
    return check(document)
