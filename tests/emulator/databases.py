"""RDS's databases with what ministack leaves out: secrets that RDS manages, the states in which one is made, changed and deleted, what waits
until it is changed, its key, its backup window, and changes of its port, its password and its corrections. Groups in use cannot be deleted.

The subnets of a declaration need not be there: a test has no network.
"""

import json
import uuid

from ministack.core.responses import get_account_id, get_region
from ministack.services import rds, secretsmanager, tagging
from wrapping import before, replace

# Reads that still see a new database as one that is being made, or one whose class changes as one that is being changed.
MAKING = 2
# Reads, and refused calls, that still see a deleted one on its way out.
ENDING = 6
# What takes a while to change: until then it is told beside what is.
SLOW = ("DBInstanceClass", "AllocatedStorage", "StorageType", "EngineVersion", "MultiAZ")


def install():
    replace(rds, "_resolve_subnet_group_members", any_subnets)
    handlers = next(table for table in vars(rds).values() if isinstance(table, dict) and "CreateDBInstance" in table)
    replace(handlers, "CreateDBInstance", created)
    replace(handlers, "ModifyDBInstance", modified)
    replace(handlers, "DescribeDBInstances", described)
    replace(handlers, "DeleteDBInstance", deleted)
    before(handlers, "DeleteDBSubnetGroup", subnets_in_use)
    before(handlers, "DeleteDBParameterGroup", parameters_in_use)
    replace(rds, "_instance_xml", with_secret)
    tagging._COLLECTORS["rds"] = tags


def any_subnets(_resolve, subnets):
    zones = zip(subnets, "abcabc")
    named = [
        {
            "SubnetIdentifier": subnet,
            "SubnetAvailabilityZone": {"Name": f"{get_region()}{zone}"},
            "SubnetOutpost": {},
            "SubnetStatus": "Active",
        }
        for subnet, zone in zones
    ]
    return named, "vpc-0a1b2c3d"


def given(parameters, name):
    value = parameters.get(name)
    return value[0] if isinstance(value, list) else value


def found(parameters):
    return rds._instances.get(given(parameters, "DBInstanceIdentifier"))


def created(create, parameters):
    group = given(parameters, "DBSubnetGroupName")
    if group and group not in rds._subnet_groups:
        return rds._error("DBSubnetGroupNotFoundFault", f"DB subnet group '{group}' does not exist.", 404)
    if given(parameters, "ManageMasterUserPassword") == "true" and given(parameters, "MasterUserPassword"):
        return rds._error("InvalidParameterCombination", "You can't specify MasterUserPassword for a managed one.", 400)
    status, headers, body = create(parameters)
    if status != 200:
        return status, headers, body
    one = found(parameters)
    one.update({"DBInstanceStatus": "creating", "_reads": MAKING})
    # AWS tells the whole version.
    one["EngineVersion"] = {"8.4": "8.4.9"}.get(one["EngineVersion"], one["EngineVersion"])
    if given(parameters, "PreferredBackupWindow"):
        one["PreferredBackupWindow"] = given(parameters, "PreferredBackupWindow")
    if one["StorageEncrypted"] and not one["KmsKeyId"]:
        one["KmsKeyId"] = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/aws-rds"
    if given(parameters, "ManageMasterUserPassword") == "true":
        keep_password(one)
    return status, headers, body


def keep_password(one):
    """The secret of a database: RDS makes it and tags it with its database."""
    name = f"rds!db-{uuid.uuid4()}"
    value = json.dumps({"username": one["MasterUsername"], "password": uuid.uuid4().hex})
    tags = [{"Key": "aws:rds:primaryDBInstanceArn", "Value": one["DBInstanceArn"]}]
    secretsmanager._create_secret({"Name": name, "SecretString": value})
    secret = secretsmanager._secrets[name]
    secret["Tags"] = tags
    one["MasterUserSecret"] = secret["ARN"]


def modified(modify, parameters):
    one = found(parameters)
    if one is not None and one["DBInstanceStatus"] != "available":
        words = f"Database instance {one['DBInstanceIdentifier']} is not in available state."
        return rds._error("InvalidDBInstanceState", words, 400)
    was = {name: one.get(name) for name in SLOW} if one else {}
    status, headers, body = modify(parameters)
    if one is None or status != 200:
        return status, headers, body
    if given(parameters, "AutoMinorVersionUpgrade"):
        one["AutoMinorVersionUpgrade"] = given(parameters, "AutoMinorVersionUpgrade") == "true"
    if given(parameters, "ManageMasterUserPassword") == "true" and "MasterUserSecret" not in one:
        keep_password(one)
    if given(parameters, "ManageMasterUserPassword") == "false":
        one.pop("MasterUserSecret", None)
    if given(parameters, "ApplyImmediately") == "true":
        begin(one, was, given(parameters, "DBPortNumber"))
    return status, headers, body


