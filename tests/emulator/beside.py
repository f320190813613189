"""What somebody adds beside the settings of databases, caches, servers and networks, and ministack does not tell: copies in other regions,
roles, streams, directories, options and logs, further ranges, and the interfaces of servers.
"""

from urllib.parse import parse_qs

from ministack.core.responses import get_region
from ministack.services import ec2, elasticache, rds
from wrapping import replace


def install():
    replace(rds, "_instance_xml", database)
    handlers = rds._ACTION_MAP
    replace(handlers, "ModifyDBInstance", modified)
    replace(handlers, "CreateDBInstanceReadReplica", copied)
    handlers["PromoteReadReplica"] = promoted
    handlers["StartDBInstanceAutomatedBackupsReplication"] = backed_up
    handlers["StopDBInstanceAutomatedBackupsReplication"] = no_longer_backed_up
    handlers["AddRoleToDBInstance"] = role
    handlers["RemoveRoleFromDBInstance"] = no_role
    handlers["StartActivityStream"] = stream
    handlers["StopActivityStream"] = no_stream
    replace(elasticache, "_rg_xml", cache)
    replace(elasticache, "_modify_replication_group", logged)
    replace(elasticache, "handle_request", of_global_groups)
    replace(ec2, "_vpc_fields_xml", network)
    replace(ec2, "_instance_xml", server)
    ec2._ACTION_MAP["AssociateVpcCidrBlock"] = further_range


def given(parameters, name):
    value = parameters.get(name, "")
    return value[0] if isinstance(value, list) else value


def found(parameters, name="DBInstanceIdentifier"):
    """The database that a parameter names, by its ARN of any region, too."""
    text = given(parameters, name)
    return rds._regional_get(rds._instances, text, "db") if text.startswith("arn:") else rds._instances.get(text)


def done(action):
    return rds._xml(200, f"{action}Response", f"<{action}Result/>")


def missing():
    return rds._error("DBInstanceNotFound", "There is no such database.", 404)


def modified(modify, parameters):
    answer, one = modify(parameters), found(parameters)
    if one is None or answer[0] != 200:
        return answer
    options = given(parameters, "OptionGroupName")
    if options:
        one["OptionGroupMemberships"] = [{"OptionGroupName": options, "Status": "in-sync"}]
    log = given(parameters, "CloudwatchLogsExportConfiguration.EnableLogTypes.member.1")
    if log:
        one.setdefault("_logs", []).append(log)
    if given(parameters, "Domain"):
        one["_directory"] = given(parameters, "Domain")
    if given(parameters, "DisableDomain") == "true":
        one.pop("_directory", None)
    return answer


def copied(copy, parameters):
    """A replica in another region is asked for there, and its source tells it by its ARN."""
    source, name = given(parameters, "SourceDBInstanceIdentifier"), given(parameters, "DBInstanceIdentifier")
    if not source.startswith("arn:") or f":{get_region()}:" in source:
        return copy(parameters)
    one = found(parameters, "SourceDBInstanceIdentifier")
    if one is None:
        return missing()
    region = source.split(":")[3]
    one["ReadReplicaDBInstanceIdentifiers"].append(f"{source.replace(region, get_region()).rpartition(':')[0]}:{name}")
    return done("CreateDBInstanceReadReplica")


def promoted(parameters):
    """A replica of another region is its own from now on."""
    end = f":{get_region()}:", f":{given(parameters, 'DBInstanceIdentifier')}"
    for _, one in rds._instances.all_items():
        replicas = one["ReadReplicaDBInstanceIdentifiers"]
        one["ReadReplicaDBInstanceIdentifiers"] = [arn for arn in replicas if end[0] not in arn or not arn.endswith(end[1])]
    return done("PromoteReadReplica")


def backed_up(parameters):
    """Asked for in the region that the backups are copied to."""
    one = found(parameters, "SourceDBInstanceArn")
    if one is None:
        return missing()
    account = one["DBInstanceArn"].split(":")[4]
    one.setdefault("_backups", []).append(f"arn:aws:rds:{get_region()}:{account}:auto-backup:ab-0a1b2c3d")
    return done("StartDBInstanceAutomatedBackupsReplication")


