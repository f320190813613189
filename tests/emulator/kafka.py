"""MSK's second interface: clusters with their brokers, one change at a time, topics, and the index of tags.

Ministack has the first interface, whose clusters are ready at once and have no topics. Here a cluster is CREATING, and one that is
changed UPDATING, until somebody has looked at it a few times; a topic is told as late as AWS tells it, and brokers come in any order.
"""

import base64
import json
import random
import uuid
from urllib.parse import unquote

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.services import msk, tagging
from wrapping import replace

# ARN → the cluster as DescribeClusterV2 tells it, with `_looks`: how often it has to be looked at before it is ACTIVE.
CLUSTERS = msk.clusters_v2 = AccountRegionScopedDict()
# ARN of the topic → the topic as DescribeTopic tells it, with `_looks`: how often it is not told yet.
TOPICS = msk.topics_v2 = AccountRegionScopedDict()
LOOKS = 2


def install():
    replace(msk, "handle_request", handle)
    replace(msk, "reset", reset)
    tagging._COLLECTORS["kafka"] = indexed


def reset(otherwise):
    CLUSTERS.clear()
    TOPICS.clear()
    otherwise()


def indexed():
    for arn, cluster in CLUSTERS.items():
        yield arn, [{"Key": key, "Value": value} for key, value in cluster["tags"].items()]


