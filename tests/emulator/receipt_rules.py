"""SES's receipt rules: the actions that ministack lacks, recipients as they were sent, and SES's checks of targets.

SES refuses a rule whose bucket it may not write to, whose function it may not invoke or whose topic it may not publish to.
It asks the policies of these, with the conditions that it fills: the account and the rule's ARN.
"""

import copy

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, s3, ses, sns
from queries import add_actions, done, members, parameter, refused

MOST_RULES = 200
MOST_SETS = 40
SETUP_NOTE = "AMAZON_SES_SETUP_NOTIFICATION"


def install():
    check_form, create_set = ses._receipt_rule_error, ses._create_receipt_rule_set

    def check(rule):
        # Ministack sorts recipients and takes their case away; AWS keeps what it was sent.
        sent = list(rule.get("Recipients", []))
        if error := check_form(rule):
            return error
        if "Recipients" in rule:
            rule["Recipients"] = sent
        return None

    def create_rule_set(parameters):
        if len(list(ses._receipt_rule_sets)) >= MOST_SETS:
            return refused("LimitExceeded", f"Exceeded the limit of {MOST_SETS} rule sets")
        return create_set(parameters)

    ses._receipt_rule_error = check
    ses._create_receipt_rule_set = create_rule_set
    create = ses._create_receipt_rule
    add_actions({
        "CreateReceiptRule": lambda parameters: create_rule(parameters, create),
        "UpdateReceiptRule": update_rule,
        "SetReceiptRulePosition": set_position,
        "ReorderReceiptRuleSet": reorder,
        "CloneReceiptRuleSet": clone,
    })


def rules_of(parameters, name="RuleSetName"):
    """The rules of the set that is named, or SES's refusal."""
    named = ses._receipt_rule_sets.get(parameter(parameters, name))
    return (named["Rules"], None) if named else (None, ses._receipt_missing_set(parameter(parameters, name)))


def position(rules, name):
    """Where a rule stands, or SES's refusal."""
    for index, rule in enumerate(rules):
        if rule["Name"] == name:
            return index, None
    return None, refused("RuleDoesNotExist", f"Rule does not exist: {name}")


def create_rule(parameters, create):
    rules, missing = rules_of(parameters)
    if not missing:
        if len(rules) >= MOST_RULES:
            return refused("LimitExceeded", f"Exceeded the limit of {MOST_RULES} rules in a rule set")
        rule = ses._receipt_rule_from_params(parameters)
        # An error of form comes before one of the targets, and a copy keeps it from being found twice.
        if not ses._receipt_rule_error(copy.deepcopy(rule)) and (error := check_targets(parameters, rule)):
            return error
    answer = create(parameters)
    if answer[0] == 200:
        leave_notes(ses._receipt_rule_from_params(parameters))
    return answer


def update_rule(parameters):
    rules, error = rules_of(parameters)
    if error:
        return error
    rule = ses._receipt_rule_from_params(parameters)
    if error := ses._receipt_rule_error(rule):
        return error
    index, error = position(rules, rule["Name"])
    if error := error or check_targets(parameters, rule):
        return error
    rules[index] = rule
    leave_notes(rule)
    return done("UpdateReceiptRule")


def leave_notes(rule):
    """SES tries a bucket by writing to it, and what it writes stays there: an object that is no mail."""
    for action in rule["Actions"]:
        if fields := action.get("S3Action"):
            key = fields.get("ObjectKeyPrefix", "") + SETUP_NOTE
            s3._put_object(fields["BucketName"], key, b"This bucket receives mail.\n", {})


def set_position(parameters):
    rules, error = rules_of(parameters)
    if error:
        return error
    index, error = position(rules, parameter(parameters, "RuleName"))
    if error:
        return error
    before, place = rules[:index] + rules[index + 1:], 0
    if after := parameter(parameters, "After"):
        place, error = position(before, after)
        if error:
            return error
        place += 1
    rules[:] = before[:place] + [rules[index]] + before[place:]
    return done("SetReceiptRulePosition")


def reorder(parameters):
    rules, error = rules_of(parameters)
    if error:
        return error
    wanted, by_name = members(parameters, "RuleNames"), {rule["Name"]: rule for rule in rules}
    for name in wanted:
        if name not in by_name:
            return refused("RuleDoesNotExist", f"Rule does not exist: {name}")
    if sorted(wanted) != sorted(by_name):
        return refused("InvalidParameterValue", "The names of all rules of the rule set must be given, each once")
    rules[:] = [by_name[name] for name in wanted]
    return done("ReorderReceiptRuleSet")


def clone(parameters):
    _, error = rules_of(parameters, "OriginalRuleSetName")
    if error:
        return error
    # The original's own creation, so that the name is checked as it is there.
    answer = ses._create_receipt_rule_set(parameters)
    if answer[0] == 200:
        original = ses._receipt_rule_sets[parameter(parameters, "OriginalRuleSetName")]
        ses._receipt_rule_sets[parameter(parameters, "RuleSetName")]["Rules"] = copy.deepcopy(original["Rules"])
        return done("CloneReceiptRuleSet")
    return answer


def check_targets(parameters, rule):
    """SES's refusal of a rule whose targets do not let SES in."""
    source = f"arn:aws:ses:{get_region()}:{get_account_id()}:receipt-rule-set/{parameter(parameters, 'RuleSetName')}" \
        f":receipt-rule/{rule['Name']}"
    for action in rule["Actions"]:
        kind, fields = next(iter(action.items()))
        if kind == "S3Action" and not may_store(fields, source):
            return refused("InvalidS3Configuration", f"Could not write to bucket: {fields.get('BucketName')}")
        if kind == "LambdaAction" and not may_invoke(fields, source):
            return refused("InvalidLambdaFunction", f"Could not invoke Lambda function: {fields.get('FunctionArn')}")
        if (topic := fields.get("TopicArn")) and not may_publish(topic, source):
            return refused("InvalidSnsTopic", f"Could not publish to SNS topic: {topic}")
    return None


def may_store(fields, source):
    bucket = fields.get("BucketName")
    key = f"{bucket}/{fields.get('ObjectKeyPrefix', '')}{SETUP_NOTE}"
    return bucket in s3._buckets and allows(s3._bucket_policies.get(bucket), "s3:PutObject", f"arn:aws:s3:::{key}", source)


def may_invoke(fields, source):
    arn = fields.get("FunctionArn", "")
    function = lambda_svc._functions.get(arn.partition(":function:")[2].split(":")[0])
    return function is not None and allows(function["policy"], "lambda:InvokeFunction", arn, source)


def may_publish(arn, source):
    topic = sns._topics.get(arn)
    # The default policy of a topic lets its own account in, and SES publishes for that account.
    return topic is not None and (
        allows(topic["attributes"].get("Policy"), "sns:Publish", arn, source, sourceowner=True))


def allows(policy, action, resource, source, sourceowner=False):
    """Whether a resource's policy lets SES in, which acts for the account and the rule, over TLS."""
    keys = {"aws:sourcearn": source, "aws:sourceaccount": get_account_id(), "aws:referer": get_account_id()}
    if sourceowner:
        keys["aws:sourceowner"] = get_account_id()
    context = EvalContext(
        principal_arn="*", principal_type="Service", principal_account="", action=action, resource_arn=resource,
        region=get_region(), secure_transport=True, service_context=keys,
    )
    return evaluate_resource_policy(policy, context, service="ses.amazonaws.com").decision == "Allow"
