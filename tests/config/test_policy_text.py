"""Policies as they go to AWS, and what is wrong with the files they come from."""

import json
from pathlib import Path

import pytest

from org.quotas import load_quotas
from tests.config.manifests import load, refused

DENY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",'
    ' "Condition": {"StringLike": {"aws:PrincipalArn": "%s"}}}]}'
)


def with_file(type: str = "SERVICE_CONTROL_POLICY", more: str = "", variables: str = "{}") -> dict[str, str]:
    return {
        "variables": f"variables: {variables}\n",
        "policies": f"policies:\n  - {{name: P, type: {type}, file: p.json{more}}}\n",
    }


def with_inline(inline: str, type: str = "SERVICE_CONTROL_POLICY", variables: str = "{}") -> dict[str, str]:
    return {
        "variables": f"variables: {variables}\n",
        "policies": f"policies:\n  - {{name: P, type: {type}, inline: {inline}}}\n",
    }


def filled(text: str) -> object:
    """What stands in the place that DENY leaves open."""
    return json.loads(text)["Statement"][0]["Condition"]["StringLike"]["aws:PrincipalArn"]


def content(folder: Path, text: str, sections: dict[str, str]) -> str:
    return load(folder, sections, {"p.json": text}).policy_texts[0]


def test_a_file_is_minified_and_keeps_its_characters(tmp_path: Path) -> None:
    text = '{"tags": {\n  "Kosten": {"tag_key": {"@@assign": "K\\u00f6ln"}, "n": 1.50}\n}}\n'
    expected = '{"tags":{"Kosten":{"tag_key":{"@@assign":"Köln"},"n":1.5}}}'
    assert content(tmp_path, text, with_file("TAG_POLICY")) == expected


def test_an_inline_policy_becomes_json(tmp_path: Path) -> None:
    inline = "{Version: 2012-10-17, Statement: [{Effect: Deny, Action: '*', Condition: {Bool: {a: false}}}]}"
    expected = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Condition":{"Bool":{"a":false}}}]}'
    assert load(tmp_path, with_inline(inline)).policy_texts[0] == expected


@pytest.mark.parametrize(
    ("value", "written", "expected"),
    [
        ("aws", "arn:${X}:s3", "arn:aws:s3"),
        ("'a\"b\\c'", "${X}", 'a"b\\c'),
        ("7", "port ${X}", "port 7"),
        ("true", "${X}", "true"),
        ("[a, b]", "${X}", ["a", "b"]),
        ("aws", "${aws:PrincipalTag/team} ${*} ${?} ${$} ${X}", "${aws:PrincipalTag/team} ${*} ${?} ${$} aws"),
        ("aws", "${token.actions.githubusercontent.com:sub}", "${token.actions.githubusercontent.com:sub}"),
        ("aws", "${orgctl:account-id:Shop}", "${orgctl:account-id:Shop}"),
        (
            "aws",
            "${orgctl:unit-id:Workloads/Prod}${orgctl:root-id}",
            "${orgctl:unit-id:Workloads/Prod}${orgctl:root-id}",
        ),
        ("aws", "$account $X", "$account $X"),
    ],
)
def test_variables_are_filled_and_what_is_not_ours_stays(
    tmp_path: Path, value: str, written: str, expected: object
) -> None:
    text = DENY % written
    from_file = content(tmp_path, text, with_file(variables=f"{{X: {value}}}"))
    assert filled(from_file) == expected
    inline = load(tmp_path, with_inline(text, variables=f"{{X: {value}}}")).policy_texts[0]
    assert inline == from_file


@pytest.mark.parametrize(
    ("value", "expected"), [("[a, b]", ["a", "b"]), ("[]", []), ("7", 7), ("false", False), ("a", "a")]
)
def test_a_variable_outside_of_quotes_is_put_in_as_json(tmp_path: Path, value: str, expected: object) -> None:
    text = '{"tags": {"x": ${A::B:C}, "y": "${A::B:C}z"}}'.replace(', "y": "${A::B:C}z"', "")
    policy = json.loads(content(tmp_path, text, with_file("TAG_POLICY", variables=f'{{"A::B:C": {value}}}')))
    assert policy == {"tags": {"x": expected}}


