"""What narrows a search: who, where, what kind of message, when. A field proposes names as they are typed; Enter or a press takes one."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.core.domain import Conversation, Person
from desktop.core.domain.directory import match_rank, wanted_text
from desktop.core.domain.search import Facet
from desktop.models.search_filters import SPANS, Filters, day_span
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ComboBox, Folding, TextField, conversation_name
from desktop.ui.kit.hit_list import HITS, Hit, HitList

OWN_SPAN = "own"
_FACETS = ("", *(one.value for one in Facet))


class NameField(TextField):
    """A line that proposes names. `chosen`: the id that was taken, "" when the line was emptied."""

    chosen = Signal(str)

    def __init__(self, key: str, propose: Callable[[str], Iterable[Hit]], parent: QWidget | None = None) -> None:
        super().__init__(key=key, parent=parent)
        self._propose = propose
        self._hits = HitList(self)
        self._hits.picked.connect(self._take)
        self.textEdited.connect(self._on_edited)

    def show_name(self, name: str) -> None:
        """What is chosen now."""
        if self.text() != name and not self.hasFocus():
            self.setText(name)

    def _on_edited(self, text: str) -> None:
        if not text.strip():
            self._hits.hide()
            self.chosen.emit("")
            return
        self._hits.show_hits([hit for _, hit in zip(range(HITS), self._propose(text), strict=False)])

    def _take(self, hit: Hit) -> None:
        self.setText(hit.name)
        self.chosen.emit(hit.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._hits.handles(event):
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._hits.hide()


NARROWEST = 120


class FilterRow(QWidget):
    """Fields of all filters. `changed` comes with every choice; `filters` is what is chosen."""

    changed = Signal()

    def __init__(self, *, conversations: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.filters = Filters()
        self._people: list[Person] = []
        self._conversations: list[Conversation] = []
        self.person = NameField("search.filter.person", self._people_like, self)
        self.person.setObjectName("search.person")
        self.conversation = NameField("search.filter.conversation", self._conversations_like, self)
        self.conversation.setObjectName("search.conversation")
        self.facet = ComboBox(parent=self)
        self.facet.setObjectName("search.facet")
        self.span = ComboBox(parent=self)
        self.span.setObjectName("search.span")
        self.since = TextField(key="search.filter.since", parent=self)
        self.until = TextField(key="search.filter.until", parent=self)
        i18n.bind(self.facet.setAccessibleName, "search.filter.facet")
        i18n.bind(self.span.setAccessibleName, "search.filter.span")
        self.conversation.setVisible(conversations)
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        wide = [self.person, self.conversation, self.facet, self.span] if conversations else [self.person]
        for place, field in enumerate(wide):
            grid.addWidget(field, 0, place, 1, 1 if conversations else 2)
        if conversations:
            grid.addWidget(self.since, 1, 0)
            grid.addWidget(self.until, 1, 1)
        else:
            Folding(self, grid, self._stand)
        self._retranslate()
        self._bind()
        self._show_dates()

    def _stand(self, narrow: bool) -> None:
        """Beside a conversation: two in a line, or each in its own (`narrow`)."""
        for place, field in enumerate((self.facet, self.span, self.since, self.until)):
            line, column = (place, 0) if narrow else divmod(place, 2)
            self._grid.addWidget(field, 1 + line, column, 1, 2 if narrow else 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(NARROWEST), super().minimumSizeHint().height())

    def _bind(self) -> None:
        i18n.changed.connect(self._retranslate)
        self.person.chosen.connect(self._on_person)
        self.conversation.chosen.connect(self._on_conversation)
        self.facet.activated.connect(self._on_facet)
        self.span.activated.connect(self._on_span)
        for field in (self.since, self.until):
            field.editingFinished.connect(self._on_dates)

    def _retranslate(self) -> None:
        for box, names, prefix in (
            (self.facet, _FACETS, "search.facet"),
            (self.span, (*SPANS, OWN_SPAN), "search.span"),
        ):
            with QSignalBlocker(box):
                chosen = max(0, box.currentIndex())
                box.clear()
                for name in names:
                    box.addItem(tr(f"{prefix}.{name or 'any'}"), name)
                box.setCurrentIndex(chosen)

    # ---- names
    def set_names(self, people: Iterable[Person], conversations: Iterable[Conversation] = ()) -> None:
        """Whom and what one can choose."""
        self._people = [one for one in people if one.active]
        self._conversations = list(conversations)

    @property
    def people(self) -> list[Person]:
        """Everybody known."""
        return self._people

    @property
    def conversations(self) -> list[Conversation]:
        """All conversations known."""
        return self._conversations

    def _people_like(self, text: str) -> Iterable[Hit]:
        wanted = wanted_text(text)
        ranked = [
            (rank, one.pinyin, one.id, one) for one in self._people if (rank := match_rank(one, wanted)) is not None
        ]
        return [Hit(one.id, one.name, one.login) for _, _, _, one in sorted(ranked, key=lambda found: found[:3])]

    def _conversations_like(self, text: str) -> Iterable[Hit]:
        wanted = wanted_text(text)
        names = [(one.id, conversation_name(one)) for one in self._conversations]
        return [Hit(key, name) for key, name in names if wanted in wanted_text(name)]

    # ---- choosing
    def set_filters(self, filters: Filters) -> None:
        """Shows what is chosen elsewhere (an operator, a chip that was taken off); tells nobody."""
        self.filters = filters
        self.person.show_name(filters.person.name if filters.person is not None else "")
        self.conversation.show_name(conversation_name(filters.conversation) if filters.conversation is not None else "")
        self.facet.setCurrentIndex(_FACETS.index(filters.facet.value if filters.facet is not None else ""))
        self.span.setCurrentIndex(SPANS.index(filters.span) if filters.span in SPANS else len(SPANS))
        self._show_dates()

    def _put(self, **changes: object) -> None:
        self.filters = replace(self.filters, **changes)  # type: ignore[arg-type]  # names and types are those of Filters
        self._show_dates()
        self.changed.emit()

    def _on_person(self, key: str) -> None:
        self._put(person=next((one for one in self._people if one.id == key), None))

    def _on_conversation(self, key: str) -> None:
        self._put(conversation=next((one for one in self._conversations if one.id == key), None))

    def _on_facet(self, row: int) -> None:
        self._put(facet=Facet(_FACETS[row]) if _FACETS[row] else None)

    def _on_span(self, row: int) -> None:
        if row < len(SPANS):
            self._put(span=SPANS[row], since=None, until=None)
        else:
            self._put(span="")
            self.since.setFocus()

    def _on_dates(self) -> None:
        first, last = day_span(self.since.text().strip()), day_span(self.until.text().strip())
        self.since.set_invalid(bool(self.since.text().strip()) and first is None)
        self.until.set_invalid(bool(self.until.text().strip()) and last is None)
        since, until = first[0] if first else None, last[1] if last else None
        if self.filters.span == "" and (since, until) != (self.filters.since, self.filters.until):
            self._put(since=since, until=until)

    def _show_dates(self) -> None:
        for field in (self.since, self.until):
            field.setVisible(self.filters.span == "")
