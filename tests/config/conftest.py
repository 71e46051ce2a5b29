"""Failed checks in the module that all tests here use show their values."""

import pytest

pytest.register_assert_rewrite("tests.config.manifests")
