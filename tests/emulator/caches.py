"""ElastiCache's caches with what ministack leaves out: the states in which one is made, changed and deleted, what waits until it is changed,
names of nodes, keys, ports, changes of what its nodes have, TLS in two steps, last snapshots, and what AWS refuses.

The subnets of a declaration need not be there: a test has no network.
"""

import re

from ministack.core.responses import get_account_id, get_region
from ministack.services import elasticache, tagging
from wrapping import before, replace

# Reads that still see a cache as one that is being made or changed.
READS = 2
# Reads, and refused calls, that still see a deleted one on its way out.
ENDING = 6
# What takes a while to change: until then its nodes tell it beside what is.
SLOW = ("CacheNodeType", "EngineVersion")


def install():
    replace(elasticache, "_resolve_subnets", any_subnets)
    replace(elasticache, "_create_replication_group", created)
    replace(elasticache, "_describe_replication_groups", described)
    replace(elasticache, "_modify_replication_group", modified)
    replace(elasticache, "_increase_replica_count", replicas)
    replace(elasticache, "_decrease_replica_count", replicas)
    replace(elasticache, "_delete_replication_group", deleted)
    before(vars(elasticache), "_create_replication_group", refused)
    before(vars(elasticache), "_modify_replication_group", busy_or_refused)
    before(vars(elasticache), "_increase_replica_count", busy)
    before(vars(elasticache), "_decrease_replica_count", busy)
    before(vars(elasticache), "_delete_replication_group", busy)
    before(vars(elasticache), "_delete_subnet_group", in_use)
    replace(elasticache, "_rg_xml", with_key)
    replace(elasticache, "_cluster_xml_inner", with_pending)
    tagging._COLLECTORS["elasticache"] = tags


def given(parameters, name):
    value = parameters.get(name)
    return value[0] if isinstance(value, list) else value


def found(parameters):
    return elasticache._replication_groups.get(given(parameters, "ReplicationGroupId"))


def nodes(cache):
    return [elasticache._clusters[name] for name in cache["MemberClusters"]]


def any_subnets(_resolve, parameters):
    zones = zip(elasticache._extract_configs(parameters, "SubnetIds", ("SubnetIdentifier", "member")), "abcabc")
    named = [
        {"SubnetIdentifier": subnet, "SubnetAvailabilityZone": {"Name": f"{get_region()}{zone}"}}
        for subnet, zone in zones
    ]
    return named, "vpc-0a1b2c3d"


def refused(parameters):
    """What AWS does not take, whoever asks for it."""
    window = given(parameters, "SnapshotWindow")
    if window:
        times = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", window)
        numbers = [int(number) for number in times.groups()] if times else [0] * 4
        if (numbers[2] * 60 + numbers[3] - numbers[0] * 60 - numbers[1]) % 1440 < 60:
            return elasticache._error("InvalidParameterValue", f"Invalid snapshot window: {window}.", 400)
    password = given(parameters, "AuthToken")
    if password and not re.fullmatch(r"[A-Za-z0-9!&#$^<>-]{16,128}", password):
        return elasticache._error("InvalidParameterValue", "Invalid AuthToken provided.", 400)
    subnets = given(parameters, "CacheSubnetGroupName")
    if subnets and subnets not in elasticache._subnet_groups:
        return elasticache._error("CacheSubnetGroupNotFoundFault", f"Cache subnet group {subnets} not found.", 400)
    failover = given(parameters, "AutomaticFailoverEnabled") == "true"
    if failover and int(given(parameters, "NumCacheClusters") or 2) < 2:
        words = "Automatic failover is not supported for a replication group with one node."
        return elasticache._error("InvalidParameterCombination", words, 400)
    if given(parameters, "MultiAZEnabled") == "true" and given(parameters, "AutomaticFailoverEnabled") == "false":
        return elasticache._error("InvalidParameterCombination", "Must enable automatic failover for Multi-AZ.", 400)
    return None


def busy(parameters):
    cache = found(parameters)
    if cache and cache["Status"] != "available":
        words = f"Replication group {cache['ReplicationGroupId']} is {cache['Status']}."
        return elasticache._error("InvalidReplicationGroupState", words, 400)
    return None


def busy_or_refused(parameters):
    cache = found(parameters)
    if cache and given(parameters, "TransitEncryptionMode") == "required" and cache["TransitEncryptionMode"] != "preferred":
        words = "Transit encryption mode required is set after the mode preferred."
        return elasticache._error("InvalidParameterCombination", words, 400)
    is_set = given(parameters, "AuthTokenUpdateStrategy") == "SET"
    if cache and is_set and len(cache["_auth_tokens"]) == 1:
        words = "The strategy SET is allowed only after ROTATE."
        return elasticache._error("InvalidParameterCombination", words, 400)
    return busy(parameters) or refused(parameters)