def no_longer_backed_up(parameters):
    one = found(parameters, "SourceDBInstanceArn")
    if one is None:
        return missing()
    one["_backups"] = [arn for arn in one.get("_backups", []) if f":{get_region()}:" not in arn]
    return done("StopDBInstanceAutomatedBackupsReplication")


def role(parameters):
    one = found(parameters)
    if one is None:
        return missing()
    one.setdefault("_roles", []).append((given(parameters, "RoleArn"), given(parameters, "FeatureName")))
    return done("AddRoleToDBInstance")


def no_role(parameters):
    one, gone = found(parameters), (given(parameters, "RoleArn"), given(parameters, "FeatureName"))
    if one is None:
        return missing()
    if gone not in one.get("_roles", []):
        return rds._error("DBInstanceRoleNotFound", f"The role {gone[0]} is not associated.", 404)
    one["_roles"].remove(gone)
    return done("RemoveRoleFromDBInstance")


def stream(parameters):
    one = found(parameters, "ResourceArn")
    if one is None:
        return missing()
    one["_stream"] = True
    return done("StartActivityStream")


def no_stream(parameters):
    one = found(parameters, "ResourceArn")
    if one is None:
        return missing()
    one.pop("_stream", None)
    return done("StopActivityStream")


def listed(one, field, member):
    return "".join(member.format(text) for text in one.get(field, []))


def database(xml, one):
    backup = "<DBInstanceAutomatedBackupsReplication><DBInstanceAutomatedBackupsArn>{}</DBInstanceAutomatedBackupsArn></DBInstanceAutomatedBackupsReplication>"
    roles = "".join(
        f"<DBInstanceRole><RoleArn>{arn}</RoleArn><FeatureName>{feature}</FeatureName><Status>ACTIVE</Status></DBInstanceRole>"
        for arn, feature in one.get("_roles", [])
    )
    directory = one.get("_directory")
    member = f"<DomainMembership><Domain>{directory}</Domain><Status>joined</Status><FQDN>corp.example.com</FQDN></DomainMembership>"
    name = "<ActivityStreamKinesisStreamName>aws-rds-das-0a1b</ActivityStreamKinesisStreamName>" if one.get("_stream") else ""
    text = xml(one)
    for element, inner in (
        ("AssociatedRoles", roles),
        ("DomainMemberships", member if directory else ""),
        ("EnabledCloudwatchLogsExports", listed(one, "_logs", "<member>{}</member>")),
    ):
        assert f"<{element}/>" in text, element
        text = text.replace(f"<{element}/>", f"<{element}>{inner}</{element}>")
    return (
        f"{text}<ActivityStreamStatus>{'started' if name else 'stopped'}</ActivityStreamStatus>{name}"
        f"<DBInstanceAutomatedBackupsReplications>{listed(one, '_backups', backup)}</DBInstanceAutomatedBackupsReplications>"
    )


def logged(modify, parameters):
    """Logs that are delivered from now on, or no longer."""
    answer, one = modify(parameters), elasticache._replication_groups.get(given(parameters, "ReplicationGroupId"))
    if one is None or answer[0] != 200:
        return answer
    for number in (1, 2):
        request = f"LogDeliveryConfigurations.LogDeliveryConfigurationRequest.{number}"
        sort, details = given(parameters, f"{request}.LogType"), f"{request}.DestinationDetails"
        if not sort:
            continue
        if given(parameters, f"{request}.Enabled") == "false":
            one.get("_delivered", {}).pop(sort, None)
            continue
        group = given(parameters, f"{details}.CloudWatchLogsDetails.LogGroup")
        to = given(parameters, f"{details}.KinesisFirehoseDetails.DeliveryStream")
        one.setdefault("_delivered", {})[sort] = (
            ("cloudwatch-logs", f"<CloudWatchLogsDetails><LogGroup>{group}</LogGroup></CloudWatchLogsDetails>")
            if group
            else ("kinesis-firehose", f"<KinesisFirehoseDetails><DeliveryStream>{to}</DeliveryStream></KinesisFirehoseDetails>")
        )
    return answer


