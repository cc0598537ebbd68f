"""People and departments."""

import msgspec


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """One post of a person in one department."""

    department_id: str
    post: str = ""
    primary: bool = False
    order: int = 0


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """A colleague. `mobile` may be masked by the server."""

    id: str
    name: str
    pinyin: str = ""
    initials: str = ""
    login: str = ""
    sex: str | None = None
    identities: tuple[Identity, ...] = ()
    roles: tuple[str, ...] = ()
    superior_id: str | None = None
    office_phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    room: str | None = None
    signature: str | None = None
    active: bool = True

    @property
    def primary(self) -> Identity | None:
        """The main identity, else the first, else none."""
        return next((i for i in self.identities if i.primary), self.identities[0] if self.identities else None)


class Department(msgspec.Struct, frozen=True, rename="camel"):
    """A node of the organization tree; siblings stand by `order`."""

    id: str
    name: str
    parent_id: str | None = None
    order: int = 0
    head_id: str | None = None
