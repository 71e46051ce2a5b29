"""Which thing a caller means: an id of EC2's is unique within a Region only."""

from __future__ import annotations

from handlers.lineage.api.asked import Refused
from handlers.lineage.api.desk import Desk
from handlers.lineage.events.envelope import partition_of
from handlers.lineage.model import Key, key_of, parts_of
from handlers.lineage.queries.anywhere import KINDS_BY_PREFIX, keys_anywhere
from org.errors import NotFound, OrgctlError
from org.ids import Region


class Ambiguous(OrgctlError):
    """The id is known in several Regions."""

    def __init__(self, id: str, regions: list[str]) -> None:
        super().__init__(id, f"it is in {len(regions)} Regions", "name one of them as region")
        self.regions = regions


def key_for(desk: Desk, id: str, region: str | None) -> Key:
    """Answer the key of an id (or key) that matches the pattern; without Region it is looked for in all governed ones.

    Refused where the Region and the key contradict each other; NotFound, Ambiguous.
    """
    if "/" in id:
        parts = parts_of(Key(id))
        if region is not None and region != parts.region:
            raise Refused("the key is in another Region", "INVALID_REGION", "leave out region")
        return Key(id)
    kind = KINDS_BY_PREFIX[id.partition("-")[0]]
    if region is not None:
        return key_of(kind, id, Region(region), partition_of(Region(region)))
    found = keys_anywhere(desk.graph, kind, id, desk.means.regions)
    if not found:
        raise NotFound(id, "nothing is known of it in any governed Region", "see coverage for what is heard at all")
    if len(found) > 1:
        raise Ambiguous(id, [str(parts_of(key).region) for key in found])
    return found[0]
