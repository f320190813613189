"""EC2's servers with what ministack leaves out: their network interface, script, metadata, protection and changes, the disks that they have,
and the time in which they start, stop and go.
"""

import base64
import re

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2
from wrapping import before, replace

# EC2's limit of user data, before Base64.
MOST_USER_DATA = 16 * 1024
# Reads that still see a server on its way from one state to another.
STEPS = 2
# What a state becomes.
NEXT = {"pending": (16, "running"), "stopping": (80, "stopped"), "shutting-down": (48, "terminated")}


def install():
    handlers = ec2._ACTION_MAP
    replace(handlers, "RunInstances", run)
    replace(handlers, "DescribeInstances", described)
    replace(handlers, "DescribeInstanceAttribute", attribute)
    replace(handlers, "StartInstances", on_its_way("pending", 0))
    replace(handlers, "StopInstances", on_its_way("stopping", 64))
    replace(handlers, "TerminateInstances", on_its_way("shutting-down", 32))
    before(handlers, "TerminateInstances", protected)
    replace(handlers, "CreateVolume", encrypted)
    replace(ec2, "_volume_inner_xml", with_key)
    before(handlers, "AttachVolume", attach)
    before(handlers, "DetachVolume", detach)
    before(handlers, "AssociateAddress", associate)
    replace(handlers, "DescribeAddresses", addresses)
    replace(ec2, "_instance_xml", with_metadata)
    handlers["ModifyInstanceAttribute"] = modify
    handlers["ModifyInstanceMetadataOptions"] = metadata
    handlers["DescribeInstanceTypeOfferings"] = offerings


def p(parameters, name):
    return ec2._p(parameters, name)


def run(launch, parameters):
    """Subnet and groups are those of the network interface; a profile that is not there is refused."""
    name = p(parameters, "IamInstanceProfile.Name")
    if name and ec2._resolve_iam_instance_profile(iam_name=name)[1]:
        return ec2._resolve_iam_instance_profile(iam_name=name)[1]
    for token, one in ec2._instances.items():
        if p(parameters, "ClientToken") and one.get("_token") == p(parameters, "ClientToken"):
            body = f"<instancesSet>{ec2._instance_xml(one)}</instancesSet>"
            return ec2._xml(200, "RunInstancesResponse", body)
    plain = dict(parameters)
    plain["SubnetId"] = [p(parameters, "NetworkInterface.1.SubnetId")]
    for key, value in parameters.items():
        group = re.fullmatch(r"NetworkInterface\.1\.SecurityGroupId\.(\d+)", key)
        if group:
            plain[f"SecurityGroupId.{group[1]}"] = value
    if len(base64.b64decode(p(parameters, "UserData"))) > MOST_USER_DATA:
        return ec2._error("InvalidParameterValue", "User data is limited to 16384 bytes", 400)
    there = set(ec2._instances.keys())
    answer = launch(plain)
    for name in set(ec2._instances.keys()) - there:
        zone = (ec2._subnets.get(p(plain, "SubnetId")) or {}).get("AvailabilityZone")
        one = ec2._instances[name]
        if zone:
            one["Placement"]["AvailabilityZone"] = zone
        one["Architecture"] = architecture(one["InstanceType"])
        one.update(
            {
                "State": {"Code": 0, "Name": "pending"},
                "_reads": STEPS,
                "_token": p(parameters, "ClientToken"),
                "_tokens": p(parameters, "MetadataOptions.HttpTokens") or "optional",
                "_protected": p(parameters, "DisableApiTermination") == "true",
            }
        )
    return answer


def look():
    """Lets time pass: one that is on its way to another state comes nearer to it."""
    for one in ec2._instances.values():
        if one.get("_reads"):
            one["_reads"] -= 1
            if not one["_reads"] and one["State"]["Name"] in NEXT:
                code, name = NEXT[one["State"]["Name"]]
                one["State"] = {"Code": code, "Name": name}
                if name == "terminated":
                    gone(one["InstanceId"])