def begin(one, was, port):
    """What others let wait is changed together with what this call changes."""
    waits = one["PendingModifiedValues"]
    for name, value in was.items():
        if one.get(name) != value:
            waits[name], one[name] = one[name], value
    if port:
        waits["Port"] = int(port)
    if waits:
        # It is called available for a moment more.
        one["_reads"] = MAKING + 3


def look():
    """Lets time pass: one that is on its way to another state comes nearer to it."""
    for name, one in list(rds._instances.items()):
        if not one.get("_reads"):
            continue
        one["_reads"] -= 1
        if one["_reads"] and one["DBInstanceStatus"] == "available":
            one["DBInstanceStatus"] = "modifying"
        elif not one["_reads"] and one["DBInstanceStatus"] == "deleting":
            del rds._instances[name]
            rds._tags.pop(one["DBInstanceArn"], None)
        elif not one["_reads"]:
            waits, one["PendingModifiedValues"] = one["PendingModifiedValues"], {}
            one["Endpoint"]["Port"] = waits.pop("Port", one["Endpoint"]["Port"])
            one.update({**waits, "DBInstanceStatus": "available"})


def described(describe, parameters):
    answer = describe(parameters)
    look()
    return answer


def deleted(delete, parameters):
    one = found(parameters)
    both = given(parameters, "SkipFinalSnapshot") == "true", bool(given(parameters, "FinalDBSnapshotIdentifier"))
    if one and one["DBInstanceStatus"] == "deleting":
        words = f"Instance {one['DBInstanceIdentifier']} is already being deleted."
        return rds._error("InvalidDBInstanceState", words, 400)
    if one and not one.get("DeletionProtection") and both in ((True, True), (False, False)):
        words = "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        return rds._error("InvalidParameterCombination", words, 400)
    tags = rds._tags.get(one["DBInstanceArn"]) if one else None
    status, headers, body = delete(parameters)
    if status != 200:
        return status, headers, body
    if one.get("MasterUserSecret"):
        for name in [name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == one["MasterUserSecret"]]:
            del secretsmanager._secrets[name]
    # Its name, its groups and its network interfaces are taken until its end.
    rds._instances[one["DBInstanceIdentifier"]] = one
    if tags is not None:
        rds._tags[one["DBInstanceArn"]] = tags
    one.update({"DBInstanceStatus": "deleting", "_reads": ENDING})
    return status, headers, body


def subnets_in_use(parameters):
    name = given(parameters, "DBSubnetGroupName")
    if any(one["DBSubnetGroup"]["DBSubnetGroupName"] == name for one in rds._instances.values()):
        look()
        words = f"Cannot delete the subnet group '{name}' because at least one database instance is still using it."
        return rds._error("InvalidDBSubnetGroupStateFault", words, 400)
    return None


def parameters_in_use(parameters):
    name = given(parameters, "DBParameterGroupName")
    used = [group["DBParameterGroupName"] for one in rds._instances.values() for group in one["DBParameterGroups"]]
    if name in used:
        look()
        return rds._error("InvalidDBParameterGroupState", "One or more database instances are still members.", 400)
    return None


def has(place, name):
    """Whether a database, if only one that is on its way out, has network interfaces in a subnet or with a security group."""
    for one in rds._instances.values():
        subnets = [subnet["SubnetIdentifier"] for subnet in one["DBSubnetGroup"].get("Subnets", [])]
        groups = [group["VpcSecurityGroupId"] for group in one["VpcSecurityGroups"]]
        if name in {"subnet": subnets, "group": groups}[place]:
            return True
    return False


def with_secret(xml, one):
    secret = one.get("MasterUserSecret")
    text = f"<MasterUserSecret><SecretArn>{secret}</SecretArn><SecretStatus>active</SecretStatus></MasterUserSecret>"
    return xml(one) + (text if secret else "<MasterUserSecret/>")


def tags():
    for arn, pairs in rds._tags.items():
        yield arn, pairs


def arn(parameters, place):
    """What a call is about, for the check of rights."""
    for name, part in (("DBInstanceIdentifier", "db"), ("DBSubnetGroupName", "subgrp"), ("DBParameterGroupName", "pg")):
        if given(parameters, name):
            return f"arn:aws:rds:{place}:{part}:{given(parameters, name)}"
    return given(parameters, "ResourceName") or given(parameters, "ResourceArn")
