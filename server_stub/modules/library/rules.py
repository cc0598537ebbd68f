"""Rules of the library: a tree of folders, documents that are as visible as their folder, versions, the terms of offline reading."""

from collections.abc import Mapping
from typing import Any, Final

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.values import WrongValue, check_file_name
from server_stub.records.actor import Actor
from server_stub.records.store import Record, do_update_record, load_record, load_records_of_type
from server_stub.records.types import JsonObject
from server_stub.records.visibility import EVERYONE, do_set_scopes, scope_id
from server_stub.storage.blobs import Blob
from server_stub.storage.database import Tx

FOLDER: Final = "Folder"
DOCUMENT: Final = "Document"
LIBRARIAN: Final = "librarian"
MAX_DEPTH: Final = 10
MAX_VERSIONS: Final = 100


class FolderRules(Rules):
    """文件夹. A sub-folder is never seen by more people than its parent: below a department's folder all is that department's."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        self._settle(tx, record_id, data)
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        self._settle(tx, record.id, data)
        return data

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data.get("departmentId") == after.data.get("departmentId"):
            return
        for folder in load_records_of_type(tx.conn, FOLDER):
            if folder.data.get("parentId") == after.id:
                self._pass_down(tx, actor, after, folder)
        for document in load_records_of_type(tx.conn, DOCUMENT):
            if document.data["folderId"] == after.id:
                do_set_scopes(tx, document.id, DOCUMENT, folder_scopes(tx, after.data))

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        super().check_destroy(tx, actor, record)
        inside = [one for one in load_records_of_type(tx.conn, FOLDER) if one.data.get("parentId") == record.id]
        inside += [one for one in load_records_of_type(tx.conn, DOCUMENT) if one.data["folderId"] == record.id]
        if inside:
            raise SetError("notEmpty", f"there are {len(inside)} things in it")

    def scopes(self, tx: Tx, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        return folder_scopes(tx, data)

    def _settle(self, tx: Tx, folder_id: str, data: JsonObject) -> None:
        """Check the place in the tree and the name beside its siblings; take over the parent's department."""
        check_name(data["name"])
        parents = _parents(tx, folder_id, data.get("parentId"))
        if parents and parents[0].data.get("departmentId") is not None:
            above = parents[0].data["departmentId"]
            if data.get("departmentId") is not None and data["departmentId"] != above:
                raise invalid_properties("the folder above belongs to another department", "departmentId")
            data["departmentId"] = above
        for other in load_records_of_type(tx.conn, FOLDER):
            same_place = other.data.get("parentId") == data.get("parentId")
            if other.id != folder_id and same_place and other.data["name"] == data["name"]:
                raise invalid_properties("there is a folder of this name", "name")

    def _pass_down(self, tx: Tx, actor: Actor, parent: Record, folder: Record) -> None:
        """What became the department's (or everyone's) takes its sub-folders along, except those that were narrower already."""
        wanted = parent.data.get("departmentId")
        if wanted is None or folder.data.get("departmentId") == wanted:
            return
        after = do_update_record(tx, folder, {**folder.data, "departmentId": wanted})
        do_set_scopes(tx, folder.id, FOLDER, folder_scopes(tx, after.data))
        self.after_update(tx, actor, folder, after)


class DocumentRules(Rules):
    """文档. A new blob is a new version; the old ones stay readable. Seen by whoever sees its folder."""

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        super().check_create(tx, actor, data)
        self._check_folder(tx, actor, data.get("folderId"))

    def check_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> None:
        super().check_update(tx, actor, record, data, changed)
        if "folderId" in changed:
            self._check_folder(tx, actor, data.get("folderId"))

    def scopes(self, tx: Tx, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        folder = load_record(tx.conn, data["folderId"], type_name=FOLDER)
        return folder_scopes(tx, folder.data if folder else {"departmentId": None})

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        check_name(data["name"])
        data.setdefault("ownerId", actor.person_id)
        self._add_version(tx, actor, record_id, data)
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        check_name(data["name"])
        if "blobId" in changed:
            self._add_version(tx, actor, record.id, data)
        elif "type" in changed:
            raise invalid_properties("the type is that of the content", "type")
        return data

    def _add_version(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> None:
        """Newest last. Size is the blob's; the type too, unless the client knows better than the upload did."""
        found: Blob = self.context.blobs.do_refer(tx, data["blobId"], record_id, DOCUMENT, actor)
        data["size"] = found.size
        data["type"] = data.get("type") or found.type
        versions = [*data.get("versions", ())]
        if len(versions) >= MAX_VERSIONS:
            raise SetError(SetErrorType.OVER_QUOTA, f"a document has at most {MAX_VERSIONS} versions")
        version = {"blobId": found.id, "name": data["name"], "size": found.size}
        data["versions"] = [*versions, {**version, "authorId": actor.person_id, "at": format_utc(tx.now)}]

    def _check_folder(self, tx: Tx, actor: Actor, folder_id: Any) -> None:
        """A librarian files anywhere, others in the folders of their own departments."""
        folder = load_record(tx.conn, folder_id, type_name=FOLDER) if isinstance(folder_id, str) else None
        if folder is None:
            raise invalid_properties("there is no such Folder", "folderId")
        if LIBRARIAN not in actor.roles and folder.data.get("departmentId") not in actor.department_ids:
            raise SetError(SetErrorType.FORBIDDEN, "you file documents in folders of your own departments only")


def folder_scopes(tx: Tx, data: Mapping[str, Any]) -> list[int]:
    """Who sees a folder with this data, and what lies in it."""
    department_id = data.get("departmentId")
    seen_by = scope_id(tx, *EVERYONE) if department_id is None else scope_id(tx, "department", department_id)
    return list(dict.fromkeys((seen_by, scope_id(tx, "role", LIBRARIAN))))


def check_name(name: str) -> None:
    """Names of folders and files end up as names on disks. Raises SetError."""
    try:
        check_file_name(name)
    except WrongValue as problem:
        raise invalid_properties(str(problem), "name") from None


def _parents(tx: Tx, folder_id: str, parent_id: str | None) -> list[Record]:
    """The folders above, nearest first. Raises SetError when there is a circle or the tree gets too deep."""
    chain: list[Record] = []
    current = parent_id
    while current is not None:
        record = load_record(tx.conn, current, type_name=FOLDER)
        if current == folder_id or record is None or len(chain) >= MAX_DEPTH - 1:
            raise invalid_properties(f"a folder lies in no folder of its own, and at most {MAX_DEPTH} deep", "parentId")
        chain.append(record)
        current = record.data.get("parentId")
    return chain
