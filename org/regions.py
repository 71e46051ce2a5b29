"""The Regions of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache


@cache
def known_regions() -> Mapping[str, str]:
    """Answer every Region that botocore knows, with its partition.

    The data alone is read: a session would look at the profile and the files of whoever runs this.
    """
    from botocore.loaders import Loader  # a third of what config takes to import

    data = Loader().load_data("partitions")
    return {
        region: partition["id"]
        for partition in data["partitions"]
        for region in partition["regions"]
        if not region.endswith("-global")
    }
