"""Every operation of the services in daily use asks for an action that AWS publishes.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from pathlib import Path

import moto
import pytest
from moto.core.utils import get_service_model

from org.policy.catalog import Catalog
from org.sandbox.authorization.actions import actions_of, exceptions
from org.sandbox.authorization.requests import service_names

SERVICES = (
    "account", "backup", "cloudformation", "cloudtrail", "cloudwatch", "config", "dynamodb", "ec2", "ecr", "events",
    "iam", "identitystore", "kms", "lambda", "logs", "organizations", "ram", "resourcegroupstaggingapi", "s3",
    "s3control", "scheduler", "secretsmanager", "securityhub", "service-quotas", "sns", "sqs", "ssm", "sso-admin",
    "stepfunctions", "sts",
)  # fmt: skip

PARTIQL = "PartiQL: the statement's text decides on action and table"
DIRECTORY = "directory buckets, which have actions of their own (s3express)"
OUTPOSTS = "buckets on Outposts, which have actions of their own (s3-outposts)"
UNPUBLISHED = "newer than the published data"
EXCEPTIONS = {
    "dynamodb": {"BatchExecuteStatement": PARTIQL, "ExecuteStatement": PARTIQL, "ExecuteTransaction": PARTIQL},
    "s3": {"CreateSession": DIRECTORY, "ListDirectoryBuckets": DIRECTORY, "RenameObject": DIRECTORY},
    "s3control": {
        "DeleteBucketLifecycleConfiguration": OUTPOSTS, "DeleteBucketReplication": OUTPOSTS,
        "DeleteBucketTagging": OUTPOSTS, "GetBucket": OUTPOSTS, "GetBucketLifecycleConfiguration": OUTPOSTS,
        "GetBucketReplication": OUTPOSTS, "ListRegionalBuckets": OUTPOSTS,
        "PutBucketLifecycleConfiguration": OUTPOSTS, "PutBucketReplication": OUTPOSTS,
    },
}  # fmt: skip


class _EveryParameter(dict[str, object]):
    def get(self, name: str, default: object = None) -> object:
        return [{}]


def implemented(service: str) -> set[str]:
    """Answer the operations that moto's code of a service speaks of, under Python's names."""
    folder = Path(moto.__file__).parent / {"lambda": "awslambda", "sso-admin": "ssoadmin"}.get(service, service)
    folder = folder if folder.is_dir() else folder.with_name(folder.name.replace("-", ""))
    return {
        line.split("def ", 1)[1].partition("(")[0]
        for file in folder.rglob("responses*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("    def ")
    } | {
        line.split("def ", 1)[1].partition("(")[0]
        for file in folder.rglob("responses/*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("    def ")
    }


def snake(name: str) -> str:
    from botocore import xform_name

    return str(xform_name(name))


@pytest.mark.parametrize("service", SERVICES)
def test_each_operation_that_moto_has_needs_an_action_that_there_is(service: str) -> None:
    catalog, model = Catalog(), get_service_model(service)
    prefix = service_names().prefixes.get(service, model.signing_name)
    known, excused = implemented(service), EXCEPTIONS.get(service, {})
    assert known, "moto's code was not found"
    missing = {
        operation: needed.action
        for operation in map(str, model.operation_names)
        if snake(operation) in known and operation not in excused
        for needed in actions_of(service, prefix, operation, _EveryParameter())
        if not catalog.is_free(needed.action) and catalog.find_action(needed.action) is None
    }
    assert missing == {}


@pytest.mark.parametrize("service", sorted(exceptions()))
def test_the_table_of_exceptions_speaks_of_operations_and_kinds_that_there_are(service: str) -> None:
    catalog, operations = Catalog(), set(map(str, get_service_model(service).operation_names))
    assert set(exceptions()[service]) <= operations
    for found in exceptions()[service].values():
        for entry in found if isinstance(found, list) else [found]:
            if isinstance(entry, dict) and "type" in entry:
                action = catalog.find_action(entry["action"])
                assert action is not None
                assert entry["type"] in {each.name for each in action.resources}
