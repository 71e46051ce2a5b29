"""What is refused though every value by itself is right: names that must exist, be unique and fit together."""

from pathlib import Path

import pytest

from tests.config.manifests import BASE, account, load, organization, refused

SCP = "SERVICE_CONTROL_POLICY"
STACKSET = "{name: s, template: t, targets: "


def policies(*entries: str) -> dict[str, str]:
    return {"policies": "policies:\n" + "".join(f"  - {entry}\n" for entry in entries)}


def stacksets(*entries: str) -> dict[str, str]:
    return {"stacksets": "stacksets:\n" + "".join(f"  - {entry}\n" for entry in entries)}


def policy(more: str, type: str = SCP) -> str:
    return f"{{name: P, type: {type}, {more}}}"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        # organization
        (
            organization(home_region="▸eu-west-1"),
            "the home Region 'eu-west-1' is not among the governed Regions; add it to governed_regions",
        ),
        (
            organization(governed_regions="[eu-central-1, ▸eu-central-1]"),
            "the Region 'eu-central-1' is listed twice; remove one",
        ),
        (
            organization(governed_regions="[eu-central-1, ▸cn-north-1]"),
            (
                "the Region 'cn-north-1' is of the partition aws-cn and the home Region of aws; keep one "
                "manifest for each partition"
            ),
        ),
        (organization(management_account="▸Managment"), "unknown account 'Managment'; did you mean 'Management'?"),
        (organization(log_archive_account="▸Logs"), "unknown account 'Logs'; add it under accounts:"),
        (organization(lineage_account="▸ami lineage"), "unknown account 'ami lineage'; did you mean 'AMI Lineage'?"),
        (
            organization(audit_account="▸Management"),
            (
                "'Management' is the management account, and StackSets and most policies leave that out; "
                "name another account"
            ),
        ),
        (organization(quarantine_unit="▸Root"), "the quarantine unit cannot be the root; name a unit of its own"),
        (organization(quarantine_unit="▸Securty"), "unknown unit 'Securty'; did you mean 'Security'?"),
        # units
        (
            {
                "units": (
                    "units: [{name: Security}, {name: Workloads, units: [{name: Prod}, {name: Dev}]}, {name: "
                    "▸Workloads}]\n"
                )
            },
            "the unit 'Workloads' is already at organization.yaml:9:34; rename one of the two, or join them",
        ),
        (
            {"units": BASE["units"].replace("{name: Dev}", "{name: Dev, formerly: ▸Workloads/Dev}")},
            "the unit 'Workloads/Dev' is said to have had the path that it has; remove formerly",
        ),
        (
            {"units": BASE["units"].replace("{name: Dev}", "{name: Dev, formerly: ▸Security}")},
            "the former path 'Security' is that of another unit in the manifest; remove formerly, or that unit",
        ),
        (
            {"units": BASE["units"].replace("{name: Dev}", "{name: Dev, formerly: ▸Root}")},
            "'Root' is not the path of a unit; write it like Workloads/Prod",
        ),
        (
            {"units": BASE["units"].replace("{name: Dev}", "{name: Dev, formerly: ▸/Apps}")},
            "'/Apps' is not the path of a unit; write it like Workloads/Prod",
        ),
        (
            {
                "units": BASE["units"].replace(
                    "{name: Dev}", "{name: Dev, formerly: Apps}, {name: Test, formerly: ▸Apps}"
                )
            },
            "'Apps' is already the former path of the unit at organization.yaml:9:67; keep one of the two",
        ),
        # accounts
        (
            account("{name: ▸shop, email: shop2@example.com, unit: Root}"),
            (
                "the account name 'shop' is already at organization.yaml:15:12; give each account its own; "
                "upper and lower case count as the same"
            ),
        ),
        (
            account("{name: X, email: ▸SHOP@example.com, unit: Root}"),
            (
                "the email address 'SHOP@example.com' is already at organization.yaml:15:25; give each "
                "account its own; upper and lower case count as the same"
            ),
        ),
        (
            account(
                "{name: X, email: x@example.com, unit: Root, id: '123456789012'}\n  - {name: Y, email: "
                "y@example.com, unit: Root, id: ▸'123456789012'}"
            ),
            (
                "the account id '123456789012' is already at organization.yaml:16:53; give each account its "
                "own; upper and lower case count as the same"
            ),
        ),
        (
            account("{name: X, email: x@example.com, unit: ▸Workload/Prod}"),
            "unknown unit 'Workload/Prod'; did you mean 'Workloads/Prod'?",
        ),
        (
            account("{name: X, email: x@example.com, unit: ▸Prod}"),
            "unknown unit 'Prod'; did you mean 'Workloads/Prod'?",
        ),
        (account("{name: X, email: x@example.com, unit: ▸root}"), "unknown unit 'root'; did you mean 'Root'?"),
        (account("{name: X, email: x@example.com, unit: ▸Mars}"), "unknown unit 'Mars'; add it under units:"),
        (
            account("{name: X, email: x@example.com, unit: Root, state: ▸quarantined}"),
            (
                "the account 'X' is to be quarantined, and no unit is named for that; add quarantine_unit: "
                "to organization:"
            ),
        ),
        *(
            (
                organization(quarantine_unit="Workloads/Dev")
                | {
                    "accounts": BASE["accounts"].replace(
                        f"{name}, email: {email}@example.com, unit: {unit}",
                        f"{name}, email: {email}@example.com, unit: {unit}, state: ▸{state}",
                    )
                },
                f"the {part} {name!r} cannot be {state}; write active, or give that part to another account",
            )
            for name, email, unit, part in (
                ("Management", "management", "Root", "management account"),
                ("Log Archive", "log-archive", "Security", "log archive account"),
                ("Audit", "audit", "Security", "audit account"),
                ("AMI Lineage", "ami-lineage", "Security", "lineage account"),
            )
            for state in ("quarantined", "closed")
        ),
        # services
        (
            {"x": "trusted_access: [sso.amazonaws.com, ▸sso.amazonaws.com]\n"},
            "the service 'sso.amazonaws.com' is listed twice; remove one",
        ),
        (
            {"x": "delegated_administrators: [{service: sso.amazonaws.com, account: ▸Audti}]\n"},
            "unknown account 'Audti'; did you mean 'Audit'?",
        ),
        (
            {"x": "delegated_administrators: [{service: sso.amazonaws.com, account: ▸Management}]\n"},
            (
                "the management account 'Management' cannot be a delegated administrator; name a member "
                "account, or remove the entry"
            ),
        ),
        (
            {
                "x": (
                    "delegated_administrators:\n  - {service: sso.amazonaws.com, account: Audit}\n  - "
                    "▸{service: sso.amazonaws.com, account: Audit}\n"
                )
            },
            "'Audit' already administers sso.amazonaws.com at organization.yaml:17:5; keep one of the two",
        ),
        # the rest
        (
            {
                "x": (
                    "protected_principals:\n  - &a {name: a, arn: 'arn:aws:iam::*:role/A', calls: ['*']}\n  "
                    "- {name: ▸a, arn: 'arn:aws:iam::*:role/B', calls: ['*']}\n"
                )
            },
            "the name 'a' is already at organization.yaml:17:15; give each its own name",
        ),
        (
            {
                "x": (
                    "protected_principals: [{name: a, arn: ▸'arn:aws:iam::${orgctl:account-id:Shp}:role/A', "
                    "calls: ['*']}]\n"
                )
            },
            "${orgctl:account-id:Shp} refers to nothing in the manifest; did you mean 'account-id:Shop'?",
        ),
        (
            {"x": "protected_principals: [{name: a, arn: ▸'arn:aws-cn:iam::*:role/A', calls: ['*']}]\n"},
            (
                "'arn:aws-cn:iam::*:role/A' is of the partition aws-cn and the home Region of aws, so it is nobody; "
                "write arn:aws:…"
            ),
        ),
        (
            {
                "x": (
                    "notifications:\n  - {name: a, email: a@example.com, severities: [high]}\n  - {name: ▸a, "
                    "email: b@example.com, severities: [low]}\n"
                )
            },
            "the name 'a' is already at organization.yaml:17:12; give each its own name",
        ),
        (
            {"x": "notifications: [{name: a, email: a@example.com, severities: [high, ▸high]}]\n"},
            "the severity 'high' is listed twice; remove one",
        ),
        (
            {"x": "lineage: {trusted_image_owners: [self, ▸self]}\n"},
            "the image owner 'self' is listed twice; remove one",
        ),
        ({"x": "lineage: {api: {callers: [Shop, ▸Shop]}}\n"}, "the caller 'Shop' is listed twice; remove one"),
        ({"x": "lineage: {api: {callers: [▸Shopp]}}\n"}, "unknown account 'Shopp'; did you mean 'Shop'?"),
        (
            {"x": "lineage: {api: {callers: [▸'arn:aws-cn:iam::123456789012:role/A']}}\n"},
            (
                "'arn:aws-cn:iam::123456789012:role/A' is of the partition aws-cn and the home Region of aws, so it is "
                "nobody; write arn:aws:…"
            ),
        ),
        (
            {"x": "lineage: {config: {except_accounts: [Shop, ▸Shopp]}}\n"},
            "unknown account 'Shopp'; did you mean 'Shop'?",
        ),
        (
            {"x": "lineage: {config: {except_accounts: [Shop, ▸Shop]}}\n"},
            "the account 'Shop' is listed twice; remove one",
        ),
        (
            {"x": "lineage: {graph: {min_capacity: ▸16, max_capacity: 8.5}}\n"},
            "min_capacity is 16 and max_capacity 8.5; let it be at most max_capacity",
        ),
        (
            {"x": "variables: {A: 1, B: ▸'${A}'}\n"},
            "the variable's value holds ${A}; write it out: values are not filled",
        ),
        (
            policies(
                policy(
                    "variables: {B: ▸['x-${A}']}, inline: {Version: 2012-10-17, Statement: {Effect: Deny, Action: '*'}}"
                )
            ),
            "the variable's value holds ${A}; write it out: values are not filled",
        ),
        # policies
        (
            policies(
                "{name: P, type: TAG_POLICY, aws_managed: true}",
                policy("aws_managed: true"),
                "{name: ▸P, type: TAG_POLICY, aws_managed: true}",
            ),
            "the TAG_POLICY 'P' is already at organization.yaml:17:12; rename one of the two",
        ),
        (
            policies(f"▸{{name: P, type: {SCP}}}"),
            "the policy 'P' has no text; add one of file, inline, guardrail and aws_managed: true",
        ),
        (
            policies(policy("guardrail: a, aws_managed: ▸true")),
            "the policy 'P' has both guardrail and aws_managed; keep one of them",
        ),
        (
            policies(policy("aws_managed: true, parameters: ▸{a: b}")),
            "parameters are given without a guardrail; remove them, or write variables:",
        ),
        (
            policies(policy("guardrail: g, variables: ▸{a: b}")),
            "variables are given without file or inline; remove them, or write parameters:",
        ),
        (
            policies(policy("aws_managed: true, description: ▸x")),
            "'description' is given for a policy that AWS manages; remove it",
        ),
        (
            policies(policy("aws_managed: true, tags: ▸{a: b}")),
            "'tags' is given for a policy that AWS manages; remove it",
        ),
        (
            policies(policy("guardrail: g, attach: {units: [▸Root]}")),
            "the root is listed among the units; write root: true instead",
        ),
        (
            policies(policy("guardrail: g, attach: {units: [▸Workload]}")),
            "unknown unit 'Workload'; did you mean 'Workloads'?",
        ),
        (
            policies(policy("guardrail: g, attach: {units: [Security, ▸Security]}")),
            "the unit 'Security' is listed twice; remove one",
        ),
        (policies(policy("guardrail: g, attach: {accounts: [▸Shp]}")), "unknown account 'Shp'; did you mean 'Shop'?"),
        (
            policies(policy("guardrail: g, attach: {accounts: [Shop, ▸Shop]}")),
            "the account 'Shop' is listed twice; remove one",
        ),
        (policies(policy("guardrail: g, parameters: {A: ▸'${B}'}")), "${B} has no value; add B under variables:"),
        # StackSets
        (
            stacksets(STACKSET + "{root: true}}", "{name: ▸s, template: t, targets: {root: true}}"),
            "the StackSet 's' is already at organization.yaml:17:12; rename one of the two",
        ),
        (stacksets("▸{name: s, targets: {root: true}}"), "the StackSet 's' has no template; add template: or file:"),
        (
            stacksets("{name: s, template: t, targets: {root: true}, capabilities: ▸[CAPABILITY_IAM]}"),
            "capabilities are given for a template of the catalog; remove them",
        ),
        (
            stacksets("{name: s, file: ▸none.yaml, targets: {root: true}}"),
            "the file 'none.yaml' does not exist; correct the name",
        ),
        (
            stacksets("{name: s, file: ▸../t.yaml, targets: {root: true}}"),
            "the file '../t.yaml' leads out of the manifest's folder; keep all files below it",
        ),
        (
            stacksets("{name: s, template: t, targets: {root: true}, regions: [eu-west-1, ▸eu-west-1]}"),
            "the Region 'eu-west-1' is listed twice; remove one",
        ),
        (stacksets(STACKSET + "▸{}}"), "the StackSet 's' has no targets; add root: true or units:"),
        (
            stacksets(STACKSET + "{root: true, units: ▸[Security]}}"),
            "units are listed beside the root, which holds them all; keep one of the two",
        ),
        (stacksets(STACKSET + "{units: [▸Root]}}"), "the root is listed among the units; write root: true instead"),
        (stacksets(STACKSET + "{units: [▸Sec]}}"), "unknown unit 'Sec'; add it under units:"),
        (stacksets(STACKSET + "{units: [Security, ▸Security]}}"), "the unit 'Security' is listed twice; remove one"),
        (
            stacksets(STACKSET + "{root: true, only_accounts: [Shop], except_accounts: ▸[Audit]}}"),
            "both only_accounts and except_accounts are given; keep one of the two",
        ),
        (
            stacksets(STACKSET + "{root: true, only_accounts: [Shop, ▸Shop]}}"),
            "the account 'Shop' is listed twice; remove one",
        ),
        (
            stacksets(STACKSET + "{root: true, only_accounts: [▸Shops]}}"),
            "unknown account 'Shops'; did you mean 'Shop'?",
        ),
        (
            stacksets(STACKSET + "{root: true, only_accounts: [▸Management]}}"),
            "StackSets never deploy to the management account 'Management'; remove it",
        ),
        (
            stacksets(STACKSET + "{units: [Security], only_accounts: [Audit, ▸Shop]}}"),
            "the account 'Shop' is in 'Workloads/Prod', outside of the targets; remove it, or add its unit",
        ),
        (
            stacksets(STACKSET + "{units: [Workloads/Dev], except_accounts: [▸Shop]}}"),
            "the account 'Shop' is in 'Workloads/Prod', outside of the targets; remove it, or add its unit",
        ),
        (
            stacksets(STACKSET + "{root: true, only_accounts: [Shop]}, auto_deployment: ▸true}"),
            (
                "auto_deployment is true, though AWS would then deploy to accounts that the targets leave "
                "out; remove it, or the accounts from the targets"
            ),
        ),
        (
            stacksets(STACKSET + "{root: true}, overrides: [▸{parameters: {A: b}}]}"),
            "the override names no units and no accounts; add units: or accounts:",
        ),
        (
            stacksets(STACKSET + "{root: true}, overrides: [{units: [▸Sec], parameters: {A: b}}]}"),
            "unknown unit 'Sec'; add it under units:",
        ),
        (
            stacksets(STACKSET + "{units: [Security]}, overrides: [{units: [▸Workloads], parameters: {A: b}}]}"),
            "the unit 'Workloads' is outside of the targets; remove it, or add it there",
        ),
        (
            stacksets(STACKSET + "{units: [Security]}, overrides: [{units: [▸Root], parameters: {A: b}}]}"),
            "the unit 'Root' is outside of the targets; remove it, or add it there",
        ),
        (
            stacksets(STACKSET + "{root: true}, overrides: [{accounts: [▸Shp], parameters: {A: b}}]}"),
            "unknown account 'Shp'; did you mean 'Shop'?",
        ),
        (
            stacksets(STACKSET + "{units: [Security]}, overrides: [{accounts: [▸Shop], parameters: {A: b}}]}"),
            "the account 'Shop' is outside of the targets; remove it, or add it there",
        ),
        (
            stacksets(
                STACKSET
                + "{root: true, except_accounts: [Shop]}, overrides: [{accounts: [▸Shop], parameters: {A: b}}]}"
            ),
            "the account 'Shop' is outside of the targets; remove it, or add it there",
        ),
        (
            stacksets(
                STACKSET
                + "{root: true}, overrides: [{units: [Security], regions: [▸eu-central-2], parameters: {A: b}}]}"
            ),
            "the StackSet does not deploy to the Region 'eu-central-2'; did you mean 'eu-central-1'?",
        ),
        (
            stacksets(STACKSET + "{root: true}, overrides: [{units: [Security], parameters: ▸{}}]}"),
            "'parameters' is empty; add at least one",
        ),
        (stacksets(STACKSET + "{root: true}, depends_on: [▸t]}"), "unknown StackSet 't'; add it under stacksets:"),
        (
            stacksets(STACKSET + "{root: true}, depends_on: [▸s]}"),
            "StackSets wait for each other: s -> s; remove one of these dependencies",
        ),
        (
            stacksets(
                *(
                    f"{{name: {name}, template: t, targets: {{root: true}}, depends_on: [{other}]}}"
                    for name, other in (("a", "▸b"), ("b", "c"), ("c", "a"))
                )
            ),
            "StackSets wait for each other: a -> b -> c -> a; remove one of these dependencies",
        ),
        (stacksets(STACKSET + "{root: true}, parameters: {A: ▸'${B}'}}"), "${B} has no value; add B under variables:"),
        (
            stacksets(STACKSET + "{root: true}, overrides: [{units: [Security], parameters: {A: ▸'${B}'}}]}"),
            "${B} has no value; add B under variables:",
        ),
        (
            stacksets(STACKSET + "{root: true}, parameters: {A: ▸'${orgctl:unit-id:Prod}'}}"),
            "${orgctl:unit-id:Prod} refers to nothing in the manifest; did you mean 'unit-id:Workloads/Prod'?",
        ),
        (stacksets(STACKSET + "{root: true}, parameters: {A: ▸'${B'}}"), "'${' is never closed; close it with '}'"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, sections: dict[str, str], message: str) -> None:
    refused(tmp_path, sections, message)


