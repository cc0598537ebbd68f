"""Who acts: made by accounts from a proven token, handed down unchanged."""

from dataclasses import dataclass, field
from typing import Final

ADMIN_ROLE: Final = "admin"
READ_SCOPE: Final = "read"
WRITE_SCOPE: Final = "write"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, or a program with an integration token.

    Attributes:
        person_id: also the id of the person's one account.
        roles: roles of all identities, such as `admin`, `publisher`, `librarian`.
        department_ids: departments of all identities, the primary one first; without their parents.
        device_id: the device the access token is bound to; None for a program.
        scopes: what an integration token may do (`read`, `write`, …); None: everything the person may.
    """

    person_id: str
    roles: frozenset[str] = field(default_factory=frozenset)
    department_ids: tuple[str, ...] = ()
    device_id: str | None = None
    scopes: frozenset[str] | None = None

    @property
    def is_admin(self) -> bool:
        """Whether one of the identities administers the server."""
        return ADMIN_ROLE in self.roles

    def may(self, scope: str) -> bool:
        """Whether the token (not the person's rights) allows this kind of access."""
        return self.scopes is None or scope in self.scopes
