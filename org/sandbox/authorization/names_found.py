"""The names and ARNs in a call's parameters that only the services' own state can complete.

IAM's roles, users and groups have paths that a call does not give; keys have aliases; secrets, stacks and rules have
ARNs that end in what nobody chose.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.config.models import config_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.kms.utils import KEY_ID_LEN
from moto.secretsmanager.models import secretsmanager_backends
from moto.utilities.utils import get_partition

from org.sandbox.authorization.model import ApiCall
from org.sandbox.iam import find_key
from org.sandbox.organizations import find_organization_of

Names = dict[str, tuple[str, ...]]
"""By the parameter's name in lower case, without hyphens."""


def texts_of(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def find_in_iam(call: ApiCall, names: Names, _: str) -> None:
    """Put paths before names.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    iam = iam_backends[call.account][get_partition(call.region)]
    new = str(call.parameters.get("Path") or "/").lstrip("/")
    made = call.operation.removeprefix("Create").lower() if call.operation.startswith("Create") else ""
    for kind, known in (
        ("role", iam.roles.values()),
        ("user", iam.users.values()),
        ("group", iam.groups.values()),
        ("policy", ()),
        ("instanceprofile", iam.instance_profiles.values()),
    ):
        for name in names.get(f"{kind}name", ()):
            path = next((str(each.path).lstrip("/") for each in known if each.name == name), "")
            names[f"{kind}name"] = (f"{new if kind == made else path}{name}",)
    found = find_key(call.access_key)
    if "username" not in names and found is not None and found[1].user_name in iam.users:
        user = iam.users[str(found[1].user_name)]
        names["username"] = (f"{str(user.path).lstrip('/')}{user.name}",)
    if call.operation == "CreateServiceLinkedRole":
        names["rolename"] = (f"aws-service-role/{call.parameters.get('AWSServiceName')}/AWSServiceRoleFor*",)
    elif call.operation == "CreateOpenIDConnectProvider":
        names["oidcprovidername"] = (str(call.parameters.get("Url", "")).partition("://")[2],)


def find_in_kms(call: ApiCall, names: Names, source: str) -> None:
    """Put the key in the place of its alias: policies are about keys.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    backend = kms_backends[call.account][call.region]
    if "aliasname" in names:
        # The service's format says `alias/` itself.
        names["alias"] = names["aliasname"] = (names["aliasname"][0].removeprefix("alias/"),)
        held = names["alias"][0]
        before = backend.get_key_id_from_alias(f"alias/{held}")
        asked = names.get("targetkeyid", ()) if source != "AliasName" else ()
        names["keyid"] = asked or ((str(before),) if before else ())
        return
    named = names.get(source.lower()) if source and source != "CiphertextBlob" else names.get("keyid")
    blob = call.parameters.get("CiphertextBlob")
    if isinstance(blob, bytes) and (source == "CiphertextBlob" or not named):
        # moto writes the key's id first; AWS, too, reads from the text which key it was.
        named = (blob[:KEY_ID_LEN].decode("ascii", "replace"),)
    found = tuple(filter(None, (_find_key(call, each) for each in named or ())))
    if named:
        names["keyid"] = found


def _find_key(call: ApiCall, key: str) -> str:
    """Answer the id of a key, or its ARN where it was found by one; empty for an alias that there is not."""
    parts = key.split(":", 5)
    account, region = (parts[4], parts[3]) if len(parts) == 6 else (call.account, call.region)
    name = parts[-1]
    if not name.startswith("alias/"):
        return key
    # Looking a backend up makes it: an account that nobody knows must not come to be by asking.
    id = kms_backends[account][region].get_key_id_from_alias(name) if account in kms_backends else None
    if not id or len(parts) < 6:
        return str(id or "")
    return f"{key.rpartition(':')[0]}:key/{id}"


def find_in_secrets(call: ApiCall, names: Names, _: str) -> None:
    """Answer the ARNs of secrets that exist; a new one's ends in six characters that nobody knows yet."""
    secrets = secretsmanager_backends[call.account][call.region].secrets
    ids = names.get("secretidlist", ()) or names.get("secretid", ())
    found = {each: secrets.get(each) for each in ids}
    names["secretarn"] = tuple(str(secret.arn) for secret in found.values() if secret is not None)
    names["secretid"] = tuple(each for each, secret in found.items() if secret is None)


def find_in_cloudformation(call: ApiCall, names: Names, _: str) -> None:
    stacks = cloudformation_backends[call.account][call.region].stacks.values()
    named = set(names.get("stackname", ()))
    names["stackarn"] = tuple(str(stack.stack_id) for stack in stacks if stack.name in named)


def find_in_config(call: ApiCall, names: Names, _: str) -> None:
    """Put the ARNs of rules in the place of their names: they end in ids, which a new one has not yet."""
    backend: Any = config_backends[call.account][call.region]
    start = f"arn:{get_partition(call.region)}:config:{call.region}:{call.account}"
    rules, made = backend.config_rules, call.operation.startswith("Put")
    named = names.get("configrulename", ()) or texts_of(call.parameters.get("ConfigRule", {}).get("ConfigRuleName"))
    known = [str(rules[each].config_rule_arn) for each in named if each in rules]
    names["configrulearn"] = tuple(known) or ((f"{start}:config-rule/*",) if named and made else ())
    rules = backend.organization_rules
    named = names.get("organizationconfigrulename", ())
    known = [str(rules[each].arn) for each in named if each in rules]
    new = (f"{start}:organization-config-rule/*",) if named and made else ()
    names["organizationconfigrulearn"] = tuple(known) or new


def find_in_securityhub(call: ApiCall, names: Names, _: str) -> None:
    """Answer the products whose findings are imported: each is to be allowed."""
    given = call.parameters.get("Findings")
    if call.operation == "BatchImportFindings" and isinstance(given, list):
        products = (str(each.get("ProductArn", "")) for each in given if isinstance(each, dict))
        names["productarn"] = tuple(dict.fromkeys(products))


def find_in_organizations(call: ApiCall, names: Names, _: str) -> None:
    """Answer the ARNs of accounts, units, roots and policies that exist."""
    organization = find_organization_of(call.account, get_partition(call.region))
    if organization is None:
        return
    targets: tuple[Any, ...] = (*organization.accounts, *organization.ou, *organization.policies)
    known = {str(each.id): str(each.arn) for each in targets}
    for name, values in list(names.items()):
        arns = tuple(known[each] for each in values if each in known)
        if arns:
            names[name] = arns
