"""Names that AWS gives, apart from `org.model`: the functions, which start anew so often, need no more of it."""

from __future__ import annotations

from typing import NewType

AccountId = NewType("AccountId", str)
"""Twelve digits."""
Region = NewType("Region", str)
PolicyType = NewType("PolicyType", str)
"""As AWS Organizations spells it: `SERVICE_CONTROL_POLICY`. botocore's list is the authority (`org.policy_types`)."""
