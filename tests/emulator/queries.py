"""What the extensions of SES's query protocol share: parameters in, answers out, and further actions."""

from urllib.parse import parse_qs

from ministack.services import ses


def parameter(parameters, name):
    return ses._p(parameters, name)


def members(parameters, name):
    """The list `name.member.1`, `name.member.2` …"""
    found = []
    while (key := f"{name}.member.{len(found) + 1}") in parameters:
        found.append(parameter(parameters, key))
    return found


def done(action, data=None):
    return ses._receipt_result(action, data)


def refused(code, message):
    return ses._receipt_error(code, message)


def add_actions(actions):
    """Makes SES answer further actions: name → a function of the parameters."""
    known = ses.handle_request

    async def handle_request(method, path, headers, body, query_params):
        if method == "POST" and body and not path.startswith("/v2/"):
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
            parameters = {**query_params, **form}
            if action := actions.get(parameter(parameters, "Action")):
                return action(parameters)
        return await known(method, path, headers, body, query_params)

    ses.handle_request = handle_request