def test_a_policys_own_variables_go_before_those_of_the_manifest(tmp_path: Path) -> None:
    sections = with_file(more=", variables: {X: own}", variables="{X: common, Y: kept}")
    assert filled(content(tmp_path, DENY % "${X} ${Y}", sections)) == "own kept"


def test_a_keys_variables_are_filled(tmp_path: Path) -> None:
    text = '{"tags": {"${X}": 1}}'
    assert content(tmp_path, text, with_file("TAG_POLICY", variables="{X: Team}")) == '{"tags":{"Team":1}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("▸", "the file is not JSON: expecting value; correct the line or the one before it"),
        ('{"tags": {}\n▸', "the file is not JSON: expecting ',' delimiter; correct the line or the one before it"),
        ('{"tags": {}} ▸x', "the file is not JSON: extra data; correct the line or the one before it"),
        ('{"tags": {"a": ▸NaN}}', "the file is not JSON: NaN is not a number that JSON has; correct it"),
        (
            '{"tags": {"-Infinity": ▸-Infinity}}',
            "the file is not JSON: -Infinity is not a number that JSON has; correct it",
        ),
        ('{"tags": {"a": ▸1e999}}', "the file is not JSON: 1e999 is not a number that JSON has; correct it"),
        ('{"tags": {"a": 1,\n  ▸"a": 2}}', "the key 'a' is already at p.json:1:11; keep one of the two"),
        ("[" * 41 + "▸[" + "]" * 42, "values are nested more than 40 deep; nest them less"),
        ("▸[]", "the policy is not a JSON object; write it in braces"),
        ('▸"tags"', "the policy is not a JSON object; write it in braces"),
        ("▸{}", "the policy has no key 'tags'; begin it with 'tags', as every TAG_POLICY does"),
        ('{"tags": {}, "tag": ▸{}}', "a TAG_POLICY has no key 'tag' at its top; did you mean 'tags'?"),
        ('{"tags": {}, "x": ▸1}', "a TAG_POLICY has no key 'x' at its top; its only key is 'tags'"),
        ('{"tags": {"a": "b ▸${NOPE}"}}', "${NOPE} has no value; add NOPE under variables:"),
        ('{"tags": {"a": "▸${PARTITON}"}}', "${PARTITON} has no value; did you mean 'PARTITION'?"),
        ('{"tags": {"▸${NOPE}": 1}}', "${NOPE} has no value; add NOPE under variables:"),
        (
            '{"tags": {\n "a": ▸${ACCEL_LOOKUP::CUSTOM:EnabledRegions}}}',
            (
                "${ACCEL_LOOKUP::CUSTOM:EnabledRegions} has no value; add "
                "ACCEL_LOOKUP::CUSTOM:EnabledRegions under variables:"
            ),
        ),
        (
            '{"tags": {"a": "x ▸${LIST}"}}',
            "${LIST} is a list and stands within other text; let it be the whole text, or give it one value",
        ),
        ('{"tags": {"a": "▸${LIST"}}', "'${' is never closed; close it with '}'"),
        ('{"tags": {"a": ▸"\\u0024{NOPE}"}}', "${NOPE} has no value; add NOPE under variables:"),
        ('{"tags": {"a": ▸${aws:x}}}', "${aws:x} stands outside of quotes; put it in quotes"),
        ('{"tags": {"a": ▸${orgctl:root-id}}}', "${orgctl:root-id} stands outside of quotes; put it in quotes"),
        (
            '{"tags": {"a": "▸${orgctl:account-id:Shp}"}}',
            "${orgctl:account-id:Shp} refers to nothing in the manifest; did you mean 'account-id:Shop'?",
        ),
        (
            '{"tags": {"a": "▸${orgctl:policy-id:x:y}"}}',
            (
                "${orgctl:policy-id:x:y} refers to nothing in the manifest; refer to an account, a unit or "
                "the organization by its name"
            ),
        ),
        (
            '{"tags": {"a": ${LIST}, "b": ▸x}}',
            "the file is not JSON: expecting value; correct the line or the one before it",
        ),
    ],
)
def test_a_policy_file_that_aws_would_refuse_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    sections = with_file("TAG_POLICY", variables="{PARTITION: aws, LIST: [a, b]}")
    message = message.replace(" at p.json", f" at {tmp_path}/p.json").replace(f"{tmp_path}/", "")
    refused(tmp_path, sections, message, files={"p.json": text})


