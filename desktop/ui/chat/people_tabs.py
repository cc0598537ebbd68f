"""Lists of people side by side under tabs: who has read and who has not, who confirmed, who voted for what."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QStringListModel, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from desktop.models.people import People
from desktop.ui import theme
from desktop.ui.chat.members import PersonDelegate
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Dialog, Label, ListPane, on_click
from desktop.ui.layouts import empty_layout


@dataclass(frozen=True, slots=True)
class PeopleTab:
    """One list: its title (a text in the user's language) and who is in it."""

    title: str
    person_ids: tuple[str, ...]


class PeopleTabs(Dialog):
    """`picked` names a person that was pressed, `acted` the press of the extra button (reminding)."""

    picked = Signal(str)
    acted = Signal()

    def __init__(
        self, parent: QWidget, people: People, title_key: str, tabs: Sequence[PeopleTab], *, action_key: str = ""
    ) -> None:
        super().__init__(parent, title_key, width=360)
        self._people = people
        self._tabs: list[PeopleTab] = []
        self._row = QHBoxLayout()
        self._row.setSpacing(4)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self.list = ListPane(title_key)
        self.list.setProperty("look", "")
        self.list.setMinimumHeight(theme.scaled(320))
        self._model = QStringListModel(self)
        self._delegate = PersonDelegate(people, [], self.list)
        self.list.setItemDelegate(self._delegate)
        self.list.setModel(self._model)
        self.body.addWidget(Label(key=title_key, role="header", strong=True))
        self.body.addLayout(self._row)
        self.body.addWidget(self.list, 1)
        self.action: Button | None = None
        if action_key:
            self.action = self.add_button(action_key, kind="primary")
            on_click(self.action, self.acted.emit)
        self.add_button("common.close", accept=False)
        self._group.idClicked.connect(self.show_tab)
        self.list.chosen.connect(self._on_chosen)
        self.set_tabs(tabs)

    @property
    def shown(self) -> list[str]:
        """Who is in the list that is open."""
        return list(self._delegate.ids)

    def set_tabs(self, tabs: Sequence[PeopleTab]) -> None:
        """Other lists, or the same with other people; the open one stays open."""
        current = max(0, self._group.checkedId())
        if [tab.title for tab in tabs] != [tab.title for tab in self._tabs]:
            for button in self._group.buttons():
                self._group.removeButton(button)
            empty_layout(self._row)
            for number, tab in enumerate(tabs):
                button = Button(tab.title, kind="tab", small=True)
                button.setCheckable(True)
                self._group.addButton(button, number)
                self._row.addWidget(button)
            self._row.addStretch(1)
        self._tabs = list(tabs)
        if self._tabs:
            self.show_tab(min(current, len(self._tabs) - 1))

    def show_tab(self, number: int) -> None:
        """Opens one list."""
        button = self._group.button(number)
        if button is not None:
            button.setChecked(True)
        self._delegate.ids = list(self._tabs[number].person_ids)
        self._model.setStringList([self._people.name(one) or tr("common.unknown_person") for one in self._delegate.ids])

    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self._delegate.ids):
            self.picked.emit(self._delegate.ids[index.row()])
