"""What a value of the wrong kind is refused with, in words that need no knowledge of the program."""

from pathlib import Path

import pytest

from tests.config.manifests import BASE, account, organization, refused

POLICY = "{name: P, type: SERVICE_CONTROL_POLICY, aws_managed: true"
STACKSET = "{name: s, template: t, targets: {root: true}"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        # unknown and missing keys
        ({"x": "▸unit: []\n"}, "unknown key 'unit'; did you mean 'units'?"),
        (
            {"x": "▸zebra: 1\n"},
            (
                "unknown key 'zebra'; the keys here are version, include, variables, organization, units, "
                "accounts, policies, trusted_access, delegated_administrators, stacksets, "
                "protected_principals, notifications, lineage"
            ),
        ),
        (
            account("{name: X, ▸emial: x@example.com, email: x@example.com, unit: Root}"),
            "unknown key 'emial'; did you mean 'email'?",
        ),
        (
            {
                "x": (
                    "policies:\n  - name: P\n    type: SERVICE_CONTROL_POLICY\n    aws_managed: true\n    "
                    "attach:\n      ▸unit: [Security]\n"
                )
            },
            "unknown key 'unit'; did you mean 'units'?",
        ),
        (
            {"x": "lineage: {graph: {▸motor: x}}\n"},
            "unknown key 'motor'; the keys here are engine, min_capacity, max_capacity, standby",
        ),
        (
            account("▸{name: X, unit: Root}"),
            (
                "the key 'email' is missing; add it: email address of the account's root user, used by no "
                "other AWS account in the world"
            ),
        ),
        (
            {"version": "", "organization": "▸" + BASE["organization"]},
            "the key 'version' is missing; add it: version of the manifest's format",
        ),
        (
            {"x": "stacksets: [▸{name: s, template: t}]\n"},
            "the key 'targets' is missing; add it: where the StackSet deploys",
        ),
        (
            {"x": "protected_principals: [▸{name: a, calls: [iam:*]}]\n"},
            "the key 'arn' is missing; add it: ARN of the principal; the account may be `*` for every account",
        ),
        # wrong kinds
        ({"version": "version: ▸2\n"}, "'version' cannot be 2; write 1"),
        ({"version": 'version: ▸"1"\n'}, "'version' cannot be '1'; write 1"),
        (
            account("{name: X, email: x@example.com, unit: Root, id: ▸123456789012}"),
            "'id' must be text, but YAML reads 123456789012 as a number; put it in quotes: \"123456789012\"",
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, tags: {A: ▸true}}"),
            "'A' must be text, but YAML reads true as a truth value; put it in quotes: \"true\"",
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, tags: {A: ▸no}}"),
            'YAML reads no as false; write false, or put text in quotes: "no"',
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, tags: {A: ▸1.50}}"),
            "'A' must be text, but YAML reads 1.50 as a number; put it in quotes: \"1.50\"",
        ),
        (account("{name: X, email: x@example.com, unit: ▸[Root]}"), "'unit' must be text, but is a list; write text"),
        (account("{name: X, email: x@example.com, unit: ▸{}}"), "'unit' must be text, but is a mapping; write text"),
        (account("{name: X, email: x@example.com, unit: ▸~}"), "'unit' has no value; write text, or remove the key"),
        ({"x": "policies:▸\n"}, "'policies' has no value; write a list, or remove the key"),
        (
            {"x": "trusted_access: ▸sso.amazonaws.com\n"},
            "'trusted_access' must be a list, but is 'sso.amazonaws.com'; write a list: [sso.amazonaws.com]",
        ),
        ({"units": "units: ▸{name: Security}\n"}, "'units' must be a list, but is a mapping; write a list"),
        (
            {"units": "units: [▸Security]\n"},
            (
                "'units' must be a mapping of keys to values, but is 'Security'; write its keys: name, "
                "formerly, tags, units"
            ),
        ),
        (
            {"x": "variables: ▸[]\n"},
            "'variables' must be a mapping of keys to values, but is a list; write a mapping of keys to values",
        ),
        (
            {"x": f"stacksets: [{STACKSET}, retain_on_removal: ▸1}}]\n"},
            "'retain_on_removal' must be true or false, but is 1; write true or false",
        ),
        (
            {"x": f"stacksets: [{STACKSET}, failure_tolerance_percentage: ▸1.5}}]\n"},
            "'failure_tolerance_percentage' must be a whole number, but is 1.5; write a whole number",
        ),
        (
            {"x": "lineage: {graph: {min_capacity: ▸x}}\n"},
            "'min_capacity' must be a number, but is 'x'; write a number",
        ),
        (
            {"x": "variables: {A: ▸{b: 1}}\n"},
            "the value is neither text, number, true, false, nor a list of these; write one of them",
        ),
        (
            {"x": "variables: {A: ▸[[1]]}\n"},
            "the value is neither text, number, true, false, nor a list of these; write one of them",
        ),
        (
            {"x": "variables: {A: ▸~}\n"},
            "the value is neither text, number, true, false, nor a list of these; write one of them",
        ),
        # choices and bounds
        (
            account("{name: X, email: x@example.com, unit: Root, state: ▸quarantine}"),
            "'state' cannot be 'quarantine'; did you mean 'quarantined'?",
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, state: ▸gone}"),
            "'state' cannot be 'gone'; write active, quarantined or closed",
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, state: ▸}"),
            "'state' has no value; write active, quarantined or closed",
        ),
        (
            account("{name: X, email: x@example.com, unit: Root, alternate_contacts: {▸billng: ~}}"),
            "unknown key 'billng'; did you mean 'billing'?",
        ),
        ({"x": f"policies: [{POLICY.replace('true', '▸false')}}}]\n"}, "'aws_managed' cannot be false; write true"),
        (
            {"x": f"stacksets: [{STACKSET}, region_order: ▸seqential}}]\n"},
            "'region_order' cannot be 'seqential'; did you mean 'sequential'?",
        ),
        (
            {"x": f"stacksets: [{STACKSET}, capabilities: [▸CAPABILITY_AUTO_EXPAND]}}]\n"},
            "CAPABILITY_AUTO_EXPAND is for macros, which StackSets of an organization do not allow; remove it",
        ),
        (
            {"x": f"stacksets: [{STACKSET}, failure_tolerance_percentage: ▸101}}]\n"},
            "'failure_tolerance_percentage' is 101; it must be at most 100",
        ),
        (
            {"x": f"stacksets: [{STACKSET}, max_concurrent_percentage: ▸0}}]\n"},
            "'max_concurrent_percentage' is 0; it must be at least 1",
        ),
        ({"x": "lineage: {graph: {min_capacity: ▸1.3}}\n"}, "'min_capacity' is 1.3; it must be a multiple of 0.5"),
        ({"accounts": "accounts: ▸[]\n"}, "'accounts' is empty; add at least one"),
        (organization(governed_regions="▸[]"), "'governed_regions' is empty; add at least one"),
        (
            {"x": "notifications: [{name: a, email: a@example.com, severities: [▸hgh]}]\n"},
            "'severities' cannot be 'hgh'; did you mean 'high'?",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, sections: dict[str, str], message: str) -> None:
    refused(tmp_path, sections, message)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    sections = organization(home_region="▸eu-centrl-1") | account("{name: X, email: ▸x, unit: Root, state: ▸gone}")
    refused(
        tmp_path,
        sections,
        "unknown Region 'eu-centrl-1'; did you mean 'eu-central-1'?",
        "'x' is not an email address that AWS accepts; write it like name@example.com",
        "'state' cannot be 'gone'; write active, quarantined or closed",
    )
