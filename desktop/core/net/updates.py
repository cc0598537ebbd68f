"""Where updates come from: the office's own backend, over the connection that everything else uses (proxy, the office's CA).

Nothing here is believed: metadata and archives are judged by their signatures (updates_tuf.py), the plan can only hold back.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from desktop.core.errors import BadFile
from desktop.core.net.transport import Download

METADATA: Final = "/updates/metadata/"
TARGETS: Final = "/updates/targets/"
PLAN: Final = "/updates/plan"
MOST_PLAN: Final = 64 * 1024


@runtime_checkable
class UpdateSource(Protocol):
    """Reads below /updates of one server."""

    async def open_update(self, path: str, offset: int) -> Download:
        """A file from `offset` on, or from its start when the server will not resume. Raises Offline, Rejected."""
        ...


class RawPlan(msgspec.Struct, frozen=True):
    """The answer of /updates/plan."""

    channel: str = "stable"
    held: tuple[str, ...] = ()
    percent: dict[str, int] = {}


async def fetch_bytes(source: UpdateSource, path: str, most: int) -> bytes:
    """A small file whole. Raises Offline, Rejected; BadFile (reason `tooLarge`) for one of more than `most` bytes."""
    download = await source.open_update(path, 0)
    found = bytearray()
    try:
        async for part in download.parts:
            found += part
            if len(found) > most:
                raise BadFile(reason="tooLarge")
    finally:
        await download.parts.aclose()
    return bytes(found)


async def fetch_plan(source: UpdateSource) -> RawPlan:
    """The office's plan. Raises Offline, Rejected; BadFile for one that is none."""
    data = await fetch_bytes(source, PLAN, MOST_PLAN)
    try:
        return msgspec.json.decode(data, type=RawPlan)
    except msgspec.MsgspecError as error:
        raise BadFile(reason="plan") from error


def clean_custom(raw: object) -> Mapping[str, Any]:
    """What a release's signed metadata says beside hash and length; empty where it is no object."""
    return raw if isinstance(raw, dict) else {}
