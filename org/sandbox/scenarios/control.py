"""Asks the sandbox for what AWS has no call for: see `org.sandbox.trail.control`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from org.errors import OrgctlError
from org.sandbox.process import CONTROL

Event = Mapping[str, Any]
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Control:
    """A running sandbox, by its endpoint."""

    endpoint: str

    def events(self) -> list[Event]:
        """Answer what was sent in the name of AWS so far, the oldest first."""
        answer: list[Event] = self._ask("GET", "events")
        return answer

    def forget(self) -> None:
        """Begin to remember events anew: those from before there was anybody to hear them are not to come again."""
        self._ask("DELETE", "events")

    def seed(self, purpose: str) -> None:
        """Have the ids to come follow from the sandbox's seed, the purpose, and the number of events so far.

        What went before may have used up any number of them: a bootstrap makes its calls side by side.
        """
        self._ask("POST", "seed", {"for": purpose})

    def publish(self, account: str, region: str, events: Sequence[Event]) -> None:
        """Put events on the default bus of an account; returns when the functions that take them have run."""
        self._ask("POST", "events", {"account": account, "region": region, "events": events})

    def act_on_findings(self, action: str, findings: Sequence[str]) -> str:
        """Send findings to a custom action of Security Hub, as in its console, and answer the action's ARN.

        `action` is an id or an ARN; returns when the functions that hear of it have run.
        """
        return str(self._ask("POST", "finding-actions", {"action": action, "findings": list(findings)})["action"])

    def public_image(self, account: str, region: str, name: str, alias: str = "") -> str:
        """Answer the id of a public image of an account outside the organization; made where there is none so named."""
        asked = {"account": account, "region": region, "name": name, "alias": alias or None}
        return str(self._ask("POST", "public-images", asked)["image"])

    def say(self, image: str, region: str, **says: object) -> None:
        """Have EC2 say something else of an image: `SourceImageId="ami-…"`, None for nothing."""
        self._ask("POST", "images", {"image": image, "region": region, "says": says})

    def silence(self, account: str, region: str, *, silent: bool = True) -> None:
        """Lose the events of an account's Region from now on, or end it."""
        self._ask("POST", "silence", {"account": account, "region": region, "silent": silent})

    def run_schedules(self, rule: str = "") -> list[Mapping[str, str]]:
        """Run all rules with a schedule, or those of one name or ARN; answer them when what they set off is done.

        Raises OrgctlError where there is no enabled rule so named.
        """
        answer: list[Mapping[str, str]] = self._ask("POST", "schedules", {"rule": rule} if rule else {})
        return answer

    def sent(self) -> list[Mapping[str, Any]]:
        """Answer the mails, texts and requests that SNS would have sent out of AWS, the oldest first."""
        answer: list[Mapping[str, Any]] = self._ask("GET", "sent")
        return answer

    def calls(self) -> list[Mapping[str, Any]]:
        """Answer what was judged: who did what with what, by whom in whose name, the verdict, and how often."""
        answer: list[Mapping[str, Any]] = self._ask("GET", "calls")
        return answer

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        place = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=_SECONDS)
        try:
            connection.request(method, f"{CONTROL}/{what}", json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise OrgctlError(
                f"sandbox {self.endpoint}", f"does not answer: {error}", "orgctl sandbox start"
            ) from error
        finally:
            connection.close()
        if response.status != http.client.OK:
            raise OrgctlError(f"sandbox {self.endpoint}", f"{what}: {text.decode('utf-8', 'replace')}")
        return json.loads(text)
