"""The fixed names of what the templates make, so that other accounts and guardrails can name it beforehand."""

AUDIT_ROLE = "orgctl-audit"
FORWARDER_ROLE_PREFIX = "orgctl-forward-events-"
"""Followed by the Region: EventBridge refuses a target whose role does not exist yet, and StackSets give no order among
Regions in auto-deployment, so each Region's stack brings its own."""
FORWARDING_RULE_PREFIX = "orgctl-forward-"
LOG_GROUP = "/orgctl/governance"
CENTRAL_BUS = "orgctl-lineage"
BUS_NAME_PATTERN = r"[\w.-]{1,256}"
