"""The fixed names of what the templates make, so that other accounts and guardrails can name it beforehand."""

OWN_PREFIX = "orgctl-"
"""How every role, rule, bus, queue, bucket and trail of orgctl begins, whatever follows."""
OWN_LOG_GROUPS = ("/orgctl/", "/aws/lambda/orgctl-")
"""How the log groups begin: those that templates make, and those that Lambda makes for functions of ours."""

AUDIT_ROLE = "orgctl-audit"
FORWARDER_ROLE_PREFIX = "orgctl-forward-events-"
"""Followed by the Region: EventBridge refuses a target whose role does not exist yet, and StackSets give no order among
Regions in auto-deployment, so each Region's stack brings its own."""
FORWARDING_RULE_PREFIX = "orgctl-forward-"
LOG_GROUP = "/orgctl/governance"
CENTRAL_BUS = "orgctl-lineage"
LINEAGE_QUEUE = "orgctl-lineage-events"
"""The queue in front of the graph, and the rule that fills it."""
INGEST_FUNCTION = "orgctl-lineage-ingest"
BUS_NAME_PATTERN = r"[\w.-]{1,256}"

STACKSETS_EXECUTION_ROLE = "stacksets-exec-*"
"""As which service-managed StackSets work in a member account.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-enable-trusted-access.html
"""
ACCESS_ROLE = "OrganizationAccountAccessRole"
"""The role that CreateAccount puts into a new account; the management account may assume it.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""
STACK_PREFIX = "StackSet-"
"""How CloudFormation begins the name of each stack of a StackSet; the StackSet's name follows.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html
"""

APPROVAL_TAG = "ec2:SharedTag/status"
"""A tag that only the image's owner can write and that the accounts see with which the image is shared.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
"""