def described(describe, parameters):
    look()
    ids = ec2._parse_filters(parameters).get("instance-id")
    if ids:
        left = {name: ec2._instances.pop(name) for name in list(ec2._instances.keys()) if name not in ids}
        try:
            return describe(parameters)
        finally:
            for name, one in left.items():
                ec2._instances[name] = one
    return describe(parameters)


def has(place, name):
    """Whether a server that is not at its end has its network interface in a subnet or with a security group."""
    for one in ec2._instances.values():
        groups = [group["GroupId"] for group in one.get("SecurityGroups", [])]
        if one["State"]["Name"] != "terminated" and name in {"subnet": [one.get("SubnetId")], "group": groups}[place]:
            return True
    return False


def gone(name):
    """A server that is gone gives back its disks and its address; its own disk goes with it."""
    for volume in [key for key, one in ec2._volumes.items() if any(at["InstanceId"] == name for at in one["Attachments"])]:
        if any(at["DeleteOnTermination"] for at in ec2._volumes[volume]["Attachments"]):
            del ec2._volumes[volume]
        else:
            ec2._volumes[volume].update({"Attachments": [], "State": "available"})
    for one in ec2._addresses.values():
        if one.get("InstanceId") == name:
            one.update({"InstanceId": None, "AssociationId": None})


def on_its_way(state, code):
    def wrapper(change, parameters):
        answer = change(parameters)
        if answer[0] == 200:
            for name in ec2._parse_member_list(parameters, "InstanceId"):
                ec2._instances[name].update({"State": {"Code": code, "Name": state}, "_reads": STEPS})
        return answer

    return wrapper


def protected(parameters):
    for name in ec2._parse_member_list(parameters, "InstanceId"):
        if (ec2._instances.get(name) or {}).get("_protected"):
            words = f"The instance '{name}' may not be terminated. Modify its 'disableApiTermination' instance attribute."
            return ec2._error("OperationNotPermitted", words, 400)
    return None


def attribute(describe, parameters):
    one = ec2._instances.get(p(parameters, "InstanceId"))
    name = p(parameters, "Attribute")
    if one and name in ("userData", "disableApiTermination"):
        value = one.get("UserData", "") if name == "userData" else str(bool(one.get("_protected"))).lower()
        inner = f"<{name}><value>{ec2._esc(value)}</value></{name}>" if value else f"<{name}/>"
        return ec2._xml(200, "DescribeInstanceAttributeResponse", f"<instanceId>{one['InstanceId']}</instanceId>{inner}")
    return describe(parameters)


def modify(parameters):
    one = ec2._instances.get(p(parameters, "InstanceId"))
    if not one:
        return ec2._error("InvalidInstanceID.NotFound", "The instance does not exist", 400)
    machine = p(parameters, "InstanceType.Value")
    script = p(parameters, "UserData.Value")
    if (machine or script) and one["State"]["Name"] != "stopped":
        return ec2._error("IncorrectInstanceState", "The instance is not in the 'stopped' state.", 400)
    if machine and architecture(machine) != one["Architecture"]:
        return ec2._error("InvalidParameterValue", "The architecture of the type does not match that of the image.", 400)
    if len(base64.b64decode(script)) > MOST_USER_DATA:
        return ec2._error("InvalidParameterValue", "User data is limited to 16384 bytes", 400)
    if machine:
        one["InstanceType"] = machine
    if script:
        one["UserData"] = script
    if p(parameters, "DisableApiTermination.Value"):
        one["_protected"] = p(parameters, "DisableApiTermination.Value") == "true"
    groups = ec2._parse_member_list(parameters, "GroupId")
    if groups:
        one["SecurityGroups"] = [{"GroupId": group, "GroupName": group} for group in groups]
    return ec2._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")


def architecture(machine):
    """Families with AWS's own processors have a `g` behind their generation."""
    return "arm64" if re.match(r"[a-z]+\d+g", machine) else "x86_64"


