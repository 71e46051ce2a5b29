"""Neptune's clusters, which moto keeps among those of RDS: what it refuses, forgets or overwrites of them.

Neptune has hosts and IAM authentication of its own; two clusters, and two subnet groups, have two names; a subnet group
that is changed is still there; what a change says of logs and IAM authentication holds. There is no engine: a cluster
is what the API says of it.
https://docs.aws.amazon.com/neptune/latest/apiref/API_CreateDBCluster.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import EmptyResult
from moto.rds.exceptions import DBClusterNotFoundError, DBSubnetGroupNotFoundError, RDSClientError
from moto.rds.models import AssociatedRole, DBCluster, DBInstance, DBSubnetGroup, RDSBackend
from moto.rds.responses import RDSResponse

NEPTUNE = "neptune"
_AUTHENTICATION = "enable_iam_database_authentication"

_make = DBCluster.__init__
_find_address: Any = vars(DBInstance)["address"]
_add_any_role = RDSBackend.add_role_to_db_cluster
_create = RDSBackend.create_db_cluster
_modify = RDSBackend.modify_db_cluster
_create_subnets = RDSBackend.create_subnet_group
_modify_subnets = RDSBackend.modify_db_subnet_group


def _make_cluster(cluster: DBCluster, backend: RDSBackend, **given: Any) -> None:
    of_neptune = given.get("engine") == NEPTUNE
    authentication = given.pop(_AUTHENTICATION, False) if of_neptune else None
    _make(cluster, backend, **given)
    if of_neptune:
        cluster.iam_auth = bool(authentication)
        if not given.get("db_cluster_parameter_group_name"):
            family = ".".join(cluster.engine_version.split(".")[:2])
            cluster.parameter_group = f"default.neptune{family}"


def _create_cluster(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
    if kwargs["db_cluster_identifier"] in backend.clusters:
        raise RDSClientError("DBClusterAlreadyExistsFault", "DB Cluster already exists")
    return _create(backend, kwargs)


def _modify_cluster(backend: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
    name = kwargs["db_cluster_identifier"]
    if name not in backend.clusters:
        raise DBClusterNotFoundError(name)
    changes = dict(kwargs)
    if (logs := changes.pop("cloudwatch_logs_export_configuration", None)) is not None:
        sent = backend.clusters[name].enabled_cloudwatch_logs_exports
        asked = {_plain(kind): types for kind, types in logs.items()}
        changes["enable_cloudwatch_logs_exports"] = {
            "EnableLogTypes": [each for each in asked.get("EnableLogTypes") or [] if each not in sent],
            "DisableLogTypes": [each for each in asked.get("DisableLogTypes") or [] if each in sent],
        }
    authentication = changes.pop(_AUTHENTICATION, None)
    modified = _modify(backend, changes)
    if authentication is not None:
        backend.clusters[changes.get("new_db_cluster_identifier") or name].iam_auth = authentication
        modified.iam_auth = authentication
    return modified


def _add_role(backend: RDSBackend, db_cluster_identifier: str, role_arn: str, feature_name: str) -> None:
    """Add a role; those of Neptune are for no feature, and moto would have one of them at most."""
    cluster = backend.clusters.get(db_cluster_identifier)
    if cluster is None or cluster.engine != NEPTUNE:
        _add_any_role(backend, db_cluster_identifier, role_arn, feature_name)
        return
    if any(role.role_arn == role_arn for role in cluster._associated_roles):
        raise RDSClientError("DBClusterRoleAlreadyExists", f"{role_arn} is already associated with the cluster")
    cluster._associated_roles.append(AssociatedRole(role_arn=role_arn, feature_name=feature_name))


def _remove_role(response: RDSResponse) -> EmptyResult:
    """https://docs.aws.amazon.com/neptune/latest/apiref/API_RemoveRoleFromDBCluster.html, which moto has not."""
    name, arn = response.params["DBClusterIdentifier"], response.params["RoleArn"]
    cluster = response.backend.clusters.get(name)
    if cluster is None:
        raise DBClusterNotFoundError(name)
    if not any(role.role_arn == arn for role in cluster._associated_roles):
        raise RDSClientError("DBClusterRoleNotFound", f"{arn} is not associated with the cluster")
    cluster._associated_roles = [role for role in cluster._associated_roles if role.role_arn != arn]
    return EmptyResult()


def _plain(kind: str) -> str:
    """Answer `EnableLogTypes`, as one part of moto has it, for `enable_log_types`, as another has."""
    return "".join(part[:1].upper() + part[1:] for part in kind.split("_"))


def _create_subnet_group(backend: RDSBackend, subnet_name: str, *more: Any, **given: Any) -> DBSubnetGroup:
    if subnet_name in backend.subnet_groups:
        message = f"The DB subnet group '{subnet_name}' already exists."
        raise RDSClientError("DBSubnetGroupAlreadyExists", message)
    return _create_subnets(backend, subnet_name, *more, **given)


def _modify_subnet_group(backend: RDSBackend, subnet_name: str, description: str, subnets: Any) -> DBSubnetGroup:
    if subnet_name not in backend.subnet_groups:
        raise DBSubnetGroupNotFoundError(subnet_name)
    group = _modify_subnets(backend, subnet_name, description, subnets)
    backend.subnet_groups[subnet_name] = group
    return group


def _host(cluster: DBCluster, kind: str) -> str:
    service = NEPTUNE if cluster.engine == NEPTUNE else "rds"
    name = f"{cluster.db_cluster_identifier}.{kind}-{cluster.url_identifier}"
    return f"{name}.{cluster.region}.{service}.amazonaws.com"


def _address(instance: DBInstance) -> str:
    address = str(_find_address.fget(instance))
    return address.replace(".rds.", f".{NEPTUNE}.") if instance.engine == NEPTUNE else address


def install() -> None:
    DBCluster.endpoint = property(lambda cluster: _host(cluster, "cluster"))  # type: ignore[assignment,method-assign]
    DBCluster.reader_endpoint = property(lambda cluster: _host(cluster, "cluster-ro"))  # type: ignore[assignment,method-assign]
    DBInstance.address = property(_address)  # type: ignore[assignment,method-assign]
    for place, name, ours in (
        (DBCluster, "__init__", _make_cluster),
        (RDSBackend, "create_db_cluster", _create_cluster),
        (RDSBackend, "add_role_to_db_cluster", _add_role),
        (RDSResponse, "remove_role_from_db_cluster", _remove_role),
        (RDSBackend, "create_subnet_group", _create_subnet_group),
        (RDSBackend, "modify_db_cluster", _modify_cluster),
        (RDSBackend, "modify_db_subnet_group", _modify_subnet_group),
    ):
        setattr(place, name, ours)
