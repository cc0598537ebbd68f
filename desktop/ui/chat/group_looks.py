"""Finds out what groups look like, those that are in sight: their picture, else the faces of their first members."""

from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QImage

from desktop.core.domain import Conversation, ConversationKind
from desktop.core.errors import AppError
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import theme
from desktop.ui.kit import group_faces, initial
from desktop.ui.tasks import TaskOwner

EDGE = 256


class GroupLooks(QObject):
    """`want` costs a look into a dictionary, so a painter may call it for every row."""

    def __init__(self, session: TalkSession, people: People, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._people = session, people
        self.tasks = TaskOwner(self)
        self._known: dict[str, tuple[str | None, int]] = {}  # conversation → what it was drawn from: picture, how many
        people.changed.connect(self._on_people)

    def want(self, conversation: Conversation) -> None:
        """Somebody is about to draw it."""
        if conversation.kind is not ConversationKind.GROUP:
            return
        version = (conversation.avatar_blob_id, conversation.member_count)
        if self._known.get(conversation.id) != version:
            self._known[conversation.id] = version
            self.tasks.start(self._find(conversation), name=conversation.id, exclusive=True)

    def _on_people(self, ids: frozenset[str]) -> None:
        if not ids:  # the directory was read; else somebody merely came or went
            self._known.clear()

    async def _find(self, conversation: Conversation) -> None:
        picture = await self._picture(conversation.avatar_blob_id) if conversation.avatar_blob_id else None
        tiles: tuple[tuple[str, int], ...] = ()
        if picture is None:
            members = await self._session.chat.members(conversation.id)
            ids = [member.person_id for member in members[: group_faces.MOST]]
            named = [(self._people.name(one), one) for one in ids]
            tiles = tuple((initial(name), theme.person_hue(key).rgba()) for name, key in named if name)
        known = group_faces.get(conversation.id)
        if picture is None and known is not None and known.picture is None and known.tiles == tiles:
            return
        face = group_faces.GroupFace(tiles, picture) if picture is not None or len(tiles) > 1 else None
        group_faces.put(conversation.id, face)

    async def _picture(self, blob_id: str) -> QImage | None:
        try:
            data = await self._session.files.thumbnail(blob_id, EDGE)
        except AppError:  # the faces stand in for it until it can be had
            return None
        from desktop.ui.chat.pictures import read_picture  # most groups have none

        found = read_picture(data, QSize(EDGE, EDGE)).toImage()
        return None if found.isNull() else found
