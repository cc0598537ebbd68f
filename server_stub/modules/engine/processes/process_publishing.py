"""Drafts and versions of processes: written, published, retired. What a version calls belongs to it: publishing makes versions of the callers, too."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from server_stub.ids import uuid7
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.process_store import (
    DRAFT,
    PROCESS,
    PUBLISHED,
    RETIRED,
    Version,
    current_version,
    file_sha,
    load_file,
    load_row,
    published_versions,
    version_of_sha,
)
from server_stub.records.visibility import EVERYONE, do_bury, do_set_scopes, do_touch, scope_id
from server_stub.storage.database import Tx
from server_stub.workflow.process_file import ProcessFile

MAX_CALLS: Final = 100


class NotPublishable(Exception):
    """A version cannot be published. `zh`, `en`: why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def bundle_sha(file: str, called: Mapping[str, str]) -> str:
    """The address of a file with those it calls."""
    parts = [file, *(f"{process_id}:{sha}" for process_id, sha in sorted(called.items()))]
    return file if not called else hashlib.sha256("\n".join(parts).encode()).hexdigest()


def do_create_draft(
    tx: Tx, id_: str, file: str, *, process_id: str, module: str, record_type: str, origin: str, author_id: str | None
) -> None:
    """Write a draft; `file`: sha of a kept file. Administrators see it."""
    tx.raw.execute(
        "INSERT INTO process(id, process_id, version, state, origin, module, record_type, sha, file, called, author_id, created_at, updated_at)"
        " VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, '{}', ?, ?, ?)",
        (id_, process_id, DRAFT, origin, module, record_type, file, file, author_id, tx.now, tx.now),
    )
    do_set_scopes(tx, id_, PROCESS, [scope_id(tx, "role", one) for one in sorted(ADMIN_ROLES)])


def do_change_draft(tx: Tx, id_: str, file: str, *, process_id: str, module: str, record_type: str) -> None:
    """Put other content into a draft."""
    tx.raw.execute(
        "UPDATE process SET process_id = ?, module = ?, record_type = ?, sha = ?, file = ?, updated_at = ? WHERE id = ?",
        (process_id, module, record_type, file, file, tx.now, id_),
    )
    do_touch(tx, id_)


def do_drop_draft(tx: Tx, id_: str) -> None:
    """Destroy a draft, and its file when nothing else is made of it."""
    held = load_row(tx, id_)
    do_bury(tx, id_)
    tx.raw.execute("DELETE FROM process WHERE id = ? AND version IS NULL", (id_,))
    if held is not None:
        _do_forget_files(tx, [held.file])


def do_publish(tx: Tx, id_: str, by: str | None) -> Version:
    """Make a draft the next version, or an earlier version the published one again; processes that call it follow with a version of their own.

    Args:
        by: the administrator; None: the server, for a module's folder.

    Raises:
        NotPublishable: it calls what is not published, or itself.
    """
    held = load_row(tx, id_)
    assert held is not None
    called = _called_now(tx, held)
    sha = bundle_sha(held.file, called)
    if held.version is not None and sha != held.sha:  # what it calls has changed since: that makes a version of its own
        held = _do_copy(tx, held)
    same = version_of_sha(tx, held.process_id, sha)
    if held.version is None and same is not None:  # it says what an earlier version says
        do_drop_draft(tx, held.id)
        held = same
    if held.version is None:
        number = _next_number(tx, held.process_id)
        tx.raw.execute(
            "UPDATE process SET version = ?, sha = ?, called = ? WHERE id = ?",
            (number, sha, msgspec.json.encode(called).decode(), held.id),
        )
    _do_retire_others(tx, held.process_id, held.id)
    tx.raw.execute(
        "UPDATE process SET state = ?, published_at = ?, published_by = ?, retired_by = NULL, updated_at = ? WHERE id = ?",
        (PUBLISHED, tx.now, by, tx.now, held.id),
    )
    do_set_scopes(tx, held.id, PROCESS, [scope_id(tx, *EVERYONE)])
    do_touch(tx, held.id)
    _do_renew_callers(tx, held.process_id, by)
    made = load_row(tx, held.id)
    assert made is not None
    return made


def do_retire(tx: Tx, id_: str, by: str | None) -> None:
    """No new cases on a version; those that run stay on it. `by` None: the server, as the folder is gone."""
    tx.raw.execute(
        "UPDATE process SET state = ?, retired_by = ?, updated_at = ? WHERE id = ?", (RETIRED, by, tx.now, id_)
    )
    do_touch(tx, id_)


def callers_of(tx: Tx, process_id: str) -> list[Version]:
    """The published processes that call this one."""
    return [one for one in published_versions(tx) if process_id in one.called]


def calls_of(tx: Tx, file: ProcessFile, given: Mapping[str, ProcessFile] | None = None) -> dict[str, ProcessFile]:
    """The files a process calls, to any depth, as they are published now; `given` goes before what is published.

    Raises:
        NotPublishable: one is missing, or it calls itself.
    """
    found: dict[str, ProcessFile] = {}
    pending: list[tuple[str, tuple[str, ...]]] = [(one, (file.id,)) for one in file.called]
    while pending:
        process_id, above = pending.pop()
        if process_id in above:
            raise NotPublishable(f"流程 {process_id} 调用了自己", f"the process {process_id} calls itself")
        called = (given or {}).get(process_id)
        if called is None:
            held = current_version(tx, process_id)
            called = None if held is None else load_file(tx, held.file)
        if called is None or len(found) >= MAX_CALLS:
            raise NotPublishable(
                f"调用的流程 {process_id} 没有发布的版本", f"it calls {process_id}, which is not published"
            )
        found[process_id] = called
        pending += [(one, (*above, process_id)) for one in called.called]
    return found


def _called_now(tx: Tx, held: Version) -> dict[str, str]:
    return {process_id: file_sha(file) for process_id, file in calls_of(tx, load_file(tx, held.file)).items()}


def _do_renew_callers(tx: Tx, process_id: str, by: str | None) -> None:
    """What calls a process that has a new version calls that one from now on, by a version of its own."""
    for caller in callers_of(tx, process_id):
        if bundle_sha(caller.file, _called_now(tx, caller)) != caller.sha:
            do_publish(tx, caller.id, by)


def _do_copy(tx: Tx, held: Version) -> Version:
    """A draft of the same file."""
    id_ = uuid7(tx.now)
    do_create_draft(
        tx,
        id_,
        held.file,
        process_id=held.process_id,
        module=held.module,
        record_type=held.record_type,
        origin=held.origin,
        author_id=None,
    )
    made = load_row(tx, id_)
    assert made is not None
    return made


def _do_retire_others(tx: Tx, process_id: str, id_: str) -> None:
    for row in tx.raw.execute(
        "SELECT id FROM process WHERE process_id = ? AND state = ? AND id <> ?", (process_id, PUBLISHED, id_)
    ).fetchall():
        do_retire(tx, row[0], None)


def _next_number(tx: Tx, process_id: str) -> int:
    row = tx.raw.execute("SELECT max(version) FROM process WHERE process_id = ?", (process_id,)).fetchone()
    return int(row[0] or 0) + 1


def _do_forget_files(tx: Tx, shas: Iterable[str]) -> None:
    """Drop files that no version and no draft is made of."""
    tx.raw.executemany(
        "DELETE FROM process_file WHERE sha = ? AND NOT EXISTS (SELECT 1 FROM process WHERE process.file = process_file.sha)"
        " AND NOT EXISTS (SELECT 1 FROM process, json_each(process.called) AS c WHERE c.value = process_file.sha)",
        [(one,) for one in shas],
    )
