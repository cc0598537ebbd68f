"""Who acts at a step: the words of its performers as people, with those who stand in for the absent; never nobody (docs/processes.md)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.modules.engine.access import Lookup, audience_keys
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.processes.delegations import stand_in
from server_stub.modules.engine.scopes import people_in
from server_stub.records.store import Record, load_record, load_records
from server_stub.storage.database import Tx
from server_stub.workflow.options import StepOptions

LAST_RESORT: Final = "role:admin"
MAX_CHAIN: Final = 16


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What performers look at of a case.

    Attributes:
        starter_id: who started it.
        department_id: the starter's department as it was then; None: the starter had none.
        module: of the record; delegations may be for some modules only.
        previous: who acted at the step just done (all of a many-step); before the first step: the starter.
        handled: step id → the people who acted there when it was passed last, in the order in which they acted.
    """

    starter_id: str
    department_id: str | None
    module: str
    previous: tuple[str, ...] = ()
    handled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who has a step.

    Attributes:
        person_ids: active people, each once, in the order of the words; a delegate stands in the place of the absent person.
        on_behalf: delegate → the (first) person they act for; only delegates who have the step for no reason of their own.
        delegated: every (absent person, delegate), so that both names stay on the record even where the delegate has the step anyway.
        fallback_used: the step's own words found nobody: an administrator should look at it.
    """

    person_ids: tuple[str, ...]
    on_behalf: Mapping[str, str] = field(default_factory=dict)
    delegated: tuple[tuple[str, str], ...] = ()
    fallback_used: bool = False


RuleAsker = Callable[[str], Collection[str]]
"""`rule:<function>` → ids of people: Rules.performers with the transaction, case and record bound."""


def resolve(
    tx: Tx,
    context: OfficeContext,
    options: StepOptions,
    case: CaseFacts,
    record: Record,
    chosen: Sequence[str] | None = None,
    rule: RuleAsker | None = None,
) -> Resolution:
    """The people of a step. Deactivated people are passed over, whoever is named twice is there once.

    Nobody found by `performers`: those of `fallback`, then administrators, then the starter, then anybody active: only an office
    without one active person gives nobody.

    Args:
        chosen: whom the handler of an earlier step picked for this one: what the word `chosen` means.
        rule: answers `rule:<function>`; None: such words find nobody.
    """
    words = _Words(tx, context, case, record, tuple(chosen or ()), rule)
    found = words.people(options.performers)
    fallback = not found
    for instead in (options.fallback, (LAST_RESORT,), ("starter",)):
        found = found or words.people(instead)
    named = found or _anybody(tx)
    return _with_delegates(tx, case, named, fallback)


def active_people(tx: Tx, person_ids: Iterable[str]) -> list[str]:
    """Those of these ids that are active people, each once, in their order."""
    wanted = list(dict.fromkeys(person_ids))
    people = load_records(tx.conn, wanted, type_name=PERSON)
    return [one for one in wanted if one in people and people[one].data.get("active")]


# ---------------------------------------------------------------- words


class _Words:
    """The words of one step of one case."""

    def __init__(
        self,
        tx: Tx,
        context: OfficeContext,
        case: CaseFacts,
        record: Record,
        chosen: tuple[str, ...],
        rule: RuleAsker | None,
    ) -> None:
        self._tx, self._case, self._record = tx, case, record
        self._chosen, self._rule = chosen, rule
        self._definition: TypeDefinition | None = context.types.get(record.type)
        self._lookup = Lookup(tx.conn, context.types)

    def people(self, words: Iterable[str]) -> list[str]:
        return active_people(self._tx, (one for word in words for one in self._named(word)))

    def _named(self, performer: str) -> Sequence[str]:
        word, _, rest = performer.partition(":")
        case = self._case
        meanings: Mapping[str, Callable[[], Sequence[str]]] = {
            "starter": lambda: (case.starter_id,),
            "superior": lambda: self._superiors(1),
            "superiorChain": lambda: self._superiors(int(rest)),
            "departmentHead": self._department_head,
            "previous": lambda: case.previous,
            "chosen": lambda: self._chosen,
            "of": lambda: case.handled.get(rest, ()),
            "rule": lambda: () if self._rule is None else tuple(self._rule(rest)),
            "role": lambda: sorted(people_in(self._tx, [("role", rest)])),
            "person": lambda: _person_named(self._tx, rest),
            "post": lambda: _post_holders(self._tx, rest),
            "field": lambda: self._field_people(rest),
            "head": lambda: [one for one in map(self._lookup.head, self._departments(rest)) if one is not None],
        }
        return meanings[word]() if word in meanings else ()

    def _superiors(self, levels: int) -> list[str]:
        """The starter's superior, that one's superior, …; a circle ends where it closes."""
        chain: list[str] = []
        current: str | None = self._case.starter_id
        while current is not None and len(chain) < min(levels, MAX_CHAIN):
            current = self._lookup.superior(current)
            if current is None or current in chain or current == self._case.starter_id:
                break
            chain.append(current)
        return chain

    def _department_head(self) -> list[str]:
        """The head of the starter's department then; for a head's own matters that of the next department above which is somebody else."""
        department_id = self._case.department_id
        seen: set[str] = set()
        while department_id is not None and department_id not in seen:
            seen.add(department_id)
            head = self._lookup.head(department_id)
            if head != self._case.starter_id:
                return [] if head is None else [head]
            record = load_record(self._tx.conn, department_id, type_name=DEPARTMENT)
            department_id = None if record is None else record.data.get("parentId")
        return []

    # ------------------------------------------------------------ fields

    def _field_people(self, path: str) -> list[str]:
        people: list[str] = []
        for kind, value in self._values(path):
            if kind in (FieldKind.PERSON, FieldKind.PERSONS):
                people += _texts(value)
            elif kind in (FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS):
                people += sorted(people_in(self._tx, [("department", one) for one in _texts(value)]))
            elif kind is FieldKind.AUDIENCE:
                people += sorted(people_in(self._tx, audience_keys(value)))
        return people

    def _departments(self, path: str) -> list[str]:
        kinds = (FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS)
        return [one for kind, value in self._values(path) if kind in kinds for one in _texts(value)]

    def _values(self, path: str) -> list[tuple[FieldKind, Any]]:
        """Every value at the end of a path, with its kind: through references, lines and objects."""
        if self._definition is None:
            return []
        return self._follow(self._definition, self._definition.every_field, self._record.data, path.split("."))

    def _follow(
        self, type_: TypeDefinition, fields: Sequence[Field], data: Mapping[str, Any], path: Sequence[str]
    ) -> list[tuple[FieldKind, Any]]:
        found = next((one for one in fields if one.name == path[0]), None)
        value = None if found is None else data.get(found.name)
        if found is None or value is None:
            return []
        if len(path) == 1:
            return [(found.kind, value)]
        if found.fields:
            rows = value if isinstance(value, list) else [value]
            inner = (self._follow(type_, found.fields, row, path[1:]) for row in rows if isinstance(row, Mapping))
        else:
            records = (self._lookup.referred(found.target, one) for one in _texts(value))
            inner = (self._follow(one[0], one[0].every_field, one[1].data, path[1:]) for one in records if one)
        return [pair for pairs in inner for pair in pairs]


# ---------------------------------------------------------------- the directory


def _person_named(tx: Tx, name: str) -> list[str]:
    """A person by id or login."""
    if load_record(tx.conn, name, type_name=PERSON) is not None:
        return [name]
    rows = tx.raw.execute(
        "SELECT id FROM record WHERE type = ? AND json_extract(data, '$.login') = ? ORDER BY created_at, id",
        (PERSON, name),
    )
    return [row[0] for row in rows]


def _post_holders(tx: Tx, text: str) -> list[str]:
    """Who has a post, by `order` in the department: `主任`, or `办公室/主任` in departments of that name (or id)."""
    department, slash, post = text.rpartition("/")
    rows = tx.raw.execute(
        "SELECT r.id, json_extract(d.data, '$.name'), d.id FROM record AS r, json_each(r.data, '$.identities') AS i"
        " LEFT JOIN record AS d ON d.id = json_extract(i.value, '$.departmentId')"
        " WHERE r.type = ? AND json_extract(i.value, '$.post') = ?"
        " ORDER BY coalesce(json_extract(i.value, '$.order'), 0), r.created_at, r.id",
        (PERSON, post if slash else text),
    )
    return [row[0] for row in rows if not slash or department.strip() in (row[1], row[2])]


def _anybody(tx: Tx) -> list[str]:
    row = tx.raw.execute(
        "SELECT id FROM record WHERE type = ? AND json_extract(data, '$.active') ORDER BY created_at, id LIMIT 1",
        (PERSON,),
    ).fetchone()
    return [] if row is None else [row[0]]


def _with_delegates(tx: Tx, case: CaseFacts, named: Sequence[str], fallback: bool) -> Resolution:
    """Put those who stand in in the places of the absent. Nobody stands in for the starter, nor decides on his own matter that way."""
    acting: list[str] = []
    delegated: list[tuple[str, str]] = []
    for person_id in named:
        delegate = person_id if person_id == case.starter_id else stand_in(tx, person_id, case.module)
        if delegate not in (person_id, case.starter_id):
            delegated.append((person_id, delegate))
            acting.append(delegate)
        else:
            acting.append(person_id)
    own = set(named) - {absent for absent, _ in delegated}
    on_behalf: dict[str, str] = {}
    for absent, delegate in delegated:
        if delegate not in own:
            on_behalf.setdefault(delegate, absent)
    return Resolution(tuple(dict.fromkeys(acting)), on_behalf, tuple(delegated), fallback)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str) and one]
