"""The manifest that `orgctl init` writes: complete enough to load, with every section explained; pure."""

from __future__ import annotations


def scaffold_manifest() -> str:
    """Answer the text; what is not needed at first stands in comments."""
    return _SCAFFOLD


_SCAFFOLD = """\
# What this AWS Organization shall be. `orgctl validate` checks it, `orgctl plan` shows what would change.
version: 1

# Further files below this folder; their lists are appended to those here.
# include: [policies.yaml, accounts/*.yaml]

# Values for ${NAME} in policies and StackSet parameters.
variables:
  PARTITION: aws

organization:
  home_region: eu-central-1                # where everything is kept that exists once
  governed_regions: [eu-central-1, us-east-1]   # must hold the home Region
  management_account: Management           # names of accounts below
  log_archive_account: Log Archive
  audit_account: Audit
  lineage_account: AMI Lineage
  # quarantine_unit: Quarantine            # needed as soon as an account is quarantined

# Organizational units, at most five levels deep. Elsewhere a unit is named by its path: Workloads/Prod.
units:
  - name: Security
  - name: Workloads
    # formerly: Applications               # renames or moves the unit that had this path
    # tags: {Team: platform, Old: null}    # null: the tag must be absent; tags not named are left alone
    units:
      - name: Prod
  # - name: Quarantine

# An account that is not named here is left alone, and never closed. Each email must be new to AWS.
accounts:
  - name: Management
    email: aws-management@example.com
    unit: Root
  - name: Log Archive
    email: aws-log-archive@example.com
    unit: Security
  - name: Audit
    email: aws-audit@example.com
    unit: Security
    # alternate_contacts:
    #   security: {name: Security Team, title: On call, email: security@example.com, phone: "+49 30 1234567"}
    #   billing: null                      # null: there must be no such contact
  - name: AMI Lineage
    email: aws-ami-lineage@example.com
    unit: Security
  - name: Shop
    email: aws-shop@example.com
    unit: Workloads/Prod
    # id: "123456789012"                   # only to adopt an account that has another email; always in quotes
    # state: active                        # active, quarantined or closed

# Each policy comes from one of: file, inline, guardrail (built into orgctl), aws_managed: true.
policies:
  - name: DenyLeavingOrganization
    type: SERVICE_CONTROL_POLICY
    description: No account may leave the organization.
    guardrail: deny-leaving-organization    # docs/guardrails.md lists them
    attach: {root: true}
  # - name: TagCosts
  #   type: TAG_POLICY
  #   file: policies/tags.json             # ${NAME} in it is filled from variables
  #   variables: {COST_CENTERS: [shop, platform]}
  #   attach: {root: true, accounts: [Shop]}

# Services that may act in the whole organization, and the accounts that administer them.
trusted_access:
  - cloudtrail.amazonaws.com
delegated_administrators:
  # The lineage account lists the accounts, and has AWS Config judge the images of all.
  - {service: config-multiaccountsetup.amazonaws.com, account: AMI Lineage}
  # - {service: securityhub.amazonaws.com, account: Audit}

# What CloudFormation deploys to the accounts; never to the management account.
stacksets:
  - name: orgctl-lineage-bus
    template: lineage-bus                   # of orgctl's catalog; or file: templates/own.yaml
    targets: {units: [Security], only_accounts: [AMI Lineage]}
  - name: orgctl-account-baseline
    template: account-baseline              # docs/templates.md says what an account gets
    targets: {root: true}                   # or units: [Workloads], with only_accounts or except_accounts
    # regions: [eu-central-1]               # the governed Regions if absent
    depends_on: [orgctl-lineage-bus]        # to which the baseline forwards events
    parameters:
      ExternalId: choose-eight-characters-or-more   # what auditors present; not a secret
    # overrides: [{accounts: [Shop], parameters: {ExternalId: another-external-id}}]
    # failure_tolerance_percentage: 0
    # max_concurrent_percentage: 100
  # AWS Config, whose rules judge images: leave both out where a landing zone has made recorders.
  - name: orgctl-config-bucket
    template: config-bucket
    targets: {units: [Security], only_accounts: [Log Archive]}
  - name: orgctl-config-recorder
    template: config-recorder
    targets: {root: true}
    depends_on: [orgctl-config-bucket]

# Principals that no policy may ever lock out: break-glass roles, pipelines.
protected_principals:
  - name: break-glass
    arn: "arn:aws:iam::*:role/BreakGlass"
    calls: ["sts:AssumeRole", "iam:*"]

# Who is told of findings.
notifications:
  - name: security
    email: security@example.com
    severities: [critical, high]

# The machine image lineage system in the lineage account.
lineage:
  archive_retention_days: 365
  trusted_image_owners: [amazon]
  # graph: {engine: sqlite}                # neptune, or sqlite for a small organization
  # api: {access: private}                 # private or regional
"""
