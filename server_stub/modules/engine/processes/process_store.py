"""Processes in the database: files by sha256, versions by number, drafts. At most one version of a process is published: new cases start on it.

A version is a file with all it calls, as they were when it was published. Running cases stay on theirs (docs/processes.md, People and versions).
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.process_tables import process_file
from server_stub.modules.engine.scopes import do_touch_for
from server_stub.records.visibility import scope_id
from server_stub.storage.database import Tx
from server_stub.workflow.process_file import ProcessFile

PROCESS: Final = "Process"
DRAFT: Final = "draft"
PUBLISHED: Final = "published"
RETIRED: Final = "retired"
FOLDER: Final = "folder"
OFFICE: Final = "office"
_COLUMNS: Final = "id, process_id, version, state, origin, module, record_type, sha, file, called"
_KEPT: Final = 512


@dataclass(frozen=True, slots=True)
class StoredProcess:
    """One version of a process, ready for the machine.

    Attributes:
        sha: names the file with everything it calls: what a case remembers.
        version: 1, 2, … within the process; 0 where a draft is tried out.
        called: process id → file for call activities, to any depth, as they were when this version was published.
    """

    sha: str
    process_id: str
    version: int
    file: ProcessFile
    called: Mapping[str, ProcessFile]


@dataclass(frozen=True, slots=True)
class Version:
    """A row: a version, or a draft (`version` None). `called`: process id → sha of the file."""

    id: str
    process_id: str
    version: int | None
    state: str
    origin: str
    module: str
    record_type: str
    sha: str
    file: str
    called: Mapping[str, str]


# ---------------------------------------------------------------- for cases


def load_current(tx: Tx, process_id: str) -> StoredProcess | None:
    """The published version, on which new cases start; None: there is none."""
    held = current_version(tx, process_id)
    return None if held is None else to_stored(tx, held)


def load(tx: Tx, sha: str) -> StoredProcess:
    """The version that a case remembers.

    Raises:
        KeyError: there is no such version; never for a case, as versions are kept.
    """
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE sha = ? AND version IS NOT NULL ORDER BY version DESC LIMIT 1", (sha,)
    ).fetchone()
    if row is None:
        raise KeyError(sha)
    return to_stored(tx, _to_version(row))


def load_version(tx: Tx, process_id: str, version: int) -> StoredProcess | None:
    """The version of this number, None when there is none."""
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE process_id = ? AND version = ?", (process_id, version)
    ).fetchone()
    return None if row is None else to_stored(tx, _to_version(row))


def do_count_cases(tx: Tx, sha: str) -> None:
    """Cases started on, moved to or left a version: administrators see another Process.runningCases."""
    scopes = [scope_id(tx, "role", one) for one in sorted(ADMIN_ROLES)]
    for (id_,) in tx.raw.execute("SELECT id FROM process WHERE sha = ? AND version IS NOT NULL", (sha,)).fetchall():
        do_touch_for(tx, id_, scopes)


# ---------------------------------------------------------------- rows


def load_row(tx: Tx, id_: str) -> Version | None:
    """A version or draft by the id of its Process object."""
    row = tx.raw.execute(f"SELECT {_COLUMNS} FROM process WHERE id = ?", (id_,)).fetchone()
    return None if row is None else _to_version(row)


def current_version(tx: Tx, process_id: str) -> Version | None:
    """The published version of a process."""
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE process_id = ? AND state = ?", (process_id, PUBLISHED)
    ).fetchone()
    return None if row is None else _to_version(row)


def published_versions(tx: Tx) -> list[Version]:
    """The published version of every process that has one."""
    rows = tx.raw.execute(f"SELECT {_COLUMNS} FROM process WHERE state = ? ORDER BY process_id", (PUBLISHED,))
    return [_to_version(row) for row in rows]


def published_ids(conn: sa.Connection) -> frozenset[str]:
    """The processes administrators have made, drafts among them."""
    rows = conn.exec_driver_sql("SELECT DISTINCT process_id FROM process WHERE origin = ?", (OFFICE,))
    return frozenset(row[0] for row in rows)


def last_from_folder(tx: Tx, process_id: str) -> Version | None:
    """What a module's folder said last of a process."""
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE process_id = ? AND origin = ? ORDER BY created_at DESC, id DESC LIMIT 1",
        (process_id, FOLDER),
    ).fetchone()
    return None if row is None else _to_version(row)


