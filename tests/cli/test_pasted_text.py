"""Access-denied messages in the frames in which people find them."""

from __future__ import annotations

import json

import pytest

from cli.pasted_text import unframed

SIGN = "is not authorized"
SAID = 'User: arn:aws:iam::1:user/J is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::b" because'
XML = SAID.replace('"', "&quot;")


@pytest.mark.parametrize(
    "text",
    [
        SAID,
        f"\x1b[31m{SAID}\x1b[0m",
        f"> {SAID}",
        f"<Error><Code>AccessDenied</Code><Message>{XML}</Message><RequestId>1</RequestId></Error>",
        f"<ErrorResponse><Error><message>\n{XML}\n</message></Error></ErrorResponse>",
        json.dumps({"__type": "AccessDeniedException", "Message": SAID}),
        json.dumps({"Records": [{"eventName": "ListObjects", "errorCode": "AccessDenied", "errorMessage": SAID}]}),
        "╷\n│ Error: listing\n│\n│ " + SAID.replace(" to perform: ", " to perform:\n│ ") + "\n│\n│   with aws_s3.x,\n╵",
    ],
)
def test_message_is_taken_out_of_its_frame(text: str) -> None:
    assert SAID in " ".join(unframed(text, SIGN).split())
    assert "</" not in unframed(text, SIGN)
    assert not unframed(text, SIGN).lstrip().startswith("{")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "<message>" * 100_000,
        '{"DecodedMessage": "{}"}',
        "<Message>Access Denied</Message>",
        json.dumps({"a": [1, None]}),
    ],
)
def test_text_without_a_message_in_it_is_left_as_it_is(text: str) -> None:
    assert unframed(text, SIGN) == text


def test_messages_of_several_records_are_all_there_in_their_order() -> None:
    records = [{"errorMessage": f"{SAID} {number}"} for number in (1, 2)]
    wanted = f"{SAID} 1\n{SAID} 2"
    assert unframed(json.dumps({"Records": records, "NextToken": "x"}), SIGN) == wanted
    assert unframed(f"<a><Message>{XML} 1</Message><Message>{XML} 2</Message></a>", SIGN) == wanted
