"""The fixed names of what the templates make, so that other accounts and guardrails can name it beforehand."""

OWN_PREFIX = "orgctl-"
"""How every role, rule, bus, queue, bucket and trail of orgctl begins, whatever follows."""
OWN_LOG_GROUPS = ("/orgctl/", "/aws/lambda/orgctl-", "/aws/neptune/orgctl-", "aws-waf-logs-orgctl-")
"""How the log groups begin: those that templates make, and those whose names Lambda, Neptune and WAF fix."""

EXECUTION_LOG = "API-Gateway-Execution-Logs_"
"""How API Gateway begins the name of a log group for errors of an API; its id and stage follow.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

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
API_FUNCTION = "orgctl-lineage-api"
PLAN_FUNCTION = "orgctl-lineage-reconcile-plan"
"""On a schedule: puts one message for each account and Region into the reconciliation queue."""
RECONCILE_FUNCTION = "orgctl-lineage-reconcile"
"""Reads that queue: holds what AWS says of one account in one Region against what the events said."""
CONFIG_FUNCTION = "orgctl-lineage-config-rules"
"""Asked by AWS Config of every account."""
ASSESS_FUNCTION = "orgctl-lineage-assess"
"""On a schedule: judges every image, and brings Security Hub's findings up to date."""
ACTIONS_FUNCTION = "orgctl-lineage-actions"
"""Carries out the custom actions of Security Hub."""
NOTIFY_FUNCTION = "orgctl-lineage-notify"
"""Brings notifications to a chat."""
RECONCILE_QUEUE = "orgctl-lineage-reconcile"
READINGS_QUEUE = "orgctl-lineage-readings"
"""What the reconciliation has read, on its way to the ingest."""
LINEAGE_API = "orgctl-lineage"
READER_ROLE = "orgctl-lineage-reader"
"""In every account: what the reconciliation may read there."""
EVALUATIONS_ROLE = "orgctl-config-evaluations"
"""In every account: gives AWS Config the verdicts of the lineage account's rules."""
COMPLIANCE_TOPIC, ALERT_TOPIC, ERROR_TOPIC = (
    "orgctl-ami-compliance-notifications",
    "orgctl-ami-security-alerts",
    "orgctl-ami-system-errors",
)
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
