"""One company for all tests here: it takes a minute to deploy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.deployed import Company, deployed_company


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with deployed_company(tmp_path_factory.mktemp("company")) as company:
        yield company
