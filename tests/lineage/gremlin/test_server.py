from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import gremlin_server as support


def test_without_maven_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="`mvn` is not installed"):
        support._jars()


def test_what_is_required_fails_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORGCTL_REQUIRE_GREMLIN", "1")
    with pytest.raises(pytest.fail.Exception, match="required here: `mvn` is not installed"):
        support._absent("`mvn` is not installed")
    monkeypatch.delenv("ORGCTL_REQUIRE_GREMLIN")
    with pytest.raises(pytest.skip.Exception, match="no Gremlin Server: `mvn` is not installed"):
        support._absent("`mvn` is not installed")