def answer(document=None, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(document or {}).encode()


def refused(code, message, status):
    return status, {"Content-Type": "application/json", "x-amzn-errortype": code}, json.dumps({"message": message}).encode()


async def handle(otherwise, method, path, headers, body, parameters):
    asked = json.loads(body) if body else {}
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[:3] == ["api", "v2", "clusters"]:
        if method == "POST":
            return create(asked)
        return listed(parameters) if len(parts) == 3 else described("/".join(parts[3:]))
    # An ARN may come with its slashes, or without.
    rest = unquote(path).removeprefix("/v1/")
    kind, _, rest = rest.partition("/")
    arn = "/".join(rest.split("/")[:3])
    if kind in ("clusters", "tags") and arn in CLUSTERS:
        end = rest.removeprefix(arn).strip("/").split("/")
        return tags(method, arn, asked, parameters) if kind == "tags" else part(method, arn, end, asked)
    return await otherwise(method, path, headers, body, parameters)


def create(asked):
    name = asked.get("clusterName", "")
    if any(cluster["clusterName"] == name for cluster in CLUSTERS.values()):
        return refused("ConflictException", f"A cluster with the name {name} already exists", 409)
    arn = f"arn:aws:kafka:{get_region()}:{get_account_id()}:cluster/{name}/{uuid.uuid4()}-7"
    cluster = {"clusterArn": arn, "clusterName": name, "tags": asked.get("tags") or {}, "currentVersion": "K1",
               "state": "CREATING", "_looks": LOOKS}
    if "serverless" in asked:
        cluster |= {"clusterType": "SERVERLESS", "serverless": asked["serverless"]}
    else:
        provisioned = dict(asked["provisioned"])
        zones = len(provisioned["brokerNodeGroupInfo"]["clientSubnets"])
        if provisioned["numberOfBrokerNodes"] % zones:
            return refused("BadRequestException", "The number of broker nodes must be a multiple of that of the subnets", 400)
        provisioned["currentBrokerSoftwareInfo"] = {"kafkaVersion": provisioned.pop("kafkaVersion")}
        provisioned.setdefault("encryptionInfo", {}).setdefault("encryptionAtRest", {
            "dataVolumeKMSKeyId": f"arn:aws:kms:{get_region()}:{get_account_id()}:key/of-kafka"})
        provisioned["brokerNodeGroupInfo"].setdefault("connectivityInfo", {"publicAccess": {"type": "DISABLED"}})
        provisioned.setdefault("storageMode", "LOCAL")
        cluster |= {"clusterType": "PROVISIONED", "provisioned": provisioned}
    CLUSTERS[arn] = cluster
    return answer({"clusterArn": arn, "clusterName": name, "state": "CREATING", "clusterType": cluster["clusterType"]})


def looked_at(cluster):
    """The cluster as it is told; looking at it lets time pass."""
    if cluster["_looks"]:
        cluster["_looks"] -= 1
    else:
        cluster["state"] = "ACTIVE"
    return {key: value for key, value in cluster.items() if not key.startswith("_")}


def listed(parameters):
    beginning = one(parameters, "clusterNameFilter") or ""
    found = [looked_at(cluster) for cluster in CLUSTERS.values() if cluster["clusterName"].startswith(beginning)]
    return answer({"clusterInfoList": found})


def one(parameters, name):
    value = parameters.get(name)
    return value[0] if isinstance(value, list) else value


def described(arn):
    if arn not in CLUSTERS:
        return refused("NotFoundException", f"The cluster {arn} does not exist", 404)
    return answer({"clusterInfo": looked_at(CLUSTERS[arn])})


def tags(method, arn, asked, parameters):
    held = CLUSTERS[arn]["tags"]
    if method == "POST":
        held.update(asked["tags"])
    if method == "DELETE":
        keys = parameters.get("tagKeys") or []
        for key in [keys] if isinstance(keys, str) else keys:
            held.pop(key, None)
    return answer({"tags": held}) if method == "GET" else (204, {}, b"")


def part(method, arn, end, asked):
    cluster = CLUSTERS[arn]
    if end == [""] and method == "DELETE":
        del CLUSTERS[arn]
        for topic in [topic for topic in TOPICS if topic.startswith(topic_arn(arn, ""))]:
            del TOPICS[topic]
        return answer({"clusterArn": arn, "state": "DELETING"})
    if end == ["bootstrap-brokers"]:
        return brokers(cluster)
    if end == ["policy"]:
        return policy(method, cluster, asked)
    if end[0] == "topics":
        return topics(method, cluster, end[1:], asked)
    if method in ("PUT", "PATCH"):
        return change(cluster, "/".join(end), asked)
    return refused("BadRequestException", f"{method} of {'/'.join(end)} is not known", 400)


def policy(method, cluster, asked):
    if method == "PUT":
        cluster["_policy"] = asked["policy"]
        return answer({"currentVersion": "K1"})
    if "_policy" not in cluster:
        return refused("NotFoundException", "The cluster policy does not exist.", 404)
    if method == "DELETE":
        del cluster["_policy"]
        return answer({})
    return answer({"currentVersion": "K1", "policy": cluster["_policy"]})


def brokers(cluster):
    if cluster["state"] == "CREATING":
        return refused("ConflictException", "The cluster is CREATING", 409)
    settings = cluster.get("provisioned") or cluster["serverless"]
    if not settings.get("clientAuthentication", {}).get("sasl", {}).get("iam", {}).get("enabled"):
        return answer({})
    names = [f"b-{number}.{cluster['clusterName']}.kafka.{get_region()}.amazonaws.com:9098" for number in (1, 2, 3)]
    random.shuffle(names)
    return answer({"bootstrapBrokerStringSaslIam": ",".join(names)})


# The end of a change's path → what it changes, from the document of the call.
CHANGES = {
    "security": lambda at, asked: (at["clientAuthentication"].update(asked.get("clientAuthentication") or {}), at["encryptionInfo"].setdefault(
        "encryptionInTransit", {}).update((asked.get("encryptionInfo") or {}).get("encryptionInTransit") or {})),
    "connectivity": lambda at, asked: at["brokerNodeGroupInfo"]["connectivityInfo"].update(asked["connectivityInfo"]),
    "nodes/storage": lambda at, asked: at["brokerNodeGroupInfo"].update(
        storageInfo={"ebsStorageInfo": {"volumeSize": asked["targetBrokerEBSVolumeInfo"][0]["volumeSizeGB"]}}),
    "nodes/count": lambda at, asked: at.update(numberOfBrokerNodes=asked["targetNumberOfBrokerNodes"]),
    "nodes/type": lambda at, asked: at["brokerNodeGroupInfo"].update(instanceType=asked["targetInstanceType"]),
    "version": lambda at, asked: at["currentBrokerSoftwareInfo"].update(kafkaVersion=asked["targetKafkaVersion"]),
    "monitoring": lambda at, asked: at.update(
        {field: asked[field] for field in ("enhancedMonitoring", "loggingInfo", "openMonitoring") if field in asked}),
    "configuration": lambda at, asked: at["currentBrokerSoftwareInfo"].update(
        configurationArn=asked["configurationInfo"]["arn"], configurationRevision=asked["configurationInfo"]["revision"]),
}


def change(cluster, end, asked):
    if end not in CHANGES:
        return refused("BadRequestException", f"{end} is no change", 400)
    if cluster["state"] != "ACTIVE":
        return refused("ConflictException", f"The cluster is {cluster['state']}", 409)
    if asked.get("currentVersion") != cluster["currentVersion"]:
        return refused("BadRequestException", "The current version is another one", 400)
    CHANGES[end](cluster["provisioned"], asked)
    cluster |= {"state": "UPDATING", "_looks": LOOKS, "currentVersion": f"K{int(cluster['currentVersion'][1:]) + 1}"}
    return answer({"clusterArn": cluster["clusterArn"], "clusterOperationArn": f"{cluster['clusterArn']}/operation"})


def topic_arn(cluster, name):
    return f"{cluster.replace(':cluster/', ':topic/')}/{name}"


def topics(method, cluster, name, asked):
    provisioned = cluster.get("provisioned")
    if provisioned is None:
        return refused("BadRequestException", "This operation is not supported for serverless clusters", 400)
    if cluster["state"] != "ACTIVE":
        return refused("ConflictException", f"The cluster is {cluster['state']}", 409)
    name = name[0] if name else asked.get("topicName")
    arn = topic_arn(cluster["clusterArn"], name)
    there = TOPICS.get(arn)
    if method == "POST":
        if there:
            return refused("TopicExistsException", f"Topic '{name}' already exists.", 409)
        if asked["replicationFactor"] > provisioned["numberOfBrokerNodes"]:
            return refused("KafkaRequestException", "Unable to replicate the partition", 400)
        TOPICS[arn] = {"topicArn": arn, "topicName": name, "partitionCount": asked["partitionCount"], "status": "ACTIVE",
                       "replicationFactor": asked["replicationFactor"], "_looks": LOOKS, "_before": None,
                       "configs": base64.b64encode(b"{}").decode()}
        return answer({"topicArn": arn, "topicName": name, "status": "CREATING"})
    if there is None:
        return refused("NotFoundException", f"Topic '{name}' does not exist.", 404)
    if method == "PUT":
        if asked["partitionCount"] <= there["partitionCount"]:
            return refused("KafkaRequestException", "The number of partitions can only be increased", 400)
        there |= {"_before": there["partitionCount"], "partitionCount": asked["partitionCount"], "_looks": LOOKS}
        return answer({"topicArn": arn, "status": "UPDATING"})
    if method == "DELETE":
        del TOPICS[arn]
        return answer({"topicArn": arn, "status": "DELETING"})
    return told(name, there)


def told(name, topic):
    """The topic as AWS tells it: late."""
    shown = {key: value for key, value in topic.items() if not key.startswith("_")}
    if topic["_looks"]:
        topic["_looks"] -= 1
        if topic["_before"] is None:
            return refused("NotFoundException", f"Topic '{name}' does not exist.", 404)
        shown |= {"partitionCount": topic["_before"], "status": "UPDATING"}
    return answer(shown)
