"""Two small organizations between which every kind of change is needed, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from org.model import Contact, ContactType, DelegatedAdministrator, DesiredStackSet, ParameterOverride, UnitPath
from tests.support.organizations import (
    FRANKFURT,
    SCP,
    TAG_POLICY,
    VIRGINIA,
    account,
    desired,
    on_account,
    on_root,
    on_unit,
    policy,
    stackset,
    unit,
)

TEMPLATES = tuple(
    json.dumps(
        {
            "Parameters": {"Label": {"Type": "String", "Default": "plain"}},
            "Resources": {
                "Topic": {
                    "Type": "AWS::SNS::Topic",
                    "Properties": {
                        "TopicName": {"Fn::Sub": f"{name}-${{AWS::StackName}}"},
                        "DisplayName": {"Ref": "Label"},
                    },
                }
            },
        }
    )
    for name in ("alarms", "alerts")
)
CONTENTS: Mapping[str, tuple[str, ...]] = {
    SCP: tuple(
        f'{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":"{action}","Resource":"*"}}]}}'
        for action in ("iam:CreateUser", "organizations:LeaveOrganization")
    ),
    TAG_POLICY: tuple(f'{{"tags":{{"{tag}":{{"tag_key":{{"@@assign":"{tag}"}}}}}}}}' for tag in ("Team", "Cost")),
}


SERVICE, OTHER_SERVICE = "config.amazonaws.com", "guardduty.amazonaws.com"
ACCOUNT_MANAGEMENT = "account.amazonaws.com"
ADA = Contact("Ada", "CISO", "ada@example.com", "+49 30 1")
SECURITY = ContactType.SECURITY


def deployed(name: str, *units: str, **more: Any) -> DesiredStackSet:
    return stackset(name, *units, **({"template": TEMPLATES[0]} | more))


NAMING_AN_ACCOUNT = CONTENTS[SCP][0].replace('"*"', '"arn:aws:iam::${orgctl:account-id:New}:user/*"')

FIRST = desired(
    [unit("Apps", Team="shop"), unit("Old"), unit("Stay"), unit("Stay/Gone"), unit("Q")],
    [
        account("Shop", "Apps", tags={"Team": "shop"}, contacts={SECURITY: ADA}),
        account("Web", "Old"),
        account("Late", "Stay", email="late@example.com"),
        account("Audit"),
    ],
    [
        policy("Guard", on_root(), content=CONTENTS[SCP][0]),
        policy("Fence", on_unit("Stay"), on_account("Shop"), content=CONTENTS[SCP][1]),
        policy("Tags", on_root(), type=TAG_POLICY, content=CONTENTS[TAG_POLICY][0]),
    ],
    [
        deployed("base", "Root", overrides=(ParameterOverride({"Label": "own"}, units=(UnitPath("Apps"),)),)),
        deployed("extra", "Stay", "Old", depends_on=("base",)),
    ],
    trusted_access=(SERVICE, ACCOUNT_MANAGEMENT),
    delegated_administrators=(DelegatedAdministrator(SERVICE, account("Audit").name),),
    quarantine_unit=UnitPath("Q"),
)
SECOND = desired(
    [unit("Work", formerly="Apps", Team=None), unit("Stay"), unit("Stay/Moved", formerly="Old"), unit("Q")],
    [
        account("Shop", "Work", tags={"Team": "web"}, contacts={SECURITY: None}),
        account("Web", "Stay/Moved", state="quarantined"),
        account("Latest", "Stay", email="late@example.com", state="active"),
        account("Audit", "Stay", state="closed"),
        account("New", "Work", contacts={SECURITY: ADA}),
    ],
    [
        policy("Guard", on_unit("Work"), content=CONTENTS[SCP][1]),
        policy("Wall", on_unit("Stay"), content=NAMING_AN_ACCOUNT),
    ],
    [
        deployed("base", "Work", "Q", template=TEMPLATES[1], regions=(FRANKFURT, VIRGINIA)),
        deployed("more", "Stay", only_accounts=("Latest",), depends_on=("base",), parameters={"Label": "only"}),
    ],
    trusted_access=(OTHER_SERVICE, ACCOUNT_MANAGEMENT),
    delegated_administrators=(DelegatedAdministrator(OTHER_SERVICE, account("Shop").name),),
    quarantine_unit=UnitPath("Q"),
)
