"""CloudWatch Logs: every event has an id, `FilterLogEvents` answers in pages, of which some are empty, and groups take keys."""

import base64
import itertools
import json

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch_logs
from wrapping import replace

# AWS's pages hold 10,000 events. Ours are small, so that whoever reads one page alone is found out.
PAGE = 25
NUMBERS = itertools.count(1)


def install():
    replace(cloudwatch_logs, "_filter_log_events", pages)
    replace(cloudwatch_logs, "handle_request", with_keys)


async def with_keys(handle, method, path, headers, body, parameters):
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action not in ("AssociateKmsKey", "DisassociateKmsKey"):
        return await handle(method, path, headers, body, parameters)
    data = json.loads(body)
    group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
    if group is None:
        return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
    group["kmsKeyId"] = data["kmsKeyId"] if action == "AssociateKmsKey" else None
    return json_response({})


def pages(filter_events, data):
    for group in cloudwatch_logs._log_groups.values():
        for stream in group["streams"].values():
            for event in stream["events"]:
                event.setdefault("eventId", f"{next(NUMBERS):056d}")
    # What the first page may be as well: AWS has looked through some streams and found nothing yet.
    position = data.pop("nextToken", None)
    if position is None:
        first = filter_events({**data, "limit": 1})
        return first if first[0] != 200 else answer([], 0)
    try:
        start = int(base64.b64decode(position))
    except ValueError:
        return error_response_json("InvalidParameterException", "The specified nextToken is invalid.", 400)
    status, headers, body = filter_events({**data, "limit": 10000})
    if status != 200:
        return status, headers, body
    events = json.loads(body)["events"]
    end = start + min(data.get("limit", PAGE), PAGE)
    return answer(events[start:end], end if end < len(events) else None)


def answer(events, follows):
    token = {} if follows is None else {"nextToken": base64.b64encode(str(follows).encode()).decode()}
    return cloudwatch_logs.json_response({"events": events, "searchedLogStreams": [], **token})
