"""HTTP APIs and event source mappings, as strict as AWS: keys and names that are taken, changes that merge, the calls that take a
setting away, and queues that a function could not finish in time."""

import copy

from ministack.core.responses import error_response_json
from ministack.services import apigateway, lambda_svc, sqs, tagging
from wrapping import before, replace


def install():
    replace(apigateway, "handle_request", handle)
    replace(apigateway, "_create_api", create_api)
    replace(apigateway, "_update_api", update_api)
    replace(apigateway, "_get_api", lambda get, api: with_current_tags(get(api), api))
    replace(apigateway, "_get_apis", lambda get: apis())
    replace(apigateway, "_get_stages", lambda get, api: stages(get, api))
    replace(apigateway, "_create_stage", create_stage)
    replace(apigateway, "_update_stage", update_stage)
    replace(apigateway, "_update_integration", update_integration)
    before(apigateway, "_create_route", taken_route)
    before(apigateway, "_delete_integration", used_integration)
    before(lambda_svc, "_create_esm", refused_mapping)
    replace(lambda_svc, "_update_esm", update_mapping)
    replace(lambda_svc, "_create_esm", create_mapping)
    tagging._COLLECTORS["apigateway"] = indexed


async def handle(otherwise, method, path, headers, body, parameters):
    """DeleteRouteSettings and DeleteAccessLogSettings, which ministack lacks."""
    parts = [part for part in path.strip("/").split("/") if part]
    if method == "DELETE" and len(parts) >= 6 and parts[:2] == ["v2", "apis"] and parts[3] == "stages":
        from urllib.parse import unquote
        stage = apigateway._stages.get(parts[2], {}).get(unquote(parts[4]))
        if stage is None:
            return apigateway._apigw_error("NotFoundException", "Invalid stage identifier specified", 404)
        if parts[5] == "routesettings":
            stage["routeSettings"].pop(unquote("/".join(parts[6:])), None)
            return 204, {}, b""
        if parts[5] == "accesslogsettings":
            stage.pop("accessLogSettings", None)
            return 204, {}, b""
    return await otherwise(method, path, headers, body, parameters)


def create_api(create, data):
    answer = create(data)
    for api in apigateway._apis.values():
        api.setdefault("ipAddressType", data.get("ipAddressType", "ipv4"))
    return answer


def update_api(update, api, data):
    if api in apigateway._apis and "ipAddressType" in data:
        apigateway._apis[api]["ipAddressType"] = data["ipAddressType"]
    return update(api, data)


def update_integration(update, api, integration, data):
    """The role by which an integration calls, which ministack does not keep."""
    kept = apigateway._integrations.get(api, {}).get(integration)
    if kept is not None and "credentialsArn" in data:
        kept["credentialsArn"] = data["credentialsArn"]
    return update(api, integration, data)


def current(api):
    return {**apigateway._apis[api], "tags": dict(apigateway._api_tags.get(apigateway._api_arn(api), {}))}


def apis():
    return apigateway._apigw_response({"items": [current(api) for api in apigateway._apis.keys()]})


def with_current_tags(answer, api):
    return apigateway._apigw_response(current(api)) if api in apigateway._apis else answer


def stages(get, api):
    if api not in apigateway._apis:
        return get(api)
    def tags(stage):
        return dict(apigateway._api_tags.get(apigateway._api_resource_arn(api, "stages", stage["stageName"]), {}))
    found = [{**stage, "tags": tags(stage)} for stage in apigateway._stages.get(api, {}).values()]
    return apigateway._apigw_response({"items": found})


def unknown_route(api, data):
    keys = {route["routeKey"] for route in apigateway._routes.get(api, {}).values()}
    missing = [key for key in data.get("routeSettings") or {} if key not in keys]
    if missing:
        return apigateway._apigw_error("NotFoundException", f"Unable to find Route by key {missing[0]} within the provided RouteSettings", 404)
    return None


def create_stage(create, api, data):
    if data.get("stageName") in apigateway._stages.get(api, {}):
        return apigateway._apigw_error("ConflictException", "Stage already exists", 409)
    return unknown_route(api, data) or create(api, data)


def update_stage(update, api, name, data):
    """A change merges: a route's settings that are left out stay."""
    refusal = unknown_route(api, data)
    stage = apigateway._stages.get(api, {}).get(name)
    if refusal is None and stage is not None and "routeSettings" in data:
        merged = copy.deepcopy(stage.get("routeSettings") or {})
        for key, settings in (data["routeSettings"] or {}).items():
            merged[key] = {**merged.get(key, {}), **settings}
        data = {**data, "routeSettings": merged}
    return refusal or update(api, name, data)


def taken_route(api, data):
    if any(route["routeKey"] == data.get("routeKey") for route in apigateway._routes.get(api, {}).values()):
        return apigateway._apigw_error("ConflictException", f"Route with key {data.get('routeKey')} already exists for this API", 409)
    return None


def used_integration(api, integration):
    if any(route.get("target") == f"integrations/{integration}" for route in apigateway._routes.get(api, {}).values()):
        return apigateway._apigw_error("ConflictException", "Cannot delete Integration, it is referenced by Route", 409)
    return None


def refused_mapping(data):
    """One mapping for a queue and a function, and a queue that hides a message for as long as the function may take."""
    source, name = data.get("EventSourceArn", ""), data.get("FunctionName", "").rpartition(":")[2]
    for uuid, mapping in lambda_svc._esms.items():
        if mapping["EventSourceArn"] == source and mapping["FunctionName"] == name:
            return error_response_json("ResourceConflictException", (
                f"An event source mapping with SQS arn (\" {source} \") and function (\" {name} \") already exists. "
                f"Please update or delete the existing mapping with UUID {uuid}"), 409)
    function = lambda_svc._functions.get(name)
    queues = [queue for queue in sqs._queues.values() if queue["attributes"].get("QueueArn") == source]
    if function is None or not queues:
        return None
    hidden, timeout = int(queues[0]["attributes"].get("VisibilityTimeout", 30)), function["config"].get("Timeout", 3)
    if hidden < timeout:
        return error_response_json("InvalidParameterValueException", (
            f"Queue visibility timeout: {hidden} seconds is less than Function timeout: {timeout} seconds"), 400)
    return None


def create_mapping(create, data):
    answer = create(data)
    keep_key(data)
    return answer


def update_mapping(update, uuid, data):
    mapping = lambda_svc._esms.get(uuid)
    if mapping is not None and "KMSKeyArn" in data:
        mapping["KMSKeyArn"] = data["KMSKeyArn"]
    return update(uuid, data)


def keep_key(data):
    for mapping in lambda_svc._esms.values():
        if data.get("KMSKeyArn") and mapping["EventSourceArn"] == data.get("EventSourceArn"):
            mapping["KMSKeyArn"] = data["KMSKeyArn"]


def indexed():
    for arn, tags in apigateway._api_tags.items():
        yield arn, [{"Key": key, "Value": value} for key, value in tags.items()]