def offerings(parameters):
    """Every zone has every type but the largest ones."""
    filters = ec2._parse_filters(parameters)
    types = [machine for machine in filters.get("instance-type", []) if not machine.startswith("u-")]
    items = "".join(
        f"<item><instanceType>{ec2._esc(machine)}</instanceType><locationType>availability-zone</locationType>"
        f"<location>{ec2._esc(zone)}</location></item>"
        for machine in types
        for zone in filters.get("location", [])
    )
    body = f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>"
    return ec2._xml(200, "DescribeInstanceTypeOfferingsResponse", body)


def metadata(parameters):
    one = ec2._instances.get(p(parameters, "InstanceId"))
    if not one:
        return ec2._error("InvalidInstanceID.NotFound", "The instance does not exist", 400)
    one["_tokens"] = p(parameters, "HttpTokens") or one.get("_tokens", "optional")
    return ec2._xml(200, "ModifyInstanceMetadataOptionsResponse", f"<instanceId>{one['InstanceId']}</instanceId>")


def encrypted(create, parameters):
    """An encrypted disk tells its key; without one it is EC2's own."""
    there = set(ec2._volumes.keys())
    answer = create(parameters)
    for name in set(ec2._volumes.keys()) - there:
        if ec2._volumes[name]["Encrypted"]:
            own = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/aws-ebs"
            ec2._volumes[name]["_key"] = p(parameters, "KmsKeyId") or own
    return answer


def with_key(xml, volume):
    return xml(volume) + (f"<kmsKeyId>{volume['_key']}</kmsKeyId>" if volume.get("_key") else "")


def attach(parameters):
    """A disk can be attached to one server, in its zone, that runs or is stopped."""
    volume, one = ec2._volumes.get(p(parameters, "VolumeId")), ec2._instances.get(p(parameters, "InstanceId"))
    if not volume or not one:
        return None
    if volume["Attachments"]:
        return ec2._error("VolumeInUse", f"{volume['VolumeId']} is already attached to an instance", 400)
    if volume["AvailabilityZone"] != one["Placement"]["AvailabilityZone"]:
        return ec2._error("InvalidVolume.ZoneMismatch", "The volume is not in the same availability zone", 400)
    if one["State"]["Name"] not in ("running", "stopped"):
        return ec2._error("IncorrectState", f"Instance '{one['InstanceId']}' is not 'running'.", 400)
    ebs = {"VolumeId": volume["VolumeId"], "Status": "attached", "DeleteOnTermination": False}
    one["BlockDeviceMappings"].append({"DeviceName": p(parameters, "Device"), "Ebs": ebs})
    return None


def detach(parameters):
    volume = p(parameters, "VolumeId")
    for one in ec2._instances.values():
        disks = one.get("BlockDeviceMappings", [])
        one["BlockDeviceMappings"] = [disk for disk in disks if disk["Ebs"].get("VolumeId") != volume]
    return None


def associate(parameters):
    one = ec2._instances.get(p(parameters, "InstanceId"))
    address = ec2._addresses.get(p(parameters, "AllocationId"))
    if not one or one["State"]["Name"] not in ("running", "stopped"):
        return ec2._error("InvalidInstanceID", "The pending instance is not in a valid state for this operation.", 400)
    is_taken = address and address.get("InstanceId") not in (None, one["InstanceId"])
    if is_taken and p(parameters, "AllowReassociation") == "false":
        return ec2._error("Resource.AlreadyAssociated", "The address is already associated.", 400)
    return None


def addresses(describe, parameters):
    ids = ec2._parse_filters(parameters).get("instance-id")
    if not ids:
        return describe(parameters)
    left = {name: one for name, one in list(ec2._addresses.items()) if one.get("InstanceId") not in ids}
    for name in left:
        ec2._addresses.pop(name)
    try:
        return describe(parameters)
    finally:
        for name, one in left.items():
            ec2._addresses[name] = one


def with_metadata(xml, one):
    options = f"<metadataOptions><state>applied</state><httpTokens>{one.get('_tokens', 'optional')}</httpTokens></metadataOptions>"
    return xml(one).replace("<groupSet>", f"{options}<groupSet>", 1)