def created(create, parameters):
    status, headers, body = create(parameters)
    if status != 200:
        return status, headers, body
    cache, name = found(parameters), given(parameters, "ReplicationGroupId")
    cache.update({"Status": "creating", "_reads": READS, "KmsKeyId": given(parameters, "KmsKeyId") or own_key(cache)})
    first = nodes(cache)[0]
    for old in cache["MemberClusters"]:
        elasticache._tags.pop(elasticache._clusters.pop(old)["CacheClusterArn"], None)
    # AWS tells the whole version.
    first["EngineVersion"] = whole(first["EngineVersion"])
    cache["EngineVersion"] = first["EngineVersion"]
    cache["_node"], cache["MemberClusters"] = first, []
    resize(cache, cache["_replicas_per_node_group"] + 1)
    host = f"master.{name}.abc123.euw1.cache.amazonaws.com"
    port = int(given(parameters, "Port") or 6379)
    for group in cache["NodeGroups"]:
        group["PrimaryEndpoint"] = {"Address": host, "Port": port}
        group["ReaderEndpoint"] = {"Address": host.replace("master.", "replica."), "Port": port}
    return status, headers, body


def own_key(cache):
    arn = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/aws-elasticache"
    return arn if cache["AtRestEncryptionEnabled"] else ""


def whole(version):
    return version if version.count(".") > 1 else f"{version}.0"


def resize(cache, count):
    """Makes or removes nodes: AWS numbers those of a cache without shards by themselves."""
    name, members = cache["ReplicationGroupId"], cache["MemberClusters"]
    for old in members[count:]:
        elasticache._tags.pop(elasticache._clusters.pop(old)["CacheClusterArn"], None)
    del members[count:]
    while len(members) < count:
        node = f"{name}-{len(members) + 1:03d}"
        arn = elasticache._arn_cluster(node)
        elasticache._clusters[node] = {**cache["_node"], "CacheClusterId": node, "CacheClusterArn": arn}
        elasticache._tags[arn] = elasticache._copy_tag_list(elasticache._tags[cache["ARN"]])
        members.append(node)
    for group in cache["NodeGroups"]:
        group["NodeGroupMembers"] = [
            {"CacheClusterId": node, "CacheNodeId": "0001", "CurrentRole": "replica" if number else "primary"}
            for number, node in enumerate(members)
        ]


def look():
    """Lets time pass: one that is on its way to another state comes nearer to it."""
    for name, cache in list(elasticache._replication_groups.items()):
        if not cache.get("_reads"):
            continue
        cache["_reads"] -= 1
        if 0 < cache["_reads"] <= READS and cache["Status"] == "available":
            cache["Status"] = "modifying"
        elif not cache["_reads"] and cache["Status"] == "deleting":
            gone(name)
        elif not cache["_reads"]:
            cache["Status"] = "available"
            waits = cache.pop("_waits", {})
            cache.pop("_told", None)
            for of in [cache, cache["_node"], *nodes(cache)]:
                of.update(waits)


def gone(name):
    cache = elasticache._replication_groups.pop(name)
    elasticache._tags.pop(cache["ARN"], None)
    for node in cache["MemberClusters"]:
        elasticache._tags.pop(elasticache._clusters.pop(node)["CacheClusterArn"], None)


def described(describe, parameters):
    answer = describe(parameters)
    look()
    return answer


def changing(cache, waits=None, told=None):
    """It is called available for a moment more, longer where its nodes alone tell what waits."""
    cache.update({"_reads": READS + 4 if waits else READS, "_waits": waits or {}, "_told": told or {}})


