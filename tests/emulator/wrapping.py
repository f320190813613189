"""How the extensions take the place of ministack's functions.

By name, so that starting fails should another version of ministack no longer have one.
"""

import functools


def replace(place, name, replacement):
    """Puts a function in the place of another, in a module or a table, and gives it that one first."""
    table = place if isinstance(place, dict) else vars(place)
    table[name] = functools.wraps(table[name])(functools.partial(replacement, table[name]))


def replace_method(kind, name, replacement):
    """Puts a function in the place of a method, and gives it that one first, then the object."""
    method = getattr(kind, name)
    setattr(kind, name, functools.wraps(method)(lambda *arguments: replacement(method, *arguments)))


def before(place, name, check):
    """Lets a check answer in the place of a function; without an answer the function does."""
    replace(place, name, lambda function, *arguments: check(*arguments) or function(*arguments))


def listed(one_or_more):
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
