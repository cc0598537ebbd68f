"""Painted rows of the roster: departments with a caret and how many are here, people with face, post and presence."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import Presence
from desktop.models.roster import DepartmentRow, PersonRow, Roster, RosterRole, Row
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_avatar, paint_presence, person_tip
from desktop.ui.kit.panes import Index
from desktop.ui.theme import icons

INDENT = 14
CARET = 12
FACE = 28
AWAY_INK = 0.55  # who is not here stands back


class RosterDelegate(RowDelegate):
    """One height for both kinds of rows: the list scrolls evenly."""

    height = 36
    padding = 12

    def tip(self, index: Index) -> str:
        row = index.data(RosterRole.ROW)
        if isinstance(row, DepartmentRow):
            return ""
        model = index.model()
        says = model.presence_text(row.person.id) if isinstance(model, Roster) else ""
        return person_tip(row.person.name, row.presence, says)

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(RosterRole.ROW)
        line = rect.adjusted(theme.scaled(INDENT) * row.depth, 0, 0, 0)
        if isinstance(row, DepartmentRow):
            self._department(painter, line, row)
        else:
            self._person(painter, line, row, option, index)

    def _department(self, painter: QPainter, line: QRect, row: DepartmentRow) -> None:
        colors, side = theme.tokens(), theme.scaled(CARET)
        caret = QRectF(line.left(), line.center().y() - side / 2 + 1, side, side)
        icons.paint(painter, caret, "caret-down-fill" if row.opened else "caret-right-fill", colors.ink3)
        words = line.adjusted(side + theme.scaled(5), 0, 0, 0)
        width = draw_elided(painter, words, row.name, theme.font("base"), colors.ink)
        count = words.adjusted(width + theme.scaled(6), 0, 0, 0)
        draw_elided(painter, count, f"{row.online}/{row.total}", theme.font("secondary"), colors.ink3)

    def _person(
        self, painter: QPainter, line: QRect, row: PersonRow, option: QStyleOptionViewItem, index: Index
    ) -> None:
        colors, side = theme.tokens(), theme.scaled(FACE)
        here = row.presence is not Presence.OFFLINE
        disc = QRectF(line.left(), line.center().y() - side / 2 + 0.5, side, side)
        painter.save()
        if not here:
            painter.setOpacity(AWAY_INK)
        paint_avatar(painter, disc, row.person.name, row.person.id)
        painter.restore()
        if here:
            paint_presence(painter, disc, row.presence, self.background(option, index) or colors.surface)
        words = line.adjusted(side + theme.scaled(9), 0, 0, 0)
        ink = colors.ink if here else colors.ink2
        width = draw_elided(painter, words, row.person.name, theme.font("base"), ink)
        beside = words.adjusted(width + theme.scaled(6), 0, 0, 0)
        said = " · ".join(part for part in (row.place, row.post) if part)
        draw_elided(painter, beside, said, theme.font("secondary"), colors.ink3)


class SpokenRoster(Roster):
    """Rows with the words a screen reader says."""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.AccessibleTextRole and index.isValid():
            row = self.at(index.row())
            if isinstance(row, DepartmentRow):
                key = "panel.department_open" if row.opened else "panel.department"
                return tr(key, name=row.name, online=row.online, total=row.total)
            parts = (row.person.name, row.place, row.post, tr(f"presence.{row.presence.value}"))
            return " ".join(part for part in parts if part)
        return super().data(index, role)


class RosterList(ListPane):
    """A click folds a department; a double click or Enter on a person opens the talk. `talk_asked` names the person."""

    talk_asked = Signal(str)

    def __init__(self, model: Roster, parent: QWidget | None = None) -> None:
        super().__init__("panel.contacts", parent=parent)
        self._model = model
        self.setObjectName("panelRoster")
        self.setItemDelegate(RosterDelegate(self))
        self.setModel(model)
        self.clicked.connect(self._on_clicked)
        self.doubleClicked.connect(self._open)

    def _on_clicked(self, index: QModelIndex) -> None:
        row = self._model.at(index.row())
        if isinstance(row, DepartmentRow):
            self._toggle(row)

    def _toggle(self, row: DepartmentRow) -> None:
        self._model.toggle(row.id)
        for number in range(self._model.rowCount()):
            again = self._model.at(number)
            if isinstance(again, DepartmentRow) and again.id == row.id:
                self.setCurrentIndex(self._model.index(number))

    def _open(self, index: QModelIndex) -> None:
        row = self._model.at(index.row()) if index.isValid() else None
        if isinstance(row, PersonRow):
            self.talk_asked.emit(row.person.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        row = self._model.at(index.row()) if index.isValid() else None
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and row is not None:
            if isinstance(row, DepartmentRow):
                self._toggle(row)
            else:
                self._open(index)
        elif isinstance(row, DepartmentRow) and key == (Qt.Key.Key_Left if row.opened else Qt.Key.Key_Right):
            self._toggle(row)
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(260), theme.scaled(320))
