"""AWS::S3::Bucket (its basic properties), BucketPolicy, and AWS::SSM::Parameter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.s3.cloud_formation import cfn_to_api_encryption
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

from org.sandbox.stack_types.bucket_rules import write_lifecycle, write_logging
from org.sandbox.stack_types.interface import Created, Properties, ResourceRefused, Shape, Wanted, removed_keys

if TYPE_CHECKING:
    from moto.s3.models import S3Backend
    from moto.ssm.models import SimpleSystemManagerBackend


class Bucket:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html."""

    shape = Shape(
        "AWS::S3::Bucket",
        properties=frozenset(
            {
                "BucketEncryption",
                "BucketName",
                "LifecycleConfiguration",
                "LoggingConfiguration",
                "ObjectLockConfiguration",
                "ObjectLockEnabled",
                "OwnershipControls",
                "PublicAccessBlockConfiguration",
                "Tags",
                "VersioningConfiguration",
            }
        ),
        attributes=frozenset({"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"}),
        name_property="BucketName",
        name_limit=63,
        replaced_by=frozenset({"ObjectLockEnabled"}),
    )

    def create(self, wanted: Wanted) -> Created:
        return Created(_buckets(wanted).create_bucket(wanted.name.lower(), wanted.region).name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, name, properties = _buckets(wanted), created.physical_id, wanted.properties
        bucket = backend.get_bucket(name)
        encryption = properties.get("BucketEncryption")
        bucket.encryption = cfn_to_api_encryption(encryption) if encryption else None
        if "VersioningConfiguration" in properties:
            bucket.versioning_status = properties["VersioningConfiguration"]["Status"]
        elif bucket.versioning_status:
            bucket.versioning_status = "Suspended"
        if "PublicAccessBlockConfiguration" in properties:
            backend.put_public_access_block(name, properties["PublicAccessBlockConfiguration"])
        else:
            backend.delete_public_access_block(name)
        ownership = properties.get("OwnershipControls")
        bucket.ownership_rule = ownership["Rules"][0]["ObjectOwnership"] if ownership else None
        live_tags = backend.tagger.get_tag_dict_for_resource(bucket.arn)
        kept_tags = {key: value for key, value in live_tags.items() if not old or key not in old.tags}
        backend.put_bucket_tagging(name, kept_tags | wanted.tags)
        self._lock(backend, name, properties)
        for written, write in (("LifecycleConfiguration", write_lifecycle), ("LoggingConfiguration", write_logging)):
            if written in properties or (old is not None and written in old.properties):
                write(wanted, name)
        return created

    def _lock(self, backend: S3Backend, name: str, properties: Properties) -> None:
        """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-objectlockconfiguration.html."""
        enabled = properties.get("ObjectLockEnabled") in (True, "true")
        rule = (properties.get("ObjectLockConfiguration") or {}).get("Rule", {}).get("DefaultRetention", {})
        if rule and not enabled:
            raise ResourceRefused("Object Lock configuration cannot be enabled on existing buckets")
        if enabled:
            if properties.get("VersioningConfiguration", {"Status": "Enabled"})["Status"] != "Enabled":
                raise ResourceRefused(
                    "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
                )
            bucket = backend.get_bucket(name)
            bucket.versioning_status, bucket.object_lock_enabled = "Enabled", True
            days, years = (int(rule.get(each, 0)) for each in ("Days", "Years"))
            backend.put_object_lock_configuration(name, True, rule.get("Mode"), days, years)

    def delete(self, created: Created, wanted: Wanted) -> None:
        if _buckets(wanted).delete_bucket(created.physical_id) is None:
            raise ResourceRefused("The bucket you tried to delete is not empty")

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        return _buckets(wanted).get_bucket(created.physical_id).get_cfn_attribute(name)


class BucketPolicy:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucketpolicy.html."""

    shape = Shape(
        "AWS::S3::BucketPolicy",
        properties=frozenset({"Bucket", "PolicyDocument"}),
        replaced_by=frozenset({"Bucket"}),
    )

    def create(self, wanted: Wanted) -> Created:
        bucket = _buckets(wanted).get_bucket(str(wanted.properties["Bucket"]))
        if bucket.policy:
            raise ResourceRefused(f"The bucket policy already exists on bucket {bucket.name}.")
        if not isinstance(wanted.properties["PolicyDocument"], dict):
            raise ResourceRefused("Properties validation failed: PolicyDocument must be an object")
        return Created(bucket.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:  # noqa: ARG002  # one property
        policy = json.dumps(wanted.properties["PolicyDocument"])
        _buckets(wanted).put_bucket_policy(created.physical_id, policy.encode())
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _buckets(wanted).delete_bucket_policy(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        raise NotImplementedError


class Parameter:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html."""

    shape = Shape(
        "AWS::SSM::Parameter",
        properties=frozenset({"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"}),
        attributes=frozenset({"Type", "Value"}),
        name_property="Name",
        name_limit=1011,
    )

    def create(self, wanted: Wanted) -> Created:
        if wanted.properties.get("Type") not in ("String", "StringList"):
            raise ResourceRefused("Properties validation failed: Type must be String or StringList")
        self._put(wanted, overwrite=False)
        return Created(wanted.name)

    def configure(self, created: Created, old: Wanted | None, wanted: Wanted) -> Created:
        backend, name = _parameters(wanted), created.physical_id
        if old is not None:
            self._put(wanted, overwrite=True)
        backend.add_tags_to_resource("Parameter", name, wanted.tags)
        backend.remove_tags_from_resource("Parameter", name, removed_keys(old.tags if old else {}, wanted.tags))
        return created

    def delete(self, created: Created, wanted: Wanted) -> None:
        _parameters(wanted).delete_parameter(created.physical_id)

    def read_attribute(self, created: Created, wanted: Wanted, name: str) -> Any:
        parameter = _parameters(wanted).get_parameter(created.physical_id)
        if parameter is None:
            raise ResourceRefused(f"Parameter {created.physical_id} not found.")
        return parameter.value if name == "Value" else parameter.parameter_type

    def _put(self, wanted: Wanted, *, overwrite: bool) -> None:
        properties = wanted.properties
        _parameters(wanted).put_parameter(
            name=wanted.name,
            description=properties.get("Description", ""),
            value=properties.get("Value", ""),
            parameter_type=properties["Type"],
            allowed_pattern=properties.get("AllowedPattern", ""),
            keyid="",
            overwrite=overwrite,
            tags=[],
            data_type=properties.get("DataType", "text"),
            tier=properties.get("Tier"),
            policies=None,
        )


def _buckets(wanted: Wanted) -> S3Backend:
    return s3_backends[wanted.account_id][wanted.partition]


def _parameters(wanted: Wanted) -> SimpleSystemManagerBackend:
    return ssm_backends[wanted.account_id][wanted.region]
