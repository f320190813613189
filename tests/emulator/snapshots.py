"""The account as a value: kept under a number, and put back as it was then, as often as it is asked for.

    POST /_ministack/snapshot               keeps the account, answers with a number
    POST /_ministack/snapshot?restore=N     puts it back

Ministack keeps the state of a service in dictionaries that are scoped by account. They are copied together, so that what two
of them share stays shared. Putting back begins with ministack's own reset, which also ends the functions that still run: what these
would write to their log then is not of the account that was put back.
"""

import asyncio
import contextvars
import copy
import sys

from ministack import app
from ministack.core.responses import AccountRegionScopedDict, AccountScopedDict
from ministack.services import lambda_svc
from wrapping import replace

PATH = "/_ministack/snapshot"
# A function that is being made is made in a tenth of a second.
PATIENCE = 5
KEPT = []
# Counts what was put back.
ACCOUNTS = [0]
# The account in which an event was queued that a thread of its own handles, and that in which a function runs.
QUEUED = contextvars.ContextVar("queued", default=None)
INVOKED = contextvars.ContextVar("invoked", default=None)


def install():
    replace(app, "_handle_admin_reset", answer)
    replace(lambda_svc, "invoke_async_with_retry", queue)
    replace(lambda_svc, "_execute_function_dispatch", invoke)
    replace(lambda_svc, "_emit_lambda_logs", log)


def queue(otherwise, *arguments, **named):
    """The thread that handles the event has the context of whoever starts it."""
    token = QUEUED.set(ACCOUNTS[0])
    try:
        return otherwise(*arguments, **named)
    finally:
        QUEUED.reset(token)


def invoke(otherwise, *arguments):
    """Runs a function, unless its event was queued in an account that was put away meanwhile."""
    if QUEUED.get() not in (None, ACCOUNTS[0]):
        return {"body": None}
    INVOKED.set(ACCOUNTS[0])
    return otherwise(*arguments)


def log(otherwise, *arguments, **named):
    """Writes the log of an invocation into the account in which it began."""
    if INVOKED.get() == ACCOUNTS[0]:
        otherwise(*arguments, **named)


async def answer(otherwise, path, method, parameters):
    if path != PATH or method != "POST":
        return await otherwise(path, method, parameters)
    if number := parameters.get("restore"):
        await restore(int(number[0] if isinstance(number, list) else number))
        return 200, {}, b""
    # Who flips the state of such a function later would not know of a copy.
    for _ in range(PATIENCE * 50):
        if not in_transition():
            KEPT.append(copy.deepcopy(stores()))
            return 200, {}, str(len(KEPT) - 1).encode()
        await asyncio.sleep(0.02)
    return 503, {}, b"a function is still being made or changed"


def stores():
    """Whatever the services hold, by module and name."""
    modules = {name: module for name, module in list(sys.modules.items()) if name.startswith("ministack.services.")}
    return {(name, variable): store._data for name, module in modules.items() for variable, store in vars(module).items()
            if isinstance(store, (AccountScopedDict, AccountRegionScopedDict))}


def in_transition():
    configurations = [function["config"] for function in list(lambda_svc._functions._data.values())]
    return any(one["State"] == "Pending" or one["LastUpdateStatus"] == "InProgress" for one in configurations)


async def restore(number):
    kept = copy.deepcopy(KEPT[number])
    ACCOUNTS[0] += 1
    await app._handle_admin_reset("/_ministack/reset", "POST", {})
    for place, store in stores().items():
        store.clear()
        # A service that was first used after the copy was made is empty.
        store.update(kept.get(place, {}))