@pytest.mark.parametrize(
    ("type", "text", "message"),
    [
        ("SERVICE_CONTROL_POLICY", '▸{"Version": "2012-10-17"}', "the policy has no Statement; write at least one"),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": ▸[]}',
            "the policy has no Statement; write at least one",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": [▸1]}',
            "a statement is not a JSON object; write it in braces",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": [▸{"Action": "s3:*", "Resource": "*"}]}',
            "the statement has no Effect; a service control policy can Allow or Deny",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": {"Effect": ▸"deny", "Action": "*"}}',
            "the statement's Effect is 'deny'; a service control policy can Allow or Deny",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": ▸{"Effect": "Deny", "Resource": "*"}}',
            "the statement has no Action; add Action or NotAction",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", ▸"Actions": "*", "Action": "*"}}',
            "a statement has no element 'Actions'; did you mean 'Action'?",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", ▸"Principal": "*", "Action": "*"}}',
            "a service control policy has no element 'Principal'; remove it: the policy reaches whom it is attached to",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": ["*",\n ▸"bucket"]}}',
            "'bucket' is not an ARN; write arn:partition:service:region:account:resource, or *",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            (
                '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*",'
                ' "Condition": {▸"StringEqual": {"aws:PrincipalTag/a": "b"}}}}'
            ),
            "unknown condition operator 'StringEqual'; did you mean 'StringEquals'?",
        ),
        (
            "RESOURCE_CONTROL_POLICY",
            (
                '{"Version": "2012-10-17", "Statement": {"Effect": ▸"Allow", "Principal": "*", "Action": "s3:*",'
                ' "Resource": "*"}}'
            ),
            "the statement's Effect is 'Allow'; a resource control policy can Deny",
        ),
        (
            "RESOURCE_CONTROL_POLICY",
            (
                '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": ▸"*",'
                ' "Resource": "*"}}'
            ),
            "the action '*' alone is not allowed in a resource control policy; name services, such as s3:*",
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": ▸"2008-10-17", "Statement": {"Effect": "Deny", "Action": "*"}}',
            'a service control policy cannot have the Version 2008-10-17; write "Version": "2012-10-17"',
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": ▸"2012-10-18", "Statement": {"Effect": "Deny", "Action": "*"}}',
            'the policy\'s Version is \'2012-10-18\'; write "Version": "2012-10-17"',
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '▸{"Statement": {"Effect": "Deny", "Action": "*"}}',
            'the policy has no Version; write "Version": "2012-10-17"',
        ),
        (
            "SERVICE_CONTROL_POLICY",
            '{"Version": "2012-10-17", ▸"Statements": 1, "Statement": {"Effect": "Deny", "Action": "*"}}',
            "a service control policy has no element 'Statements'; did you mean 'Statement'?",
        ),
        (
            "BACKUP_POLICY",
            '{"plan": ▸{}, "plans": {}}',
            "a BACKUP_POLICY has no key 'plan' at its top; did you mean 'plans'?",
        ),
        ("GUARDDUTY_POLICY", "▸{}", "the policy is empty; write what it is to set"),
        (
            "CHATBOT_POLICY",
            '{"chatbot": {}, "@@operators_allowed_for_child_policies": ["@@none"], "chatbots": ▸{}}',
            "a CHATBOT_POLICY has no key 'chatbots' at its top; did you mean 'chatbot'?",
        ),
    ],
)
def test_each_type_has_its_shape(tmp_path: Path, type: str, text: str, message: str) -> None:
    refused(tmp_path, with_file(type), message, files={"p.json": text})


