"""Makes the plugin's tables, and the users and tokens that the tests know. May be run again."""

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from users.models import ObjectPermission, Token, User  # noqa: E402

ADMIN = "0123456789abcdef0123456789abcdef01234567"

# The least that the function needs, by plugin: content types, and what may be done with them.
RIGHTS = {
    None: {("view",): ["circuits.provider", "circuits.circuit"]},
    "netbox_circuitmaintenance": {
        ("view", "add", "change"): [
            "netbox_circuitmaintenance.circuitmaintenance",
            "netbox_circuitmaintenance.circuitmaintenancenotifications",
        ],
        ("view", "add", "change", "delete"): ["netbox_circuitmaintenance.circuitmaintenanceimpact"],
    },
    "notices": {
        ("view", "add", "change"): ["notices.maintenance", "notices.eventnotification"],
        ("view", "add", "change", "delete"): ["notices.impact"],
    },
}


def user(name, **more):
    return User.objects.get_or_create(username=name, defaults={"email": f"{name}@example.com", **more})[0]


def token(owner, text, key=None, **more):
    """A token of version 1, or with a key of version 2."""
    known = Token.objects.filter(version=2, key=key) if key else Token.objects.filter(version=1, plaintext=text)
    if not known.exists():
        version = {"version": 2, "key": key} if key else {"version": 1}
        made = Token(user=owner, token=text, **version, **more)
        made.full_clean()
        made.save()


call_command("migrate", interactive=False)

admin = user("admin", is_superuser=True)
token(admin, ADMIN)
token(admin, "1" * 40, write_enabled=False)

function = user("function")
token(function, "2" * 40)
token(function, "2" * 40, key="LambdaKey001")
rights = [
    (kind, actions)
    for plugin, rights in RIGHTS.items()
    if plugin is None or plugin in settings.PLUGINS
    for actions, kinds in rights.items()
    for kind in kinds
]
# The last one, so that the tokens below keep their numbers.
rights.append(("core.objectchange", ("view",)))
# Whose token lacks all rights on one model each.
lacking = {kind: user(f"without-{kind.split('.')[1]}") for kind, _ in rights}
for number, owner in enumerate(lacking.values(), 10):
    token(owner, f"{number:040}")
for kind, actions in rights:
    permission, _ = ObjectPermission.objects.get_or_create(name=f"function: {kind}", defaults={"actions": list(actions)})
    permission.object_types.set([ContentType.objects.get_by_natural_key(*kind.split("."))])
    permission.users.set([function, *(owner for lacked, owner in lacking.items() if lacked != kind)])

# Somebody who may log in, and nothing else.
token(user("nobody"), "3" * 40)
