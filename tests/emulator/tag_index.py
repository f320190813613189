"""The index of tags has log groups, alarms and secrets, too; roles are in none, as with AWS."""

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, cloudwatch_logs, secretsmanager, tagging


def install():
    tagging._COLLECTORS.update({"logs": log_groups, "cloudwatch": alarms, "secretsmanager": secrets})


def log_groups():
    for name, group in cloudwatch_logs._log_groups.items():
        yield f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}", pairs(group["tags"])


def alarms():
    for alarm in cloudwatch._alarms.values():
        yield alarm["AlarmArn"], pairs(cloudwatch._resource_tags.get(alarm["AlarmArn"]) or {})


def secrets():
    for secret in secretsmanager._secrets.values():
        yield secret["ARN"], secret.get("Tags") or []


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]
