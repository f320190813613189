"""SES's receipt IP address filters, which ministack lacks: one list for an account and a region, before any rule."""

import ipaddress
import re

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import ses
from queries import add_actions, done, parameter, refused

MOST_FILTERS = 100


def install():
    # Among SES's own, so that a reset and a snapshot know them.
    ses._receipt_filters = AccountRegionScopedDict()
    add_actions({"ListReceiptFilters": list_all, "CreateReceiptFilter": create, "DeleteReceiptFilter": delete})
    reset = ses.reset

    def with_filters():
        reset()
        ses._receipt_filters.clear()

    ses.reset = with_filters


def list_all(_):
    filters = [{"Name": name, "IpFilter": filter} for name, filter in sorted(ses._receipt_filters.items())]
    return done("ListReceiptFilters", {"Filters": filters})


def create(parameters):
    name = parameter(parameters, "Filter.Name")
    policy, cidr = (parameter(parameters, f"Filter.IpFilter.{key}") for key in ("Policy", "Cidr"))
    if not re.fullmatch(r"(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?", name or ""):
        return refused("InvalidParameterValue", f"Invalid filter name: {name}")
    if policy not in ("Block", "Allow"):
        return refused("InvalidParameterValue", f"Invalid filter policy: {policy}")
    try:
        ipaddress.IPv4Network(cidr, strict=False)
    except ValueError:
        return refused("InvalidParameterValue", f"Invalid CIDR: {cidr}")
    if name in ses._receipt_filters:
        return refused("AlreadyExists", f"Receipt filter already exists: {name}")
    if len(list(ses._receipt_filters)) >= MOST_FILTERS:
        return refused("LimitExceeded", f"Exceeded the limit of {MOST_FILTERS} filters")
    ses._receipt_filters[name] = {"Policy": policy, "Cidr": cidr}
    return done("CreateReceiptFilter")


def delete(parameters):
    ses._receipt_filters.pop(parameter(parameters, "FilterName"), None)
    return done("DeleteReceiptFilter")