def last_retired_by(tx: Tx, process_id: str) -> str | None:
    """The administrator who retired the version that was published last; None: the server did."""
    row = tx.raw.execute(
        "SELECT retired_by FROM process WHERE process_id = ? AND state = ? ORDER BY updated_at DESC, version DESC LIMIT 1",
        (process_id, RETIRED),
    ).fetchone()
    return None if row is None else row[0]


def version_of_file(tx: Tx, process_id: str, file: str) -> Version | None:
    """The newest version that a file of this sha is."""
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE process_id = ? AND file = ? AND version IS NOT NULL ORDER BY version DESC LIMIT 1",
        (process_id, file),
    ).fetchone()
    return None if row is None else _to_version(row)


def version_of_sha(tx: Tx, process_id: str, sha: str) -> Version | None:
    """The version with this sha of a file with all it calls."""
    row = tx.raw.execute(
        f"SELECT {_COLUMNS} FROM process WHERE process_id = ? AND sha = ? AND version IS NOT NULL", (process_id, sha)
    ).fetchone()
    return None if row is None else _to_version(row)


def to_stored(tx: Tx, held: Version) -> StoredProcess:
    """A row with its files."""
    called = {process_id: load_file(tx, sha) for process_id, sha in held.called.items()}
    return StoredProcess(held.sha, held.process_id, held.version or 0, load_file(tx, held.file), called)


# ---------------------------------------------------------------- files


def file_sha(file: ProcessFile) -> str:
    """The address of a file: of what runs, not of what was noted on the way."""
    parts = msgspec.structs.asdict(msgspec.structs.replace(file, notes=()))
    if not file.labels:
        del parts["labels"]  # as files without any were always named
    return hashlib.sha256(msgspec.msgpack.encode(parts)).hexdigest()


def do_keep_file(tx: Tx, file: ProcessFile, source: bytes) -> str:
    """Keep a file that was read, with what it was read from; gives its sha."""
    sha = file_sha(file)
    tx.raw.execute(
        "INSERT INTO process_file(sha, process_id, source, file) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (sha, file.id, source, msgspec.msgpack.encode(file)),
    )
    return sha


def load_file(tx: Tx, sha: str) -> ProcessFile:
    """A kept file. Raises KeyError."""
    held = _decoded.get(sha)
    if held is None:
        row = tx.raw.execute("SELECT file FROM process_file WHERE sha = ?", (sha,)).fetchone()
        if row is None:
            raise KeyError(sha)
        held = remember_file(sha, row[0])
    return held


def remember_file(sha: str, data: bytes) -> ProcessFile:
    """Decode a file once; what lies under a sha never changes."""
    held = _decoded.get(sha)
    if held is None:
        if len(_decoded) >= _KEPT:
            _decoded.clear()
        held = _decoded[sha] = msgspec.msgpack.decode(data, type=ProcessFile)
    return held


_decoded: Final[dict[str, ProcessFile]] = {}


def load_source(tx: Tx, sha: str) -> bytes:
    """The .bpmn a file was read from."""
    row = tx.raw.execute(f"SELECT source FROM {process_file.name} WHERE sha = ?", (sha,)).fetchone()
    return b"" if row is None else bytes(row[0])


@functools.lru_cache(maxsize=_KEPT)
def _called(text: str) -> Mapping[str, str]:
    made: dict[str, str] = msgspec.json.decode(text)
    return made


def _to_version(row: Any) -> Version:
    id_, process_id, version, state, origin, module, record_type, sha, file, called = row
    return Version(id_, process_id, version, state, origin, module, record_type, sha, file, _called(called))
