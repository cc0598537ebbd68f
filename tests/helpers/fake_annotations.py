"""The verbs of marking documents, in memory."""

from collections.abc import Mapping
from typing import Any

from desktop.core.domain import Annotation, AnnotationTarget
from desktop.core.errors import StorageUnavailable


class FakeAnnotations:
    """Keeps marks of every document; `broken`: nothing can be kept."""

    def __init__(self, *held: Annotation, broken: bool = False) -> None:
        self.held = list(held)
        self.broken = broken

    async def annotations(self, target: AnnotationTarget) -> list[Annotation]:
        return [one for one in self.held if (one.record_id, one.blob_id) == (target.record_id, target.blob_id)]

    async def annotate(
        self, target: AnnotationTarget, page: int, kind: str, mark: Mapping[str, Any], *, shared: bool
    ) -> str:
        if self.broken:
            raise StorageUnavailable
        made = Annotation(
            f"mark-{len(self.held)}",
            target.record_id,
            target.record_type,
            target.blob_id,
            page,
            kind,
            dict(mark),
            shared,
            "me",
            pending=True,
        )
        self.held.append(made)
        return made.id

    async def erase(self, annotation: Annotation) -> None:
        self.held = [one for one in self.held if one.id != annotation.id]