@pytest.mark.parametrize(
    ("inline", "message"),
    [
        ("{tags: {a: [b, ▸'${NOPE}']}}", "${NOPE} has no value; add NOPE under variables:"),
        ("{tags: {'${NOPE}': ▸b}}", "${NOPE} has no value; add NOPE under variables:"),
        (
            "{tags: {a: ▸'x ${LIST}'}}",
            "${LIST} is a list and stands within other text; let it be the whole text, or give it one value",
        ),
        ("{tags: {}, tag: ▸{}}", "a TAG_POLICY has no key 'tag' at its top; did you mean 'tags'?"),
        ("▸{}", "the policy has no key 'tags'; begin it with 'tags', as every TAG_POLICY does"),
    ],
)
def test_an_inline_policy_that_aws_would_refuse_is_refused_with_its_place(
    tmp_path: Path, inline: str, message: str
) -> None:
    refused(tmp_path, with_inline(inline, "TAG_POLICY", variables="{LIST: [a]}"), message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.json", "the file 'none.json' does not exist; correct the name"),
        ("../p.json", "the file '../p.json' leads out of the manifest's folder; keep all files below it"),
        ("/p.json", "the file '/p.json' is not below the manifest's folder; write a path relative to that folder"),
        (
            "latin.json",
            "the file 'latin.json' is not UTF-8: the byte at line 1, column 3 is 0xfc; save it with the encoding UTF-8",
        ),
        ("large.json", "the file 'large.json' is larger than 1,048,576 bytes; split it and name the parts in include:"),
        ("folder", "the file 'folder' is a folder; name a file"),
    ],
)
def test_a_policy_file_that_cannot_be_read_is_refused_where_it_is_named(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.json").write_bytes(b'{"\xfc": 1}')
    (tmp_path / "large.json").write_text(" " * (1024 * 1024 + 1))
    sections = with_file()
    sections["policies"] = sections["policies"].replace("p.json", f"▸{name}")
    refused(tmp_path, sections, message)


def test_a_fault_of_an_inline_statement_has_its_place(tmp_path: Path) -> None:
    inline = "{Version: 2012-10-17, Statement: [{Effect: Deny, Action: ['s3:*', ▸'RunInstances'], Resource: '*'}]}"
    message = "the action 'RunInstances' names no service; write it as service:RunInstances"
    refused(tmp_path, with_inline(inline), message)


def test_ids_that_do_not_exist_yet_stand_anywhere_in_a_statement(tmp_path: Path) -> None:
    statement = {
        "Effect": "Deny",
        "Action": "sts:AssumeRole",
        "Resource": "arn:aws:iam::${orgctl:account-id:Shop}:role/x",
        "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "${orgctl:account-id:Shop}"}},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    assert json.loads(content(tmp_path, text, with_file()))["Statement"] == statement


def test_a_policy_over_its_quota_is_refused(tmp_path: Path) -> None:
    most = load_quotas().policy("SERVICE_CONTROL_POLICY").max_bytes
    fits = "x" * (most - len(json.dumps(json.loads(DENY % ""), separators=(",", ":"))))
    assert len(content(tmp_path, DENY % fits, with_file())) == most
    sections = with_file()
    sections["policies"] = sections["policies"].replace("p.json", "▸p.json")
    message = (
        "the policy has 10,241 characters without white space, and AWS allows 10,240 for a SERVICE_CONTROL_POLICY;"
        " shorten it by 1 or split it into two policies; the shortest text that means the same has 10,239"
    )
    refused(tmp_path, sections, message, files={"p.json": DENY % (fits + "x")})


def test_the_quota_counts_the_ids_that_will_stand_in_the_policy(tmp_path: Path) -> None:
    long_name = "${orgctl:management-account-id}"  # 31 characters for the 12 of an id
    text = DENY % (long_name * 400)
    assert len(content(tmp_path, text, with_file())) > load_quotas().policy("SERVICE_CONTROL_POLICY").max_bytes


def test_half_a_character_is_refused(tmp_path: Path) -> None:
    sections = with_file("TAG_POLICY")
    sections["policies"] = sections["policies"].replace("p.json", "▸p.json")
    message = "the policy holds half a character, \\ud83d; write both halves or none"
    refused(tmp_path, sections, message, files={"p.json": '{"tags": {"a": "\\ud83d"}}'})


def test_faults_of_several_policies_are_told_together(tmp_path: Path) -> None:
    sections = {
        "policies": "policies:\n"
        "  - {name: A, type: TAG_POLICY, file: a.json}\n"
        "  - {name: B, type: TAG_POLICY, file: b.json, attach: {units: [▸Nowhere]}}\n"
    }
    refused(
        tmp_path,
        sections,
        "unknown unit 'Nowhere'; add it under units:",
        "the file is not JSON: expecting value; correct the line or the one before it",
        "${X} has no value; add X under variables:",
        "${Y} has no value; add Y under variables:",
        files={"a.json": "▸", "b.json": '{"tags": {"▸${X}": "▸${Y}"}}'},
    )