def test_units_may_be_five_levels_deep_and_no_deeper(tmp_path: Path) -> None:
    five = "{name: A, units: [{name: B, units: [{name: C, units: [{name: D, units: [{name: E}]}]}]}]}"
    units = BASE["units"].replace("]\n", f", {five}]\n")
    assert load(tmp_path, {"units": units}).manifest.units[-1].name == "A"
    deeper = units.replace("{name: E}", "{name: E, units: [{name: ▸F}]}")
    refused(tmp_path, {"units": deeper}, "the unit 'A/B/C/D/E/F' is more than 5 levels below the root; move it up")


def test_a_target_may_hold_as_many_policies_as_aws_allows_and_no_more(tmp_path: Path) -> None:
    def attached(count: int, mark: str = "") -> dict[str, str]:
        entries = [
            f"{{name: P{number}, type: {SCP}, guardrail: g, attach: {{units: [Security]}}}}" for number in range(count)
        ]
        entries[-1] = entries[-1].replace("[Security", f"[{mark}Security")
        return policies(*entries)

    load(tmp_path, attached(9))
    message = (
        "unit Security would have 11 policies of the type SERVICE_CONTROL_POLICY, FullAWSAccess among them,"
        " and AWS allows 10; attach fewer, or join some of them"
    )
    refused(tmp_path, attached(10, "▸"), message)


