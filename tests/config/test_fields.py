"""What AWS allows in names, addresses, tags and the like."""

from pathlib import Path

import pytest

from tests.config.manifests import account, load, organization, refused

X = "name: X, email: x@example.com, unit: Root"
STACKSET = "template: t, targets: {root: true}"
CONTACT = {"name": "S", "title": "T", "email": "s@example.com", "phone": "'1'"}
EMAIL_TODO = "write it like name@example.com"


def with_contact(key: str, value: str) -> str:
    contact = ", ".join(f"{name}: {text}" for name, text in (CONTACT | {key: value}).items())
    return f"{{{X}, alternate_contacts: {{security: {{{contact}}}}}}}"


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        # emails
        *(
            (
                account(f"{{name: X, email: ▸'{email}', unit: Root}}"),
                f"{email!r} is not an email address that AWS accepts; {EMAIL_TODO}",
            )
            for email in (
                "x",
                "x@y",
                "@example.com",
                ".x@example.com",
                "x y@example.com",
                "<x>@example.com",
                "x@@example.com",
                "x@-example.com",
                "x@example..com",
                "x@example.com.",
                "ä@example.com",
                "x@exämple.com",
                "",
            )
        ),
        (
            account("{name: X, email: ▸a@b.c, unit: Root}"),
            "the email address 'a@b.c' has 5 characters; AWS accepts 6 to 64",
        ),
        (
            account(f"{{name: X, email: ▸{'a' * 53}@example.com, unit: Root}}"),
            f"the email address '{'a' * 53}@example.com' has 65 characters; AWS accepts 6 to 64",
        ),
        # ids and names
        (
            account(f'{{{X}, id: ▸"123"}}'),
            "'123' is not an account id; write its twelve digits in quotes, like \"123456789012\"",
        ),
        (account("{name: ▸'', email: x@example.com, unit: Root}"), "the account name has 0 characters; use 1 to 50"),
        (
            account(f"{{name: ▸{'x' * 51}, email: x@example.com, unit: Root}}"),
            "the account name has 51 characters; use 1 to 50",
        ),
        (
            account("{name: ▸Büro, email: x@example.com, unit: Root}"),
            "the account name 'Büro' holds a character that AWS does not accept; use printable ASCII only",
        ),
        (
            account("{name: ▸'X ', email: x@example.com, unit: Root}"),
            "the account name 'X ' begins or ends with a space; remove it",
        ),
        (
            account("{name: ▸'a}b', email: x@example.com, unit: Root}"),
            "the account name 'a}b' holds '}'; remove it, since references to the account end with it",
        ),
        (
            {"x": 'policies: [{name: ▸"a\\tb", type: TAG_POLICY, aws_managed: true}]\n'},
            "the policy name 'a\\tb' holds a control character; remove it",
        ),
        (
            {"x": f"policies: [{{name: ▸{'x' * 129}, type: TAG_POLICY, aws_managed: true}}]\n"},
            "the policy name has 129 characters; use 1 to 128",
        ),
        (
            {"x": f"policies: [{{name: x, type: TAG_POLICY, description: ▸{'x' * 513}, inline: {{tags: {{}}}}}}]\n"},
            "the description has 513 characters; use at most 512",
        ),
        (
            {"x": "units: [{name: ▸A/B}]\n", "units": ""},
            "the unit name 'A/B' holds '/'; nest units with units: instead of writing a path",
        ),
        (
            {"x": "units: [{name: ▸'A}'}]\n", "units": ""},
            "the unit name 'A}' holds '}'; remove it, since references to the unit end with it",
        ),
        (
            {"x": "units: [{name: ▸Root}]\n", "units": ""},
            "the unit name 'Root' is reserved for the organization's root; name the unit otherwise",
        ),
        ({"x": f"units: [{{name: ▸{'x' * 129}}}]\n", "units": ""}, "the unit name has 129 characters; use 1 to 128"),
        (
            {"x": f"stacksets: [{{name: ▸1a, {STACKSET}}}]\n"},
            (
                "'1a' is not a name that a StackSet can have; use up to 128 letters, digits and hyphens, "
                "beginning with a letter"
            ),
        ),
        (
            {"x": f"stacksets: [{{name: ▸a_b, {STACKSET}}}]\n"},
            (
                "'a_b' is not a name that a StackSet can have; use up to 128 letters, digits and hyphens, "
                "beginning with a letter"
            ),
        ),
        (
            {"x": f"stacksets: [{{name: a, description: ▸{'x' * 1025}, {STACKSET}}}]\n"},
            "the description has 1025 characters; use at most 1024",
        ),
        # Regions, types, services, principals
        (organization(home_region="▸eu-centrl-1"), "unknown Region 'eu-centrl-1'; did you mean 'eu-central-1'?"),
        (organization(home_region="▸mars"), "unknown Region 'mars'; write it like eu-central-1"),
        (organization(home_region="▸aws-global"), "unknown Region 'aws-global'; write it like eu-central-1"),
        (
            {"x": "policies: [{name: P, type: ▸SERVICE_CONTROL, aws_managed: true}]\n"},
            "unknown policy type 'SERVICE_CONTROL'; did you mean 'SERVICE_CONTROL_POLICY'?",
        ),
        (
            {"x": "trusted_access: [▸cloudtrail]\n"},
            "'cloudtrail' is not a service principal; write it like cloudtrail.amazonaws.com",
        ),
        (
            {"x": "trusted_access: [▸amazonaws.com]\n"},
            "'amazonaws.com' is not a service principal; write it like cloudtrail.amazonaws.com",
        ),
        (
            {"x": "protected_principals: [{name: a, arn: ▸BreakGlass, calls: ['iam:*']}]\n"},
            "'BreakGlass' is not the ARN of a principal; write it like \"arn:aws:iam::*:role/BreakGlass\"",
        ),
        (
            {"x": "protected_principals: [{name: a, arn: ▸'arn:aws:sts::*:assumed-role/B/me', calls: ['*']}]\n"},
            (
                "'arn:aws:sts::*:assumed-role/B/me' is the ARN of a role's session; write that of the role, like "
                '"arn:aws:iam::*:role/BreakGlass"'
            ),
        ),
        (
            {"x": "protected_principals: [{name: a, arn: ▸'arn:aws:iam::*:role/*', calls: ['*']}]\n"},
            "'arn:aws:iam::*:role/*' means every principal of its kind; name the role or user, or a part of its name",
        ),
        (
            {"x": "protected_principals: [{name: a, arn: 'arn:aws:iam::*:role/B', calls: [▸AssumeRole]}]\n"},
            '\'AssumeRole\' is not an AWS call; write it like "sts:AssumeRole" or "iam:*"',
        ),
        (
            {"x": "protected_principals: [{name: ▸'', arn: 'arn:aws:iam::*:role/B', calls: ['*']}]\n"},
            "the name has 0 characters; use 1 to 128",
        ),
        (
            {"x": "lineage: {api: {callers: [▸'arn:aws:iam::*:role/A']}}\n"},
            (
                "'arn:aws:iam::*:role/A' is not the ARN of a role; write arn:aws:iam::123456789012:role/path/name "
                "without wildcards, or the name of an account"
            ),
        ),
        (
            {"x": "lineage: {api: {cognito_user_pool: ▸eu-central-1_abc}}\n"},
            (
                "'eu-central-1_abc' is not the ARN of a Cognito user pool; write it like "
                "arn:aws:cognito-idp:eu-central-1:111122223333:userpool/eu-central-1_abc123DEF"
            ),
        ),
        (
            {"x": "lineage: {api: {api_key: ▸'yes'}}\n"},
            "'api_key' must be true or false, but is 'yes'; write true or false",
        ),
        (
            {"x": "lineage: {api: {requests_per_address: ▸9}}\n"},
            "'requests_per_address' is 9; it must be at least 10",
        ),
        (
            {"x": "lineage: {graph: {standby: ▸1}}\n"},
            "'standby' must be true or false, but is 1; write true or false",
        ),
        (
            {"x": "lineage: {trusted_image_owners: [▸canonical]}\n"},
            (
                "'canonical' is not an owner of images; write an account id in quotes, amazon, "
                "aws-marketplace, aws-backup-vault or self"
            ),
        ),
        (
            {"x": "policies: [{name: P, type: TAG_POLICY, file: ▸''}]\n"},
            "'' is not a file name; write a path below the manifest's folder",
        ),
        (
            {"x": "notifications: [{name: a, email: ▸nobody, severities: [high]}]\n"},
            "'nobody' is not an email address that AWS accepts; write it like name@example.com",
        ),
        # contacts
        (
            account(with_contact("phone", "▸call me")),
            "'call me' is not a phone number; use up to 25 digits, spaces, parentheses, + and -",
        ),
        (
            account(with_contact("title", "▸" + "t" * 51)),
            "the contact's title has 51 characters; use 1 to 50",
        ),
        (
            account(with_contact("name", "▸" + "t" * 65)),
            "the contact's name has 65 characters; use 1 to 64",
        ),
        # tags
        (
            account(f"{{{X}, tags: {{▸aws:a: b}}}}"),
            "the tag key 'aws:a' begins with 'aws:', which AWS keeps for itself; name the tag otherwise",
        ),
        (
            account(f"{{{X}, tags: {{▸orgctl:managed: b}}}}"),
            "the tag key 'orgctl:managed' begins with 'orgctl:', which orgctl keeps for itself; name the tag otherwise",
        ),
        (
            account(f"{{{X}, tags: {{▸a?: b}}}}"),
            "the tag key 'a?' holds a character that AWS does not accept; use letters, digits, spaces and _.:/=+-@",
        ),
        (account(f"{{{X}, tags: {{▸{'k' * 129}: b}}}}"), "a tag key has 129 characters; use 1 to 128"),
        (
            account(f"{{{X}, tags: {{a: ▸b*}}}}"),
            "the tag value 'b*' holds a character that AWS does not accept; use letters, digits, spaces and _.:/=+-@",
        ),
        (account(f"{{{X}, tags: {{a: ▸{'v' * 257}}}}}"), "a tag value has 257 characters; use at most 256"),
        (
            account(f"{{{X}, tags: ▸{{{', '.join(f'k{number}: v' for number in range(49))}}}}}"),
            "there are 49 tags; use at most 48, since AWS allows 50 and orgctl adds up to 2 of its own",
        ),
        # variables
        ({"x": "variables: {▸a b: 1}\n"}, "'a b' is not a name that a variable can have; use no spaces and no braces"),
        (
            {"x": "variables: {▸aws:x: 1}\n"},
            "the variable 'aws:x' could never be told from IAM's own; name it in capitals, like HOME_REGION",
        ),
        (
            {"x": "variables: {▸orgctl:x: 1}\n"},
            "the variable 'orgctl:x' could never be told from orgctl's own; name it in capitals, like HOME_REGION",
        ),
    ],
)
def test_what_aws_does_not_allow_is_refused(tmp_path: Path, sections: dict[str, str], message: str) -> None:
    refused(tmp_path, sections, message)


@pytest.mark.parametrize(
    "text",
    [
        f"{{{X}, tags: {{Straße: 'für 1+1=2', a/b.c:d-e@f: ''}}}}",
        f"{{{X}, tags: {{{', '.join(f'k{number}: ~' for number in range(60))}}}}}",
        "{name: X, email: x.y+z_1-2@mail.example.co.uk, unit: Root}",
        f"{{{X}, alternate_contacts: {{billing: ~}}}}",
        with_contact("phone", "+49 (30) 1-2"),
        with_contact("email", "s+1@example.com"),
    ],
)
def test_what_aws_allows_is_accepted(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, account(text)).manifest.accounts[-1].name == "X"