def modified(modify, parameters):
    cache = found(parameters)
    was = {name: cache["_node"][name] for name in SLOW} if cache else {}
    status, headers, body = modify(parameters)
    if cache is None or status != 200:
        return status, headers, body
    for parameter, field in (("Engine", "Engine"), ("CacheNodeType", "CacheNodeType"), ("EngineVersion", "EngineVersion")):
        value = given(parameters, parameter)
        if value:
            value = whole(value) if parameter == "EngineVersion" else value
            cache[field] = value
            for node in [cache["_node"], *nodes(cache)]:
                node[field] = value
    if given(parameters, "AutoMinorVersionUpgrade"):
        cache["AutoMinorVersionUpgrade"] = given(parameters, "AutoMinorVersionUpgrade") == "true"
    if given(parameters, "CacheParameterGroupName"):
        for node in [cache["_node"], *nodes(cache)]:
            node["CacheParameterGroup"] = {
                "CacheParameterGroupName": given(parameters, "CacheParameterGroupName"),
                "ParameterApplyStatus": "in-sync",
            }
    groups = elasticache._extract_configs(parameters, "SecurityGroupIds", ("SecurityGroupId",))
    if groups:
        for node in [cache["_node"], *nodes(cache)]:
            node["SecurityGroups"] = [{"SecurityGroupId": group, "Status": "active"} for group in groups]
    if given(parameters, "TransitEncryptionEnabled"):
        is_on = given(parameters, "TransitEncryptionEnabled") == "true"
        cache["TransitEncryptionEnabled"] = is_on
        cache["TransitEncryptionMode"] = given(parameters, "TransitEncryptionMode") if is_on else None
    elif given(parameters, "TransitEncryptionMode"):
        cache["TransitEncryptionMode"] = given(parameters, "TransitEncryptionMode")
    if given(parameters, "UserGroupIdsToAdd.member.1"):
        # They take the password's place.
        cache.update({"AuthTokenEnabled": False, "_auth_tokens": []})
    if given(parameters, "RemoveUserGroups") == "true":
        cache["UserGroupIds"] = []
    if given(parameters, "ApplyImmediately") == "true":
        waits = {name: cache[name] for name, value in was.items() if cache.get(name, value) != value}
        for of in [cache, cache["_node"], *nodes(cache)]:
            of.update({name: was[name] for name in waits})
        told = {"TransitEncryptionMode": given(parameters, "TransitEncryptionMode")}
        told["AuthTokenStatus"] = "ROTATING" if given(parameters, "AuthToken") else None
        changing(cache, waits, {name: value for name, value in told.items() if value})
    return status, headers, body


def replicas(change, parameters):
    status, headers, body = change(parameters)
    cache = found(parameters)
    if cache is not None and status == 200:
        resize(cache, int(given(parameters, "NewReplicaCount")) + 1)
        changing(cache)
    return status, headers, body


def deleted(delete, parameters):
    """Its name, its subnets and its network interfaces are taken until its end."""
    snapshot, cache = given(parameters, "FinalSnapshotIdentifier"), found(parameters)
    if cache is None:
        return delete(parameters)
    if snapshot:
        of = {"SnapshotName": snapshot, "ReplicationGroupId": given(parameters, "ReplicationGroupId")}
        status, headers, body = elasticache._create_snapshot(of)
        if status != 200:
            return status, headers, body
    cache.update({"Status": "deleting", "_reads": ENDING, "_waits": {}})
    body = f"<DeleteReplicationGroupResult><ReplicationGroup>{elasticache._rg_xml(cache)}</ReplicationGroup></DeleteReplicationGroupResult>"
    return elasticache._xml(200, "DeleteReplicationGroupResponse", body)


def in_use(parameters):
    """A refused call lets time pass, too: whoever makes it need not look at the cache."""
    name = given(parameters, "CacheSubnetGroupName")
    if any(one.get("CacheSubnetGroupName") == name for one in elasticache._clusters.values()):
        look()
        return elasticache._error("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use.", 400)
    return None


def has(place, name):
    """Whether a cache, if only one that is on its way out, has network interfaces in a subnet or with a security group."""
    for node in elasticache._clusters.values():
        group = elasticache._subnet_groups.get(node.get("CacheSubnetGroupName")) or {}
        subnets = [subnet["SubnetIdentifier"] for subnet in group.get("Subnets", [])]
        groups = [group["SecurityGroupId"] for group in node.get("SecurityGroups", [])]
        if name in {"subnet": subnets, "group": groups}[place]:
            return True
    return False


def with_key(xml, cache):
    """With the number of passwords that it takes, too, which AWS does not tell."""
    key = cache.get("KmsKeyId")
    passwords = len(cache.get("_auth_tokens") or [])
    waits = "".join(f"<{name}>{value}</{name}>" for name, value in cache.get("_told", {}).items())
    return (
        f"{xml(cache)}{f'<KmsKeyId>{key}</KmsKeyId>' if key else ''}"
        f"<PendingModifiedValues>{waits}</PendingModifiedValues><_Passwords>{passwords}</_Passwords>"
    )


def with_pending(xml, node):
    """A node tells of its type and its version, which the whole does not."""
    cache = next((one for one in elasticache._replication_groups.values() if node["CacheClusterId"] in one["MemberClusters"]), {})
    waits = "".join(f"<{name}>{value}</{name}>" for name, value in cache.get("_waits", {}).items())
    return f"{xml(node)}<PendingModifiedValues>{waits}</PendingModifiedValues>"


def tags():
    for arn, pairs in elasticache._tags.items():
        # Those of nodes are copies.
        if ":replicationgroup:" in arn or ":subnetgroup:" in arn:
            yield arn, pairs


def arn(parameters, place):
    """What a call is about, for the check of rights."""
    kinds = (("ReplicationGroupId", "replicationgroup"), ("CacheClusterId", "cluster"), ("CacheSubnetGroupName", "subnetgroup"))
    for name, part in kinds:
        if given(parameters, name):
            return f"arn:aws:elasticache:{place}:{part}:{given(parameters, name)}"
    return given(parameters, "ResourceName")
