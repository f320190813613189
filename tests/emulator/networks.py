"""EC2's networks with what ministack leaves out: filters of endpoints and addresses by tags and states, the address of a NAT gateway, the
time in which one is made and goes, and what EC2 refuses to delete while something is in it.
"""

import sys

import caches
import databases
import servers
from ministack.services import ec2
from wrapping import before, replace

# Reads that still see a new NAT gateway as pending, or one that goes as deleting.
STEPS = 2


def install():
    handlers = ec2._ACTION_MAP
    replace(handlers, "DescribeVpcEndpoints", endpoints)
    replace(handlers, "DescribeAddresses", addresses)
    replace(handlers, "CreateNatGateway", made)
    replace(handlers, "DescribeNatGateways", described)
    replace(handlers, "DeleteNatGateway", deleted)
    before(handlers, "ReleaseAddress", in_use)
    before(handlers, "DeleteSubnet", lambda parameters: taken("subnet", ec2._p(parameters, "SubnetId")))
    before(handlers, "DeleteSecurityGroup", lambda parameters: taken("group", ec2._p(parameters, "GroupId")))


def filtered(store, state):
    """What a describe with filters leaves of a store of ministack's; the filters by tags and state alone."""

    def wrapper(describe, parameters):
        filters = ec2._parse_filters(parameters)
        tags = {name[4:]: values for name, values in filters.items() if name.startswith("tag:")}
        left = {}
        for name, one in list(store().items()):
            known = {tag["Key"]: tag.get("Value", "") for tag in ec2._tags.get(name) or []}
            fits = all(known.get(key) in values for key, values in tags.items())
            for filter, field in ((state, "State"), ("vpc-id", "VpcId")):
                fits = fits and one.get(field) in filters.get(filter, [one.get(field)])
            if not fits:
                left[name] = store().pop(name)
        try:
            return describe(parameters)
        finally:
            for name, one in left.items():
                store()[name] = one

    return wrapper


endpoints = filtered(lambda: ec2._vpc_endpoints, "vpc-endpoint-state")
addresses = filtered(lambda: ec2._addresses, "state")


def made(create, parameters):
    before_it = set(ec2._nat_gateways.keys())
    status, headers, body = create(parameters)
    for name in set(ec2._nat_gateways.keys()) - before_it:
        ec2._nat_gateways[name].update({"State": "pending", "_reads": STEPS})
    return status, headers, body


def look():
    """Lets time pass: one that is on its way to another state comes nearer to it."""
    for one in ec2._nat_gateways.values():
        if one.get("_reads"):
            one["_reads"] -= 1
            if not one["_reads"]:
                one["State"] = {"pending": "available", "deleting": "deleted"}[one["State"]]


def has(place, name):
    """Whether a NAT gateway that is not at its end is in a subnet."""
    return place == "subnet" and any(one["SubnetId"] == name and one["State"] != "deleted" for one in ec2._nat_gateways.values())


def taken(place, name):
    """What has network interfaces keeps their subnet and their security groups. A refused call lets time pass."""
    for module in (databases, caches, servers, sys.modules[__name__]):
        if module.has(place, name):
            module.look()
            return ec2._error("DependencyViolation", f"The {place} '{name}' has dependencies and cannot be deleted.", 400)
    return None


def described(describe, parameters):
    answer = describe(parameters)
    look()
    status, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body
    for name, one in ec2._nat_gateways.items():
        address = f"<natGatewayAddressSet><item><allocationId>{one['AllocationId']}</allocationId></item></natGatewayAddressSet>"
        head, found, tail = text.partition(f"<natGatewayId>{name}</natGatewayId>")
        if found:
            text = head + found + tail.replace("<natGatewayAddressSet/>", address, 1)
    return status, headers, text.encode() if isinstance(body, bytes) else text


def deleted(delete, parameters):
    answer = delete(parameters)
    if answer[0] == 200:
        name = ec2._p(parameters, "NatGatewayId")
        ec2._nat_gateways[name].update({"State": "deleting", "_reads": STEPS})
    return answer


def in_use(parameters):
    """An address that something has cannot be given back."""
    address = ec2._p(parameters, "AllocationId")
    used = [one for one in ec2._nat_gateways.values() if one["AllocationId"] == address and one["State"] != "deleted"]
    if used or (ec2._addresses.get(address) or {}).get("AssociationId"):
        return ec2._error("InvalidIPAddress.InUse", f"Address '{address}' is in use.", 400)
    return None
