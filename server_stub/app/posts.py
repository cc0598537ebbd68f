"""Departments and identities as an administrator names them: a name, a path such as 局/办公室, or an id, and the post after a `=`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, PERSON, Identity
from server_stub.records.store import Record, load_record, load_records_of_type

MAX_POST: Final = 100
_ABOVE: Final = 32  # steps up a tree that is at most half as deep


class PostUnknown(ValueError):
    """A department or identity that cannot be found; the text says why."""


def find_department(conn: sa.Connection, wanted: str) -> str:
    """The id of the one department that is meant.

    An id or the whole path from the root is always exact; a name, or the end of a path, must fit one department only.

    Raises:
        PostUnknown: none, or several.
    """
    known = {record.id: record for record in load_records_of_type(conn, DEPARTMENT)}
    if wanted in known:
        return wanted
    paths = {id_: _path(known, id_) for id_ in known}
    found = [id_ for id_, path in paths.items() if path == wanted]
    found = found or [id_ for id_, path in paths.items() if path.endswith(f"/{wanted}")]
    if len(found) != 1:
        several = "; ".join(sorted(paths[id_] for id_ in found)[:5])
        raise PostUnknown(
            f"{len(found)} departments are called {wanted[:64]!r} ({several}); name one by its whole path or its id"
            if found
            else f"there is no department {wanted[:64]!r}"
        )
    return found[0]


def department_path(conn: sa.Connection, department_id: str) -> str:
    """The names from the root down, joined by slashes."""
    return _path({record.id: record for record in load_records_of_type(conn, DEPARTMENT)}, department_id)


def identities_of(
    conn: sa.Connection, posts: Sequence[str], primary: int | None, person_id: str | None = None
) -> list[Identity]:
    """Identities in the order given, each as `DEPARTMENT[=POST]`.

    Args:
        primary: which is the primary one, counted from 1; None: the first.
        person_id: who has identities already: those in the same departments keep their place among the colleagues.

    Raises:
        PostUnknown: a department that is not there or not unique, a post twice, a primary one that is none.
    """
    chosen = 1 if primary is None else primary
    if posts and not 1 <= chosen <= len(posts):
        raise PostUnknown(f"--primary is a number from 1 to {len(posts)}")
    if primary is not None and not posts:
        raise PostUnknown("--primary needs an identity")
    orders = _orders(conn, person_id)
    found: list[Identity] = []
    for number, text in enumerate(posts, 1):
        department, _, post = text.partition("=")
        if len(post) > MAX_POST or not post.isprintable():
            raise PostUnknown(f"a post has at most {MAX_POST} visible characters")
        department_id = find_department(conn, department.strip())
        found.append(Identity(department_id, post.strip(), number == chosen, orders.get(department_id, 0)))
    if len({(one.department_id, one.post) for one in found}) < len(found):
        raise PostUnknown("the same identity stands there twice")
    return found


def _orders(conn: sa.Connection, person_id: str | None) -> dict[str, int]:
    person = None if person_id is None else load_record(conn, person_id, type_name=PERSON)
    return {} if person is None else {one["departmentId"]: one["order"] for one in person.data["identities"]}


def _path(known: Mapping[str, Record], department_id: str) -> str:
    names: list[str] = []
    current: str | None = department_id
    while current is not None and current in known and len(names) < _ABOVE:
        names.append(str(known[current].data["name"]))
        current = known[current].data.get("parentId")
    return "/".join(reversed(names))
