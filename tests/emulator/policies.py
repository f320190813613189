"""Policies that AWS refuses, and what it says of roles."""

import json
import re

from ministack import app
from ministack.core.iam_evaluator import validate_policy_document
from ministack.core.responses import get_account_id
from ministack.services import iam, s3, sns, sqs
from wrapping import before, listed, replace


def install():
    before(s3, "_put_bucket_policy", bucket_policy_error)
    before(sns, "_set_topic_attributes", topic_policy_error)
    replace(sqs, "_validate_numeric_attrs", queue_policy)
    replace(iam, "_trust_policy_not_principal_error", trust_policy_error)
    before(iam._IAM_HANDLERS, "AttachRolePolicy", attachment_error)
    replace(iam._IAM_HANDLERS, "ListRoles", list_roles)
    # Policies that demand TLS hold as on AWS, where no plain connection comes so far as a policy.
    replace(app, "pin_request_origin", lambda pin, address, secure: pin(address, True))


def bucket_policy_error(name, body):
    """S3's refusal of a policy that is none, names nobody, or speaks of another bucket."""
    if name not in s3._buckets:
        return None
    text = body.decode("utf-8", "replace")
    error = validate_policy_document(text)
    statements = [] if error else listed(json.loads(text)["Statement"])
    if not all("Principal" in statement or "NotPrincipal" in statement for statement in statements):
        error = "Missing required field Principal"
    arn = f"arn:aws:s3:::{name}"
    resources = [resource for statement in statements for resource in listed(statement.get("Resource", arn))]
    if not all(resource == arn or resource.startswith(f"{arn}/") for resource in resources):
        error = "Policy has invalid resource"
    return s3._error("MalformedPolicy", error, 400, f"/{name}") if error else None


def topic_policy_error(parameters):
    """SNS's refusal of a policy that is none."""
    value = sns._p(parameters, "AttributeValue")
    if sns._p(parameters, "AttributeName") == "Policy" and (error := validate_policy_document(value)):
        return sns._error("InvalidParameter", f"Invalid parameter: Policy Error: {error}", 400)
    return None


def queue_policy(check, attributes):
    """SQS's refusal of a policy that is none, after its refusals of numbers."""
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


def attachment_error(parameters):
    """IAM's refusal of a policy of the account that is not there; those of AWS are taken for granted."""
    policy = iam._p(parameters, "PolicyArn")
    if policy.split(":")[4:5] == [get_account_id()] and policy not in iam._policies:
        return iam._error(404, "NoSuchEntity", f"Policy {policy} does not exist or is not attachable.", ns="iam")
    return None


def list_roles(answer, parameters):
    """A list of roles says nothing of their tags."""
    status, headers, body = answer(parameters)
    text = body.decode() if isinstance(body, bytes) else body
    return status, headers, re.sub(r"<Tags>.*?</Tags>", "", text, flags=re.DOTALL).encode()
