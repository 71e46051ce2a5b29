"""The resource types that are tables of calls."""

from __future__ import annotations

from org.sandbox.stack_types.endpoints import ENDPOINT
from org.sandbox.stack_types.monitoring import MONITORING
from org.sandbox.stack_types.neptune import NEPTUNE
from org.sandbox.stack_types.network import NETWORK
from org.sandbox.stack_types.security_groups import SECURITY_GROUPS

TABLES = (*NETWORK, ENDPOINT, *SECURITY_GROUPS, *NEPTUNE, *MONITORING)
