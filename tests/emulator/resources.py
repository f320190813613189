"""What a call is, and what it is about, where policies are checked: what AWS looks at, where ministack has another or none."""

import json
from email.utils import parseaddr
from urllib.parse import unquote

import cbor2
import caches
import databases
from ministack.core import iam_actions
from ministack.services import ec2, iam
from wrapping import replace


def install():
    replace(iam_actions, "extract_resource_arn", resource_arn)
    replace(iam_actions, "extract_iam_action", action_of)
    replace(iam_actions, "request_tag_context", with_boundary)


# Lambda's calls that ministack takes for others: method, end of the path, action.
LAMBDA = (
    ("GET", "/urls", "ListFunctionUrlConfigs"),
    ("DELETE", "/url", "DeleteFunctionUrlConfig"),
)


def action_of(otherwise, service, method, path, headers, *rest):
    """CloudWatch's action stands in the path where it speaks CBOR."""
    if service == "monitoring" and "/operation/" in path:
        return f"cloudwatch:{path.rpartition('/')[2]}"
    if service == "lambda":
        if method == "DELETE" and "/event-source-mappings/" in path:
            return "lambda:DeleteEventSourceMapping"
        known = [action for of, end, action in LAMBDA if of == method and path.rstrip("/").endswith(end)]
        if known:
            return f"lambda:{known[0]}"
    return otherwise(service, method, path, headers, *rest)


def resource_arn(otherwise, service, method, path, headers, body, parameters, region, account):
    action = (headers.get("x-amz-target") or path).rpartition("." if "x-amz-target" in headers else "/")[2]
    known = {"iam": role, "sns": tagged, "logs": log_groups, "monitoring": alarms, "lambda": function}.get(service)
    arn = known and known(action, body, parameters, f"{region}:{account}")
    if service == "kafka":
        arn = kafka(path, body, f"{region}:{account}")
    if service == "dynamodb":
        arn = table(body, f"{region}:{account}")
    if service == "rds":
        arn = databases.arn(parameters, f"{region}:{account}")
    if service == "elasticache":
        arn = caches.arn(parameters, f"{region}:{account}")
    if service == "ec2":
        kind, name = network(parameters)
        arn = kind and f"arn:aws:ec2:{region}:{account}:{kind}/{name}"
    if service == "ses" and path.endswith("/tags"):
        arn = one(parameters, "ResourceArn") or json.loads(body or b"{}").get("ResourceArn")
    if service == "ses" and path.endswith("/outbound-emails"):
        arn = sender(body, f"{region}:{account}")
    return arn or otherwise(service, method, path, headers, body, parameters, region, account)


def sender(body, place):
    """A mail is about the identity that it is from, as "Actions defined by Amazon SES v2" says; here its domain."""
    address = parseaddr(json.loads(body or b"{}").get("FromEmailAddress", ""))[1]
    return f"arn:aws:ses:{place}:identity/{address.rpartition('@')[2].lower()}"


# What a call of EC2 is about, by the first of these parameters that it has.
NETWORKS = (
    ("RouteTableId", "route-table"),
    ("InstanceId", "instance"),
    ("InstanceId.1", "instance"),
    ("VolumeId", "volume"),
    ("VpcEndpointId", "vpc-endpoint"),
    ("VpcEndpointId.1", "vpc-endpoint"),
    ("NatGatewayId", "natgateway"),
    ("AllocationId", "elastic-ip"),
    ("InternetGatewayId", "internet-gateway"),
    ("GroupId", "security-group"),
    ("SubnetId", "subnet"),
    ("VpcId", "vpc"),
)
TYPES = {
    "vpc": "vpc",
    "subnet": "subnet",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "sg": "security-group",
    "eipalloc": "elastic-ip",
    "nat": "natgateway",
    "vpce": "vpc-endpoint",
    "vol": "volume",
    "i": "instance",
}
# What is made by a call has no id and no tag before.
MADE = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateInternetGateway": "internet-gateway",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "AllocateAddress": "elastic-ip",
    "CreateNatGateway": "natgateway",
    "CreateVpcEndpoint": "vpc-endpoint",
    "CreateVolume": "volume",
    "RunInstances": "instance",
}


def network(parameters):
    """The type and the id of what a call that changes a network is about; nothing for other calls."""
    action = one(parameters, "Action") or ""
    if action.startswith("Describe"):
        return None, None
    if action in MADE:
        return MADE[action], "*"
    name = one(parameters, "ResourceId.1")
    if name:
        return TYPES.get(name.partition("-")[0]), name
    table = table_of(one(parameters, "AssociationId"))
    if table:
        return "route-table", table
    named = ((kind, one(parameters, parameter)) for parameter, kind in NETWORKS)
    return next(((kind, name) for kind, name in named if name), (None, None))


