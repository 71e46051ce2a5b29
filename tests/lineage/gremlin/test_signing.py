from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from handlers.lineage.gremlin.signing import signed_headers
from org.model import Region

URL = "wss://lineage.cluster-abc.eu-central-1.neptune.amazonaws.com:8182/gremlin"
NOW = datetime(2026, 10, 27, 12, 0, 0, tzinfo=UTC)
SESSION = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token")


def test_a_handshake_is_signed_for_neptune() -> None:
    headers = signed_headers(URL, Region("eu-central-1"), SESSION, NOW)
    assert headers["X-Amz-Date"] == "20261027T120000Z"
    assert headers["X-Amz-Security-Token"] == "token"
    begun, signed, _ = headers["Authorization"].split(", ")
    assert begun == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261027/eu-central-1/neptune-db/aws4_request"
    assert signed == "SignedHeaders=host;x-amz-date;x-amz-security-token"


def test_the_signature_is_what_the_algorithm_gives() -> None:
    """Worked out by https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html, step by step."""
    request = (
        "GET\n/gremlin\n\nhost:lineage.cluster-abc.eu-central-1.neptune.amazonaws.com:8182\nx-amz-date:20261027T120000Z\n"
        "x-amz-security-token:token\n\nhost;x-amz-date;x-amz-security-token\n" + hashlib.sha256(b"").hexdigest()
    )
    text = "\n".join(
        (
            "AWS4-HMAC-SHA256",
            "20261027T120000Z",
            "20261027/eu-central-1/neptune-db/aws4_request",
            hashlib.sha256(request.encode()).hexdigest(),
        )
    )
    key = b"AWS4" + SESSION.secret_key.encode()
    for part in ("20261027", "eu-central-1", "neptune-db", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers = signed_headers(URL, Region("eu-central-1"), SESSION, NOW)
    assert headers["Authorization"].endswith(f"Signature={expected}")


def test_without_a_session_there_is_no_token() -> None:
    lasting = ReadOnlyCredentials("AKIDEXAMPLE", "secret", None)
    assert "X-Amz-Security-Token" not in signed_headers(URL, Region("eu-central-1"), lasting, NOW)


def test_the_port_that_a_client_leaves_out_is_left_out_of_the_signature() -> None:
    plain = signed_headers("wss://lineage.example/gremlin", Region("eu-central-1"), SESSION, NOW)
    assert signed_headers("wss://lineage.example:443/gremlin", Region("eu-central-1"), SESSION, NOW) == plain
    assert signed_headers("wss://lineage.example:8182/gremlin", Region("eu-central-1"), SESSION, NOW) != plain


@given(st.integers(0, 10**8))
def test_each_second_has_its_own_signature(second: int) -> None:
    now = NOW + timedelta(seconds=second)
    headers = signed_headers(URL, Region("eu-central-1"), SESSION, now)
    assert headers["X-Amz-Date"] == now.strftime("%Y%m%dT%H%M%SZ")
    assert f"/{now:%Y%m%d}/" in headers["Authorization"]
