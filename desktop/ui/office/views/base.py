"""What every view of records stands on: the context (definitions, names, words of cells) and the base class with its signals.

A view module registers its class by kind; `create_view` loads the module when the first view of that kind is wanted.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, Final, Protocol, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.core.clock import utc_date
from desktop.core.domain import Person
from desktop.core.domain.conditions import BadFilter, Facts, matches, resolve
from desktop.core.domain.definition import (
    Choice,
    Field,
    FieldKind,
    Label,
    ModuleDefinition,
    TypeDefinition,
    View,
)
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event
from desktop.models.contacts import Organization
from desktop.models.record_form import zone_minutes
from desktop.models.records_verbs import RecordsVerbs
from desktop.models.verbs import ChatVerbs
from desktop.ui import i18n
from desktop.ui.background import in_background
from desktop.ui.i18n import Language, tr
from desktop.ui.office.ports import OfficeSession
from desktop.ui.office.views.cells import Words, cell_text
from desktop.ui.reader.marks import AnnotationVerbs
from desktop.ui.tasks import TaskOwner, alive

GATHER_MS: Final = 40
"""Changes and unknown titles come in runs; each is read once for a run."""
STATE: Final = "state"
CREATED, UPDATED, AUTHOR = "createdAt", "updatedAt", "authorId"
ENVELOPE: Final = (CREATED, UPDATED, AUTHOR)
"""Fields every record has; they may stand as columns and in filters."""


class RecordsSession(OfficeSession, Protocol):
    """A signed-in session as the record screens see it."""

    @property
    def records(self) -> RecordsVerbs: ...
    @property
    def annotations(self) -> AnnotationVerbs: ...
    @property
    def chat(self) -> ChatVerbs: ...


class ViewContext(QObject):
    """What views and forms of one module share. Made once for a module page; `load()` before the first view.

    Names and titles are answered from memory: one that is not known yet is fetched, `names_changed` tells when to paint again.

    Signals:
        names_changed: people, departments or titles of references became known or changed.
        definition_changed: the module has other types, fields or views now.
    """

    names_changed = Signal()
    definition_changed = Signal()

    def __init__(
        self, session: RecordsSession, module_id: str, now_ms: Callable[[], int], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session, self.module_id, self.now_ms = session, module_id, now_ms
        self.records: RecordsVerbs = session.records
        self.organization = Organization()
        self.modules: tuple[ModuleDefinition, ...] = ()
        self._types: dict[str, TypeDefinition] = {}
        self._names: dict[str, str] = {}
        self._titles: dict[tuple[str, str], str] = {}
        self._wanted: dict[str, set[str]] = {}
        self.tasks = TaskOwner(self)
        self._stale = {"definitions", "organization"}
        self._timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._timer.timeout.connect(self._refresh)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)
        i18n.changed.connect(self._forget_titles)

    def _forget_titles(self) -> None:
        """Titles may hold words of choices: they are read again in the other language."""
        for type_name, record_id in self._titles:
            self._wanted.setdefault(type_name, set()).add(record_id)
        if self._titles:
            self._timer.start(GATHER_MS)

    # ---- who and what
    @property
    def me(self) -> Person:
        """The user."""
        return self.session.me

    @property
    def language(self) -> Language:
        """zh or en."""
        return i18n.language()

    @property
    def module(self) -> ModuleDefinition | None:
        """The module of this page; None while it is not read or was taken away."""
        return next((module for module in self.modules if module.id == self.module_id), None)

    def type_of(self, type_name: str) -> TypeDefinition | None:
        """A type of any module."""
        return self._types.get(type_name)

    def field_of(self, type_name: str, field_name: str) -> Field | None:
        """A field of a type; also `state` and those of the envelope, which the definition does not list."""
        definition = self._types.get(type_name)
        return None if definition is None else field_of(definition, field_name)

    def label(self, label: Label) -> str:
        """The words of a label in the language in use."""
        return label.text(self.language)

    # ---- names
    def name_of(self, key: str | None) -> str:
        """A person's or department's name; empty when unknown here."""
        return self._names.get(key or "", "")

    def title_of(self, type_name: str, record_id: str) -> str:
        """What a referenced record is called; empty until it was read, `names_changed` follows."""
        known = self._titles.get((type_name, record_id))
        if known is None and record_id not in self._wanted.setdefault(type_name, set()):
            self._wanted[type_name].add(record_id)
            self._timer.start(0)  # one painting asks for all it lacks
        return known or ""

    def title(self, record: Record) -> str:
        """What the record is called in lists and links; "…" stands for nothing yet."""
        definition = self._types.get(record.type)
        if definition is None:
            return record.id
        names = definition.title or tuple(f.name for f in definition.fields if f.kind is FieldKind.TEXT)[:1]
        parts = [self.text(record, name) for name in names]
        return " · ".join(part for part in parts if part) or self.label(definition.label)

    # ---- cells
    def value(self, record: Record, field_name: str) -> Any:
        """The wire value of a field, of the envelope too; None where there is none."""
        return value_of(record, field_name)

    def cell_text(self, field: Field, value: Any) -> str:
        """The words of a value as a cell shows them; empty for nothing."""
        words = Words(self.language, self.name_of, self.title_of)
        return cell_text(field, value, words)

    def text(self, record: Record, field_name: str) -> str:
        """The words of a field of a record."""
        field = self.field_of(record.type, field_name)
        if field is None or not self.belongs(field, record):
            return ""
        return self.cell_text(field, value_of(record, field_name))

    def belongs(self, field: Field, record: Record) -> bool:
        """Whether the field's `when` holds for the record: the distance of a car that has not come back is none, not 0."""
        if field.when is None:
            return True
        me, now = self.me, self.now_ms()
        facts = Facts(me.id, tuple(one.department_id for one in me.identities), now, zone_minutes(now))
        try:
            return matches(resolve(field.when, facts), record.data)
        except BadFilter:
            return True  # a condition of a newer version: better shown than lost

    def choice_color(self, field: Field, value: Any) -> str:
        """The tone of a choice's chip: neutral, accent, green, amber or red."""
        return next((choice.color for choice in field.choices if choice.value == value), "neutral")

    # ---- reading
    async def load(self) -> None:
        """Reads definitions and names. Raises AppError."""
        await self._read()

    def _on_event(self, event: Event) -> None:
        match event:
            case ChangeSet(type_name="ModuleDefinition"):
                self._stale.add("definitions")
            case ChangeSet(type_name="Person" | "Department"):
                self._stale.add("organization")
            case ChangeSet(type_name=name) if any(key[0] == name for key in self._titles):
                touched = {(name, key) for key in (*event.upserts, *event.removed)} & self._titles.keys()
                self._wanted.setdefault(name, set()).update(key for _, key in touched)
            case _:
                return
        if (self._stale or any(self._wanted.values())) and not self._timer.isActive():
            self._timer.start(GATHER_MS)

    def _refresh(self) -> None:
        if not self.tasks.running("context"):
            self.tasks.start(self._read_quietly(), name="context")

    async def _read_quietly(self) -> None:
        try:
            await self._read()
        except AppError:
            return  # what is shown stays; the next change reads again

    async def _read(self) -> None:
        while self._stale or any(self._wanted.values()):
            if "definitions" in self._stale:
                await self._read_definitions()
            elif "organization" in self._stale:
                await self._read_organization()
            else:
                await self._read_titles()
            if not alive(self):
                return

    async def _read_definitions(self) -> None:
        modules = tuple(await self.records.modules())
        self._stale.discard("definitions")
        if modules == self.modules or not alive(self):
            return
        self.modules = modules
        self._types = {one.name: one for module in modules for one in module.types}
        self.definition_changed.emit()

    async def _read_organization(self) -> None:
        departments = await self.session.directory.departments()
        people = await self.session.directory.people()
        self._stale.discard("organization")
        made = await in_background(Organization, departments, people)
        if alive(self):
            self.organization = made
            self._names = {d.id: d.name for d in departments} | {p.id: p.name for p in people}
            self.names_changed.emit()

    async def _read_titles(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for type_name, ids in wanted.items():
            found = await self.records.titles(type_name, sorted(ids), self.language)
            self._titles |= {(type_name, key): found.get(key, "") for key in ids}
        if alive(self):
            self.names_changed.emit()


def value_of(record: Record, field_name: str) -> Any:
    """The wire value of a field, of the envelope too; None where there is none."""
    match field_name:
        case "createdAt":
            return utc_date(record.created_at)
        case "updatedAt":
            return utc_date(record.updated_at)
        case "authorId":
            return record.author_id
        case "id":
            return record.id
    return record.data.get(field_name)


def field_of(definition: TypeDefinition, field_name: str) -> Field | None:
    """A field of the type; `state` and the envelope's are made up, `a.b` is a field of an object or of lines."""
    head, _, rest = field_name.partition(".")
    found = next((field for field in definition.fields if field.name == head), None)
    if found is not None and rest:
        return next((field for field in found.fields if field.name == rest), None)
    if found is not None:
        return found
    match field_name:
        case "state" if definition.states:
            choices = tuple(Choice(value=s.value, label=s.label, color=s.color) for s in definition.states)
            return Field(name=STATE, kind=FieldKind.CHOICE, label=_both("office_module.state"), choices=choices)
        case "createdAt" | "updatedAt":
            return Field(name=field_name, kind=FieldKind.DATETIME, label=_both(f"office_module.{field_name}"))
        case "authorId":
            return Field(name=AUTHOR, kind=FieldKind.PERSON, label=_both("office_module.authorId"))
        case "handlerIds" | "participantIds" if definition.process is not None:
            return Field(name=field_name, kind=FieldKind.PERSONS, label=_both(f"office_module.{field_name}"))
    return None


def _both(key: str) -> Label:
    words = i18n.catalog()[key]
    return Label(zh=words["zh"], en=words["en"])


class RecordView(QWidget):
    """One tab over records. Sub-classes read with `self.context.records.page`, `self.wanted()` says which records.

    Signals:
        opened: the id of a record of the view's type to show beside it.
        new_asked: values a new record starts with.
        patch_asked: a Record and the patch a gesture meant (a card moved, a bar dragged).
        action_asked: a Record and the name of the action a gesture meant, which asks for more before it is done.
        file_asked: an Attachment of a record to open in the reader.
        selection_changed: ids of the records chosen.
        link_asked: a record of another type, or a colleague (type, id).
        make_asked: a record to be made from the one shown (type, what its form begins with).
    """

    opened = Signal(str)
    new_asked = Signal(dict)
    patch_asked = Signal(object, dict)
    action_asked = Signal(object, str)
    file_asked = Signal(object)
    selection_changed = Signal(list)
    link_asked = Signal(str, str)
    make_asked = Signal(str, object)

    def __init__(self, context: ViewContext, view: View, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.view = context, view
        self.setObjectName(f"view_{view.id}")
        self.tasks = TaskOwner(self)
        self.needle = ""
        self.narrowed: dict[str, Any] | None = None
        self._reload_timer = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._reload_timer.timeout.connect(self.reload)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)
        context.names_changed.connect(self.on_names)
        i18n.changed.connect(self.on_names)

    # ---- for the page
    def set_text(self, text: str) -> None:
        """Narrows to the records that have these words."""
        if text != self.needle:
            self.needle = text
            self.reload()

    def set_filter(self, condition: dict[str, Any] | None) -> None:
        """Narrows further than the view's own filter does; None lifts it."""
        if condition != self.narrowed:
            self.narrowed = condition
            self.reload()

    def reload(self) -> None:
        """Reads again what is shown; keeps place and selection."""
        raise NotImplementedError

    def show_record(self, record_id: str) -> None:
        """Marks a record as the one shown beside the view, and scrolls to it where it is in it."""
        raise NotImplementedError

    def open_here(self, type_name: str, record_id: str) -> bool:
        """Shows a record as a whole in the view itself; False where it can't, and the pane beside it does."""
        del type_name, record_id
        return False

    def on_names(self) -> None:
        """Names, titles or the language changed: paint again."""
        self.update()

    # ---- for sub-classes
    def label_of(self, field: Field) -> str:
        """What a field is called in this view."""
        return self.context.label(self.view.labels.get(field.name, field.label))

    def wanted(self, more: dict[str, Any] | None = None) -> dict[str, Any] | None:
        """The filter of a query: the view's own, the user's, and `more`. The needle goes as `text` of the query."""
        return all_of((self.view.filter, self.narrowed, more))

    def watched_types(self) -> frozenset[str]:
        """Types whose changes make this view read again."""
        return frozenset({self.view.type})

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ChangeSet) and event.type_name in self.watched_types() and alive(self):
            self._reload_timer.start()


