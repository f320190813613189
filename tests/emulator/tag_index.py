"""The index of tags has log groups, alarms, secrets and networks, too; roles are in none, as with AWS."""

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, cloudwatch_logs, ec2, secretsmanager, tagging


def install():
    tagging._COLLECTORS.update({"logs": log_groups, "cloudwatch": alarms, "secretsmanager": secrets, "ec2": networks})


def log_groups():
    for name, group in cloudwatch_logs._log_groups.items():
        yield f"arn:aws:logs:{get_region()}:{get_account_id()}:log-group:{name}", pairs(group["tags"])


def alarms():
    for alarm in cloudwatch._alarms.values():
        yield alarm["AlarmArn"], pairs(cloudwatch._resource_tags.get(alarm["AlarmArn"]) or {})


def secrets():
    for secret in secretsmanager._secrets.values():
        yield secret["ARN"], secret.get("Tags") or []


def networks():
    for kind, store in (
        ("vpc", ec2._vpcs),
        ("subnet", ec2._subnets),
        ("internet-gateway", ec2._internet_gateways),
        ("route-table", ec2._route_tables),
        ("security-group", ec2._security_groups),
        ("elastic-ip", ec2._addresses),
        ("natgateway", ec2._nat_gateways),
        ("vpc-endpoint", ec2._vpc_endpoints),
        ("volume", ec2._volumes),
        ("instance", ec2._instances),
    ):
        for name, one in store.items():
            state = one.get("State")
            if state == "deleted" or isinstance(state, dict) and state["Name"] == "terminated":
                continue
            yield f"arn:aws:ec2:{get_region()}:{get_account_id()}:{kind}/{name}", ec2._tags.get(name) or []


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]