def test_full_access_counts_only_where_the_manifest_attaches_it(tmp_path: Path) -> None:
    entries = [f"{{name: P{number}, type: {SCP}, guardrail: g, attach: {{units: [Security]}}}}" for number in range(10)]
    full = f"{{name: FullAWSAccess, type: {SCP}, aws_managed: true, attach: {{root: true, units: ["
    load(tmp_path, policies(full + "]}}", *entries))
    message = (
        "unit Security would have 11 policies of the type SERVICE_CONTROL_POLICY,"
        " and AWS allows 10; attach fewer, or join some of them"
    )
    refused(tmp_path, policies(*entries, full + "▸Security]}}"), message)


def test_full_access_for_resource_control_cannot_be_detached_and_always_counts(tmp_path: Path) -> None:
    type = "RESOURCE_CONTROL_POLICY"
    full = f"{{name: RCPFullAWSAccess, type: {type}, aws_managed: true, attach: {{root: true}}}}"
    entries = [f"{{name: P{number}, type: {type}, guardrail: g, attach: {{root: true}}}}" for number in range(4)]
    load(tmp_path, policies(full, *entries))
    message = (
        "the root would have 6 policies of the type RESOURCE_CONTROL_POLICY, RCPFullAWSAccess among them,"
        " and AWS allows 5; attach fewer, or join some of them"
    )
    refused(
        tmp_path,
        policies(full, *entries, f"{{name: P9, type: {type}, guardrail: g, attach: {{root: ▸true}}}}"),
        message,
    )