async def of_global_groups(answer, method, path, headers, body, parameters):
    """Groups of caches in several regions, which ministack lacks."""
    asked = parse_qs(body.decode()) if body else {}
    action = given(asked, "Action")
    if action == "CreateGlobalReplicationGroup":
        one = elasticache._replication_groups.get(given(asked, "PrimaryReplicationGroupId"))
        if one is None:
            return elasticache._error("ReplicationGroupNotFoundFault", "There is no such replication group.", 404)
        one["_global"] = f"ldgnf-{given(asked, 'GlobalReplicationGroupIdSuffix')}"
        return elasticache._xml(200, f"{action}Response", f"<{action}Result/>")
    if action == "DeleteGlobalReplicationGroup":
        for one in elasticache._replication_groups.values():
            if one.get("_global") == given(asked, "GlobalReplicationGroupId"):
                del one["_global"]
        return elasticache._xml(200, f"{action}Response", f"<{action}Result/>")
    return await answer(method, path, headers, body, parameters)


def cache(xml, one):
    logs = "".join(
        f"<LogDeliveryConfiguration><LogType>{sort}</LogType><DestinationType>{to}</DestinationType>"
        f"<DestinationDetails>{details}</DestinationDetails><LogFormat>json</LogFormat><Status>active</Status></LogDeliveryConfiguration>"
        for sort, (to, details) in one.get("_delivered", {}).items()
    )
    text, empty = xml(one), "<LogDeliveryConfigurations></LogDeliveryConfigurations>"
    assert empty in text
    group = one.get("_global")
    member = (
        f"<GlobalReplicationGroupInfo><GlobalReplicationGroupId>{group}</GlobalReplicationGroupId>"
        "<GlobalReplicationGroupMemberRole>PRIMARY</GlobalReplicationGroupMemberRole></GlobalReplicationGroupInfo>"
    )
    text = text.replace(empty, f"<LogDeliveryConfigurations>{logs}</LogDeliveryConfigurations>")
    return text + (member if group else "")


def further_range(parameters):
    vpc = ec2._vpcs.get(given(parameters, "VpcId"))
    if vpc is None:
        return ec2._error("InvalidVpcID.NotFound", "The VPC does not exist", 400)
    vpc.setdefault("_ranges", []).append(given(parameters, "CidrBlock"))
    return ec2._xml(200, "AssociateVpcCidrBlockResponse", f"<vpcId>{vpc['VpcId']}</vpcId>")


def network(xml, vpc, *arguments, **named):
    further = "".join(
        f"<item><cidrBlock>{block}</cidrBlock><associationId>vpc-cidr-assoc-{number}</associationId>"
        "<cidrBlockState><state>associated</state></cidrBlockState></item>"
        for number, block in enumerate(vpc.get("_ranges", []))
    )
    return xml(vpc, *arguments, **named).replace("</cidrBlockAssociationSet>", f"{further}</cidrBlockAssociationSet>")


def interface(name, attachment, number, groups):
    inner = "".join(f"<item><groupId>{group['GroupId']}</groupId></item>" for group in groups)
    return (
        f"<item><networkInterfaceId>{name}</networkInterfaceId><groupSet>{inner}</groupSet><attachment>"
        f"<attachmentId>{attachment}</attachmentId><deviceIndex>{number}</deviceIndex><status>attached</status></attachment></item>"
    )


def server(xml, one):
    """With its own interface, and those that somebody attached."""
    name = one["InstanceId"][2:]
    all_of_them = [interface(f"eni-{name}", f"eni-attach-{name}", 0, one.get("SecurityGroups", []))]
    for further in ec2._network_interfaces.values():
        at = further.get("Attachment") or {}
        if at.get("InstanceId") == one["InstanceId"]:
            groups = further["Groups"]
            all_of_them.append(interface(further["NetworkInterfaceId"], at["AttachmentId"], at["DeviceIndex"], groups))
    interfaces = f"<networkInterfaceSet>{''.join(all_of_them)}</networkInterfaceSet>"
    text = xml(one)
    assert "<virtualizationType>" in text
    return text.replace("<virtualizationType>", f"{interfaces}<virtualizationType>", 1)
