"""Verbs of the library: folders, documents, new ones and new versions, what is kept on this device for the day the cable is out."""

import mimetypes
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.core.domain import AnnotationTarget, Arriving, Attachment, Document, Folder, LocalDocument
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.services.context import Context
from desktop.core.services.leases import Leases
from desktop.core.services.transfers import TransferService
from desktop.core.sync.outbox import Edit, EditKind, EditState

_KEPT: Final = "kept"
_CLOCK: Final = "clock"
_DAY_MS: Final = 86_400_000
PAGED_TYPES: Final = frozenset({"application/pdf", "application/ofd", "application/vnd.ofd", "application/x-ofd"})
PAGED_NAMES: Final = (".pdf", ".ofd")
OFFICE_SUFFIXES: Final = frozenset({"docx", "doc", "xlsx", "xls", "pptx", "ppt", "odt", "ods", "odp", "rtf", "wps"})
"""Files a server may make pages of."""
"""What has pages that can be shown while the rest still comes."""


class Kept(msgspec.Struct, frozen=True):
    """A document kept on this device. `pinned`: the user wished it (else the policy did). Times in ms."""

    blob_id: str
    lease_until: int
    pinned: bool


class LibraryService:
    """The library on this device."""

    def __init__(self, context: Context, transfers: TransferService) -> None:
        self._context = context
        self._transfers = transfers
        self._leases = Leases(context)

    async def folders(self) -> list[Folder]:
        """All folders this user may see."""
        found = await self._context.db(self._context.store.load_objects, "Folder")
        return sorted((v for v in found if isinstance(v, Folder)), key=lambda folder: (folder.name, folder.id))

    async def documents(self, folder_id: str | None = None) -> list[Document]:
        """The documents of a folder (None: all), the newest first, with what is kept of them; those on their way to the server too."""
        found, edits = await self._context.db(self._load_documents, folder_id)
        kept = await self._context.load_local(_KEPT, Kept)
        documents = [self._with_kept(document, kept.get(document.id)) for document in found]
        known = {document.id for document in found}
        waiting = [self._pending(edit) for edit in edits if edit.object_id not in known]
        documents += [d for d in waiting if d is not None and folder_id in (None, d.folder_id)]
        return sorted(documents, key=lambda document: (-document.updated_at, document.id))

    async def document(self, document_id: str) -> Document | None:
        """One document."""
        return next((document for document in await self.documents() if document.id == document_id), None)

    def _load_documents(self, folder_id: str | None) -> tuple[list[Document], list[Edit]]:
        store = self._context.store
        found = store.load_objects("Document", parent=folder_id)
        edits = [edit for edit in store.load_edits() if edit.type_name == "Document"]
        return [value for value in found if isinstance(value, Document)], edits

    def _pending(self, edit: Edit) -> Document | None:
        """The document an edit will make; one the server refused is shown by its transfer alone."""
        if edit.kind is not EditKind.CREATE or edit.state is EditState.REFUSED:
            return None
        sent = self._transfers.of(edit.id)
        return Document(
            id=edit.object_id,
            title=str(edit.payload["title"]),
            folder_id=str(edit.payload["folderId"]),
            blob_id=str(edit.payload.get("blobId", "")),
            name=str(edit.payload["name"]),
            type=str(edit.payload["type"]),
            size=sent.size if sent is not None else 0,
            number=edit.payload.get("number"),
            owner_id=self._context.me,
            created_at=edit.created_at,
            updated_at=edit.created_at,
        )

    # ------------------------------------------------------------ writing into it
    async def add_document(self, folder_id: str, path: Path, title: str, number: str | None) -> str:
        """Queues a new document from a file of the user; its id. The file goes up as a transfer, offline when there is a network again.

        Raises:
            BadFile: not a readable file. What the server says of it comes as EditRefused, and as the transfer's failure.
        """
        document_id = self._context.new_id()
        payload = {"title": title, "folderId": folder_id, **_content(path)}
        if number is not None:
            payload["number"] = number
        await self._queue_file(EditKind.CREATE, document_id, payload, path, edit_id=document_id)
        return document_id

    async def add_version(self, document_id: str, path: Path) -> None:
        """Queues a file as the document's newest version. Raises BadFile, like `add_document`."""
        await self._queue_file(EditKind.UPDATE, document_id, _content(path), path, edit_id=self._context.new_id())

    async def _queue_file(
        self, kind: EditKind, document_id: str, payload: dict[str, Any], path: Path, *, edit_id: str
    ) -> None:
        if not path.is_file():
            raise BadFile(reason="missing")
        outgoing = await self._transfers.take_file(path)
        upload = outgoing.transfer_id
        await self._context.edit(
            kind, "Document", document_id, payload, edit_id=edit_id, upload=upload, local_path=str(path)
        )
        await self._transfers.begin_upload(outgoing, edit_id)

    # ------------------------------------------------------------ reading, and keeping for offline

    def _with_kept(self, document: Document, kept: Kept | None) -> Document:
        if kept is None:
            return document
        here = self._transfers.has(document.blob_id)
        return msgspec.structs.replace(document, kept=here, lease_until=kept.lease_until)

    async def keep_offline(self, document_id: str, keep: bool) -> None:
        """Keeps a document on this device, or not any more.

        Raises:
            Rejected: its policy forbids it. Offline: it is not here and cannot be fetched now (it is fetched later).
        """
        document = await self.document(document_id)
        if document is None:
            raise Rejected(type="notFound")
        if not keep:
            await self._context.put_local(_KEPT, document_id, None)
            self._changed(document_id)
            return
        if document.offline.policy == "none":
            raise Rejected(type="offlineForbidden")
        await self._renew(document, pinned=True)
        await self._transfers.ensure(document.blob_id, document.name)
        self._changed(document_id)

    async def document_path(self, document_id: str, *, early: bool = False) -> LocalDocument:
        """A document's bytes, from this device or from the server; `early`: the caller reads it while it still comes (`arriving`).

        Raises:
            Offline: it is not kept and there is no network. LeaseExpired: kept, but for too long without the server's word.
            Rejected: the server said no.
        """
        document = await self.document(document_id)
        if document is None:
            raise Rejected(type="notFound")
        own = await self._own_copy(document)
        if own is not None:
            return own
        rights = document.offline
        lease_until: int | None = None
        if self._context.live:
            if rights.policy != "none":
                kept = (await self._context.load_local(_KEPT, Kept)).get(document_id)
                await self._renew(document, pinned=bool(kept and kept.pinned))
        else:
            lease_until = await self._check_lease(document)
        target = AnnotationTarget("Document", document.id, document.blob_id)
        keep = rights.policy != "none"
        data, pages, arriving = b"", b"", None
        if early:
            content = Attachment(document.blob_id, document.name, document.type, document.size)
            arriving = await self._arriving(content, quiet=True, keep=keep)
        if arriving is None:
            data = await self._transfers.open_bytes(document.blob_id, document.name)
            pages = await self._pages(document.blob_id, document.name, keep=keep)
            if not keep:
                await self._transfers.forget(document.blob_id)
        return LocalDocument(
            document.name, document.type, data, lease_until, rights.print, rights.copy, target, arriving, pages
        )

    async def open_file(self, attachment: Attachment, target: AnnotationTarget | None = None) -> LocalDocument:
        """A file of a record (`target`: of which one), from this device or from the server, to be read while it comes where that is possible.

        Raises:
            Offline: it is not here and there is no network. LeaseExpired: it is here, but the server was not heard for too long.
            Rejected: the server said no.
        """
        lease_until: int | None = None
        if self._context.live:
            if target is not None:
                await self._leases.renew_records()
        elif target is not None and self._transfers.has(attachment.blob_id):
            lease_until = await self._leases.check_records()
        arriving = await self._arriving(attachment, quiet=False, keep=True)
        data = pages = b""
        if arriving is None:
            data = await self._transfers.open_bytes(attachment.blob_id, attachment.name, quiet=False)
            pages = await self._pages(attachment.blob_id, attachment.name, keep=True)
        return LocalDocument(
            attachment.name, attachment.type, data, lease_until, target=target, arriving=arriving, pages=pages
        )

    async def _pages(self, blob_id: str, name: str, *, keep: bool) -> bytes:
        suffix = name.rpartition(".")[2].lower()
        return await self._transfers.pages(blob_id, suffix, keep=keep) if suffix in OFFICE_SUFFIXES else b""

    async def _arriving(self, attachment: Attachment, *, quiet: bool, keep: bool) -> Arriving | None:
        if not (attachment.type in PAGED_TYPES or attachment.name.lower().endswith(PAGED_NAMES)):
            return None
        return await self._transfers.arrive(attachment, quiet=quiet, keep=keep)

    async def _own_copy(self, document: Document) -> LocalDocument | None:
        """What this user adds and the server has not yet, from the file it is added from."""
        _, edits = await self._context.db(self._load_documents, None)
        edit = next((e for e in edits if e.object_id == document.id and e.kind is EditKind.CREATE), None)
        if edit is None or edit.local_path is None:
            return None
        try:
            data = await self._context.workers.cpu(Path(edit.local_path).read_bytes)
        except OSError as error:
            raise BadFile(reason="missing") from error
        return LocalDocument(document.name, document.type, data)

    async def kept_blobs(self) -> set[str]:
        """Blobs of documents that are kept on this device, in the version held and in the newest."""
        kept = await self._context.load_local(_KEPT, Kept)
        newest = {document.blob_id for document in await self.documents() if document.id in kept}
        return newest | {entry.blob_id for entry in kept.values()}

    async def keep_by_policy(self) -> None:
        """Renews the leases of what is kept and fetches what the policy wants here. Called when the connection is live and quiet."""
        kept = await self._context.load_local(_KEPT, Kept)
        documents = {document.id: document for document in await self.documents()}
        for document_id in kept.keys() - documents.keys():  # deleted, or no longer ours to read
            await self._transfers.forget(kept[document_id].blob_id)
            await self._context.put_local(_KEPT, document_id, None)
        for document in documents.values():
            known = kept.get(document.id)
            if document.offline.policy == "none" and known is not None:
                await self._transfers.forget(known.blob_id)
                await self._context.put_local(_KEPT, document.id, None)
                self._changed(document.id)
            elif known is not None or document.offline.policy == "always":
                await self._renew(document, pinned=bool(known and known.pinned))
                await self._fetch_quietly(document)
                if not document.kept and self._transfers.has(document.blob_id):
                    self._changed(document.id)

    async def _fetch_quietly(self, document: Document) -> None:
        try:
            await self._transfers.ensure(document.blob_id, document.name)
        except (Offline, Rejected, BadFile):
            return  # the next quiet moment tries again

    async def _renew(self, document: Document, *, pinned: bool) -> None:
        now = self._context.clock.now_ms()
        lease = now + max(1, document.offline.lease_days) * _DAY_MS
        await self._context.put_local(_KEPT, document.id, Kept(document.blob_id, lease, pinned))
        await self._context.put_local(_CLOCK, "latest", now)

    async def _check_lease(self, document: Document) -> int:
        kept = (await self._context.load_local(_KEPT, Kept)).get(document.id)
        if kept is None or not self._transfers.has(document.blob_id):
            raise Offline(reason="notKept")
        await self._leases.check(kept.lease_until)
        return kept.lease_until

    def _changed(self, document_id: str) -> None:
        self._context.bus.publish(ChangeSet("Document", (document_id,)))


def _content(path: Path) -> dict[str, Any]:
    return {"name": path.name, "type": mimetypes.guess_type(path.name)[0] or "application/octet-stream"}