def test_two_knots_of_stacksets_are_told_of_both(tmp_path: Path) -> None:
    pairs = (("a", "▸b"), ("b", "a"), ("c", "▸d"), ("d", "c"), ("e", "a"))
    entries = (
        f"{{name: {name}, template: t, targets: {{root: true}}, depends_on: [{other}]}}" for name, other in pairs
    )
    refused(
        tmp_path,
        stacksets(*entries),
        "StackSets wait for each other: a -> b -> a; remove one of these dependencies",
        "StackSets wait for each other: c -> d -> c; remove one of these dependencies",
    )


def test_a_template_or_a_file_but_not_both(tmp_path: Path) -> None:
    sections = stacksets("{name: s, template: t, file: ▸t.yaml, targets: {root: true}}")
    message = "the StackSet 's' has both template and file; keep one of them"
    refused(tmp_path, sections, message, files={"t.yaml": "Resources: {}\n"})


def test_one_policy_text_but_not_two(tmp_path: Path) -> None:
    sections = policies(policy("file: p.json, inline: ▸{tags: {}}", "TAG_POLICY"))
    message = "the policy 'P' has both file and inline; keep one of them"
    refused(tmp_path, sections, message, files={"p.json": '{"tags": {}}'})


def test_a_stackset_may_depend_on_as_many_others_as_aws_allows_and_no_more(tmp_path: Path) -> None:
    def depending(count: int, mark: str = "") -> dict[str, str]:
        others = [f"x{number}" for number in range(count)]
        entries = [f"{{name: {name}, template: t, targets: {{root: true}}}}" for name in others]
        return stacksets(*entries, STACKSET + f"{{root: true}}, depends_on: {mark}[{', '.join(others)}]}}")

    load(tmp_path, depending(10))
    message = "the StackSet 's' depends on 11 others, and AWS allows 10; leave out those on which the others depend"
    refused(tmp_path, depending(11, "▸"), message)
