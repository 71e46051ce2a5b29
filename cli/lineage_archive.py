"""Where the archive of events is: in the bucket that is named, or in the manifest's lineage account."""

from __future__ import annotations

from cli.deploy.entry import enter
from cli.lineage_asked import manifest_if_any
from cli.settings import Settings, connect_to, connection
from handlers.lineage.archive import S3Archive
from org.errors import OrgctlError
from org.gateway.errors import aws_errors
from org.model import Region

STACK = "orgctl-lineage-ingest"


def named_archive(settings: Settings, bucket: str, region: Region) -> S3Archive:
    """Reach a bucket with the caller's own credentials."""
    return S3Archive(connection(settings, region).client("s3", region), bucket)


def find_archive(settings: Settings) -> S3Archive:
    """Enter the lineage account by its access role, and find the bucket in the stack of the ingest.

    Calls ListAccounts, AssumeRole and DescribeStacks. OrgctlError without a manifest, or where there is no such stack.
    """
    manifest = manifest_if_any(settings)
    if manifest is None:
        raise OrgctlError("--archive", "no bucket is named, and no manifest tells the lineage account", "name one")
    home, name = Region(manifest.organization.home_region), manifest.organization.lineage_account
    accounts = connect_to(settings, home).organizations.list_accounts()
    ids = [account.id for account in accounts if account.name == name]
    if not ids:
        raise OrgctlError(name, "there is no such account in the organization", "run orgctl bootstrap")
    there = enter(connection(settings, home), ids[0], home)
    with aws_errors(f"stack {STACK} in {name}"):
        (stack,) = there.client("cloudformation", home).describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return S3Archive(there.client("s3", home), outputs["ArchiveBucket"])