def table_of(association):
    """The route table that a subnet's association with it belongs to."""
    for table in ec2._route_tables.values():
        if any(known["RouteTableAssociationId"] == association for known in table["Associations"]):
            return table["RouteTableId"]
    return None


def tags_of(name):
    """The tags of what has that id in EC2."""
    return ec2._tags.get(name) or []


def table(body, place):
    """The calls about tags and policies name their table by its ARN."""
    asked = json.loads(body) if body[:1] == b"{" else {}
    name = asked.get("TableName")
    return asked.get("ResourceArn") or (name and f"arn:aws:dynamodb:{place}:table/{name.rpartition('/')[2]}")


def kafka(path, body, place):
    """A cluster by its ARN in the path, a topic by that and its name; one that is made is named in the body."""
    path = unquote(path)
    asked = json.loads(body) if body[:1] == b"{" else {}
    if "bootstrap-brokers" in path or "arn:" not in path:
        return f"arn:aws:kafka:{place}:cluster/{asked['clusterName']}/*" if "clusterName" in asked else "*"
    arn, _, end = path[path.index("arn:"):].partition("/topics")
    cluster = "/".join(arn.split("/")[:3])
    if "/topics" not in path:
        return cluster
    return f"{cluster.replace(':cluster/', ':topic/')}/{end.strip('/') or asked.get('topicName', '')}"


def with_boundary(otherwise, service, action, body, parameters):
    """iam:PermissionsBoundary is the one that the call gives a role, else the one that the role has."""
    context = otherwise(service, action, body, parameters)
    if service == "iam":
        role = iam._roles.get(one(parameters, "RoleName")) or {}
        boundary = one(parameters, "PermissionsBoundary") or role.get("PermissionsBoundary")
        context = {**context, **({"iam:PermissionsBoundary": boundary} if boundary else {})}
    if service == "ec2":
        tags = tags_of(network(parameters)[1] or "")
        context = {**context, **{f"aws:ResourceTag/{tag['Key']}": tag.get("Value", "") for tag in tags}}
        for number in range(1, 51):
            key = one(parameters, f"TagSpecification.1.Tag.{number}.Key")
            if key:
                context[f"aws:RequestTag/{key}"] = one(parameters, f"TagSpecification.1.Tag.{number}.Value")
    return context


def one(parameters, name):
    value = parameters.get(name, "")
    return value[0] if isinstance(value, list) else value


def role(_action, _body, parameters, place):
    """The path of a role or a profile is part of its ARN; of one that is not there IAM knows none."""
    profile = one(parameters, "InstanceProfileName")
    if profile:
        known = iam._instance_profiles.get(profile)
        path = one(parameters, "Path") or "/"
        return known["Arn"] if known else f"arn:aws:iam::{place.partition(':')[2]}:instance-profile{path}{profile}"
    name = one(parameters, "RoleName")
    if name in iam._roles:
        return iam._roles[name]["Arn"]
    path = one(parameters, "Path") or "/"
    return name and f"arn:aws:iam::{place.partition(':')[2]}:role{path}{name}"


def tagged(_action, _body, parameters, _place):
    """The calls about tags name their topic otherwise."""
    return one(parameters, "ResourceArn")


def log_groups(action, _body, _parameters, place):
    """A list of log groups is about all of them."""
    return action == "DescribeLogGroups" and f"arn:aws:logs:{place}:log-group::log-stream:"


def alarms(action, body, _parameters, place):
    """A list of alarms is about all of them; ministack does not look into what is no form."""
    try:
        asked = json.loads(body) if body[:1] == b"{" else cbor2.loads(body)
    except (ValueError, cbor2.CBORDecodeError):
        return None
    if action == "DescribeAlarms":
        return f"arn:aws:cloudwatch:{place}:alarm:*"
    name = asked.get("AlarmName") or next(iter(asked.get("AlarmNames") or []), None)
    return asked.get("ResourceARN") or (name and f"arn:aws:cloudwatch:{place}:alarm:{name}")


def function(action, body, _parameters, place):
    """A function that is made is named in the body."""
    name = action == "functions" and body and json.loads(body).get("FunctionName")
    return name and f"arn:aws:lambda:{place}:function:{name}"
