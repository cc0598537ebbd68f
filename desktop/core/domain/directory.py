"""People and departments, and how well one fits what somebody types: name, pinyin, initials, the end of a number."""

from collections.abc import Callable, Iterable

import msgspec


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """One post of a person in one department."""

    department_id: str
    post: str = ""
    primary: bool = False
    order: int = 0


class Person(msgspec.Struct, frozen=True, rename="camel"):
    """A colleague. The server holds back what this user may not see: `hidden` names such fields with the level that keeps them.

    hides: fields that this user hides from other departments; visibility: the office's rules for this person, told to administrators.
    """

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
    hidden: dict[str, str] = {}
    hides: tuple[str, ...] = ()
    visibility: dict[str, str] = {}

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
    visibility: dict[str, str] = {}


def wanted_text(text: str) -> str:
    """What was typed, as `match_rank` compares it: no blanks, no case."""
    return "".join(text.split()).casefold()


def match_rank(person: Person, wanted: str, numbers: Iterable[str] = ()) -> int | None:
    """How well somebody fits `wanted` (of `wanted_text`): 0 is best, None: not at all. numbers: further ones, beside mobile and office phone."""
    name, pinyin = "".join(person.name.split()).casefold(), "".join(person.pinyin.split()).casefold()
    initials = "".join(person.initials.split()).casefold()
    checks: tuple[Callable[[], bool], ...] = (
        lambda: name == wanted,
        lambda: name.startswith(wanted),
        lambda: initials == wanted,
        lambda: pinyin.startswith(wanted) or initials.startswith(wanted),
        lambda: wanted in name,
        lambda: wanted in pinyin or person.login.casefold().startswith(wanted),
        lambda: (
            len(wanted) >= 3
            and wanted.isdigit()
            and _number_ends((person.mobile, person.office_phone, *numbers), wanted)
        ),
    )
    return next((rank for rank, check in enumerate(checks) if check()), None)


def _number_ends(numbers: Iterable[str | None], digits: str) -> bool:
    return any("".join(c for c in number if c.isdigit()).endswith(digits) for number in numbers if number)
