"""EC2 and RDS by moto, in place of ministack's and of what this folder adds to them: a double whose author is neither we nor ministack's.

Everything else stays as it is, in the same process: the check of signatures and policies, roles and profiles, secrets, the index of tags.
"""

import os
from base64 import b64encode
from types import SimpleNamespace

import resources
import snapshots
from ministack import app
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, iam, rds, secretsmanager, tagging
from moto.core.base_backend import BackendDict
from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.responses import EC2Response
from moto.iam.models import IAMBackend
from moto.rds.models import RDSBackend, rds_backends
from moto.rds.responses import RDSResponse
from moto.ssm.models import ssm_backends
from tag_index import pairs
from wrapping import replace, replace_method


def install():
    os.environ["MOTO_ACCOUNT_ID"] = os.environ["MINISTACK_ACCOUNT_ID"]
    replace(ec2, "handle_request", answers(EC2Response))
    replace(rds, "handle_request", answers(RDSResponse))
    replace_method(IAMBackend, "get_instance_profile", profile)
    replace_method(EC2Response, "run_instances", run)
    replace_method(EC2Response, "modify_instance_attribute", scripted)
    replace_method(EC2Backend, "delete_nat_gateway", ended)
    replace_method(EC2Backend, "terminate_instances", terminated)
    replace_method(RDSBackend, "modify_db_subnet_group", modified)
    RDSResponse.reset_db_parameter_group = reset_parameters
    RDSBackend.secretsmanager = Secrets()
    replace(resources, "tags_of", lambda _ministack, name: pairs(moto(ec2_backends).tags.get(name, {})))
    replace(resources, "table_of", table_of)
    tagging._COLLECTORS.update({"ec2": networks, "rds": databases})
    replace(ec2, "reset", reset)
    replace(app, "_handle_admin_reset", unkept)


def answers(response):
    async def handle(_ministack, method, path, headers, body, parameters):
        request = Request.from_primitives(method, f"http://{headers['host']}{path}", headers, body)
        try:
            status, of_answer, text = response.dispatch(request)
        except NotImplementedError as error:
            return ec2._error("InvalidAction", str(error), 400)
        return int(status), {"Content-Type": of_answer.get("Content-Type", "text/xml")}, text.encode() if isinstance(text, str) else text

    return handle


def profile(_get, _backend, name):
    """Profiles are ministack's."""
    known = iam._instance_profiles.get(name)
    if known is None:
        raise EC2ClientError("InvalidParameterValue", f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")
    return SimpleNamespace(name=name, arn=known["Arn"])


def run(run_instances, response):
    """EC2 looks up an image that a parameter names; moto has both the parameters and the images."""
    image = response.params["ImageId"]
    if image.startswith("resolve:ssm:"):
        parameter = ssm_backends[get_account_id()][get_region()].get_parameter(image.removeprefix("resolve:ssm:"))
        response.params["ImageId"] = parameter.value
    return run_instances(response)


def scripted(modify, response):
    """Another script comes in Base64 once, as EC2's model says; moto takes that away and wants it to be there still."""
    script = response.params.get("UserData")
    if script:
        script["Value"] = b64encode(script["Value"])
    return modify(response)


def ended(delete, backend, name):
    gateway = delete(backend, name)
    give_back(backend, {address["associationId"] for address in gateway.address_set})
    return gateway


def terminated(terminate, backend, ids):
    gone = terminate(backend, ids)
    give_back(backend, {one.association_id for one in backend.addresses if one.instance and one.instance.id in ids})
    return gone


def give_back(backend, associations):
    """NAT gateways and servers that go give their address back; moto keeps them together."""
    for association in associations:
        backend.disassociate_address(association_id=association)


def modified(modify, backend, name, *others):
    """A group of subnets that is changed stays; moto takes it away."""
    backend.subnet_groups[name] = modify(backend, name, *others)
    return backend.subnet_groups[name]


def reset_parameters(response):
    """Parameters that are reset have the engine's values again; moto lacks the action."""
    name = response.params["DBParameterGroupName"]
    group = response.backend.db_parameter_groups[name]
    for parameter in response.params["Parameters"]:
        group.parameters.pop(parameter["ParameterName"], None)
    return ActionResult({"DBParameterGroupName": name})


class Secrets:
    """What moto's databases ask of Secrets Manager."""

    def create_managed_secret(self, service_name, secret_id, secret_string, description, kms_key_id, tags):
        secretsmanager._create_secret({"Name": secret_id, "SecretString": secret_string, "Description": description})
        secret = secretsmanager._secrets[secret_id]
        secret.update({"Tags": tags, "OwningService": service_name})
        return SimpleNamespace(arn=secret["ARN"], kms_key_id=kms_key_id or "alias/aws/secretsmanager")

    def delete_secret(self, arn, **_how):
        for name in [name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn]:
            del secretsmanager._secrets[name]


def moto(backends):
    return backends[get_account_id()][get_region()]


def table_of(_ministack, association):
    return next((name for name, table in moto(ec2_backends).route_tables.items() if association in table.all_associations_ids), None)


def networks():
    """What EC2 has, by ARN, with its tags; those of what is gone stay in moto's store."""
    backend = moto(ec2_backends)
    there = {*backend.vpcs, *backend.internet_gateways, *backend.route_tables, *backend.volumes}
    there |= {name for store in (*backend.subnets.values(), *backend.groups.values()) for name in store}
    there |= {one.allocation_id for one in backend.addresses}
    there |= {one.id for one in (*backend.nat_gateways.values(), *backend.vpc_end_points.values()) if one.state != "deleted"}
    there |= {one.id for one in backend.all_instances() if one.state != "terminated"}
    for name in there:
        kind = resources.TYPES[name.partition("-")[0]]
        yield f"arn:aws:ec2:{get_region()}:{get_account_id()}:{kind}/{name}", pairs(backend.tags.get(name, {}))


def databases():
    backend = moto(rds_backends)
    for store in (backend.databases, backend.subnet_groups, backend.db_parameter_groups):
        for one in store.values():
            yield one.arn, one.tags


def reset(ministack):
    ministack()
    BackendDict.reset()


async def unkept(otherwise, path, method, parameters):
    if path == snapshots.PATH:
        return 501, {}, b"an account whose servers are moto's cannot be kept"
    return await otherwise(path, method, parameters)