def all_of(conditions: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """One filter that asks for all of them; None for none."""
    held = [condition for condition in conditions if condition]
    if len(held) < 2:
        return held[0] if held else None
    return {"operator": "AND", "conditions": held}


ViewClass = TypeVar("ViewClass", bound=type[RecordView])
_VIEWS: dict[str, type[RecordView]] = {}
KINDS: Final = ("table", "calendar", "timeline", "board", "tree", "feed", "reader", "chart", "form", "desk")
PLACES: Final = {
    "form": "desktop.ui.office.frame.form_view",
    "reader": "desktop.ui.office.reading.reader",
    "chart": "desktop.ui.office.reports.chart",
    "desk": "desktop.ui.office.process.desk",
}
"""Views that stand on more than the views do: the record's own pane, workbooks."""


def register(kind: str) -> Callable[[ViewClass], ViewClass]:
    """Makes a class the view of a kind."""

    def keep(made: ViewClass) -> ViewClass:
        _VIEWS[kind] = made
        return made

    return keep


def create_view(context: ViewContext, view: View, parent: QWidget | None = None) -> RecordView:
    """The view of a tab. A kind that this program does not know is shown as a table: the definition may come from a newer one."""
    kind = str(view.kind) if str(view.kind) in KINDS else "table"
    load_kind(kind)
    return _VIEWS[kind](context, view, parent)


def load_kind(kind: str) -> bool:
    """Loads the code of a kind of view; False: it was loaded already, or there is no such kind."""
    if kind in _VIEWS or kind not in KINDS:
        return False
    importlib.import_module(PLACES.get(kind, f"desktop.ui.office.views.{kind}"))
    return True


def view_label(context: ViewContext, view: View) -> str:
    """The words of a tab."""
    return context.label(view.label) or tr("office_module.view")
