"""Parts of resources that ministack lacks: further configurations of buckets, URLs of aliases, the end of a secret's copies."""

import json
import re

from ministack.core.responses import AccountScopedDict, json_response
from ministack.services import lambda_svc, s3, secretsmanager
from wrapping import before, replace

# By sub-resource: the element of one configuration, and that of the list of all.
CONFIGURATIONS = {
    "analytics": ("AnalyticsConfiguration", "ListBucketAnalyticsConfigurationResult"),
    "intelligent-tiering": ("IntelligentTieringConfiguration", "ListBucketIntelligentTieringConfigurationsOutput"),
    "inventory": ("InventoryConfiguration", "ListInventoryConfigurationsResult"),
    "metrics": ("MetricsConfiguration", "ListMetricsConfigurationsResult"),
}
KEPT = AccountScopedDict()


def install():
    before(s3, "_dispatch", bucket_configuration)
    replace(lambda_svc, "_create_function_url_config", create_url)
    replace(secretsmanager, "handle_request", secrets)


def bucket_configuration(method, bucket, key, _headers, body, query):
    """The calls about one configuration, by its id, and about all of one sort."""
    if key or bucket not in s3._buckets:
        return None
    if method == "GET" and "requestPayment" in query:
        return s3._get_bucket_request_payment(bucket)
    for sort, (element, of_all) in CONFIGURATIONS.items():
        if sort not in query:
            continue
        place = (bucket, sort, s3._qp(query, "id"))
        if method == "PUT":
            KEPT[place] = re.sub(rf"^.*?(<{element}[ >].*)$", r"\1", body.decode(), flags=re.DOTALL)
            return 200, {}, b""
        if method == "DELETE":
            KEPT.pop(place, None)
            return 204, {}, b""
        found = "".join(text for (of, kind, _), text in KEPT.items() if (of, kind) == (bucket, sort))
        answer = f'<{of_all} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{found}<IsTruncated>false</IsTruncated></{of_all}>'
        return 200, {"Content-Type": "application/xml"}, answer.encode()
    return None


def create_url(create, name, data, qualifier):
    """The ARN of an alias's URL names the alias."""
    answer = create(name, data, qualifier)
    url = lambda_svc._function_urls.get(lambda_svc._url_config_key(name, qualifier))
    if qualifier and url and not url["FunctionArn"].endswith(f":{qualifier}"):
        url["FunctionArn"] += f":{qualifier}"
        return json_response(url, status=201)
    return answer


async def secrets(answer, method, path, headers, body, query):
    """Copies of a secret in other regions end by a call that ministack lacks."""
    if not headers.get("x-amz-target", "").endswith("RemoveRegionsFromReplication"):
        return await answer(method, path, headers, body, query)
    data = json.loads(body)
    _, secret = secretsmanager._resolve(data["SecretId"])
    regions = data["RemoveReplicaRegions"]
    secret["ReplicationStatus"] = [one for one in secret.get("ReplicationStatus", []) if one["Region"] not in regions]
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})
