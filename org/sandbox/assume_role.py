"""AssumeRole: who may is decided before a call is served; here the session gets its policies and tags.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts import urls
from moto.sts.responses import TokenResponse

from org.sandbox.authorization.grants import find_managed
from org.sandbox.authorization.keys import tags_given
from org.sandbox.authorization.principals import SESSION, SessionFacts, Written, caller_of
from org.sandbox.functions.credentials import follow_session


class SandboxTokenResponse(TokenResponse):
    """STS, whose sessions know what they may and who they are."""

    def assume_role(self) -> ActionResult:
        role_arn = str(self._get_param("RoleArn"))
        policies = tuple(self._session_policies(role_arn))
        facts = self._describe_session(role_arn, policies)
        answer = super().assume_role()
        assumed = answer.result["Credentials"]  # type: ignore[index]
        setattr(assumed.access_key, SESSION, facts)
        follow_session(self.get_access_key(), assumed.access_key_id)
        return answer

    def get_session_token(self) -> ActionResult:
        raise NotImplementedError("its sessions, which moto takes for the management account's")

    def get_federation_token(self) -> ActionResult:
        raise NotImplementedError("its sessions, which moto takes for the management account's")

    def _describe_session(self, role_arn: str, policies: tuple[Written, ...]) -> SessionFacts:
        """Put together the tags of the role and of the session; transitive ones are handed on along the chain.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
        """
        roles = iam_backends[role_arn.split(":")[4]][self.partition].roles.values()
        role = next(each for each in roles if each.arn == role_arn)
        before = caller_of(self.get_access_key(), self.region).session
        own = {tag["Key"]: tag["Value"] for tag in role.tags or []}
        inherited = {key: before.tags[key] for key in before.transitive} if before is not None else {}
        given = tags_given({"Tags": self._get_param("Tags") or []})
        tags: Mapping[str, str] = {**own, **given, **inherited}
        transitive = frozenset([*inherited, *(self._get_param("TransitiveTagKeys") or [])])
        source = self._get_param("SourceIdentity") or (before.source_identity if before else "")
        name = str(self._get_param("RoleSessionName"))
        return SessionFacts(name, utcnow().replace(tzinfo=UTC), policies, tags, transitive, source, role.id)

    def _session_policies(self, role_arn: str) -> Iterator[Written]:
        inline = self._get_param("Policy")
        if inline:
            yield Written("session policy", str(inline))
        for each in self._get_param("PolicyArns") or []:
            arn = str(each["arn"])
            found = find_managed(arn, role_arn.split(":")[4], self.partition)
            if found is None:
                # [H]: the code and the words with which AWS refuses a policy that does not exist.
                raise ServiceException("ValidationError", f"Policy {arn} does not exist or is not attachable.")
            yield found


def install() -> None:
    urls.url_paths = {"{0}/$": SandboxTokenResponse.dispatch}
