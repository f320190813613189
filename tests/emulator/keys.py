"""KMS keys as a test names them: KMS chooses the ids of keys, and a declaration has them.

    POST /_ministack/key?id=ID&state=STATE   makes the key, or changes it
"""

from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import kms
from wrapping import replace

PATH = "/_ministack/key"


def install():
    replace(app, "_handle_admin_reset", answer)


async def answer(otherwise, path, method, parameters):
    if path != PATH or method != "POST":
        return await otherwise(path, method, parameters)
    given = {name: value[0] if isinstance(value, list) else value for name, value in parameters.items()}
    name, state = given["id"], given["state"]
    if name not in kms._keys:
        before = set(kms._keys)
        kms._create_key({})
        (made,) = set(kms._keys) - before
        arn = f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{name}"
        kms._keys[name] = {**kms._keys.pop(made), "KeyId": name, "Arn": arn}
    kms._keys[name].update({"KeyState": state, "Enabled": state == "Enabled"})
    return 200, {}, b""
