"""The apps of the mini panel: one row a module of the office."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import ModuleDefinition
from desktop.ui import i18n, theme
from desktop.ui.kit import ListPane, RowDelegate, draw_elided
from desktop.ui.kit.panes import Index
from desktop.ui.theme import icons

ID_ROLE = int(Qt.ItemDataRole.UserRole) + 1
ICON_ROLE = ID_ROLE + 1
NO_ICON = "squares-four"


class ModuleDelegate(RowDelegate):
    """Icon and name."""

    height = 38
    padding = 14

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors, side = theme.tokens(), theme.scaled(18)
        place = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        icons.paint(painter, place, str(index.data(ICON_ROLE)), colors.accent)
        words = rect.adjusted(side + theme.scaled(10), 0, 0, 0)
        draw_elided(painter, words, str(index.data()), theme.font("base"), colors.ink)


class ModulesList(ListPane):
    """`asked` names the module to open."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("panel.apps", parent=parent)
        self.setObjectName("panelApps")
        self._modules: tuple[ModuleDefinition, ...] = ()
        self._model = QStandardItemModel(self)
        self.setItemDelegate(ModuleDelegate(self))
        self.setModel(self._model)
        self.chosen.connect(self._on_chosen)
        i18n.changed.connect(self._fill)

    def set_modules(self, modules: Sequence[ModuleDefinition]) -> None:
        """Takes the modules this server has, in their order."""
        self._modules = tuple(modules)
        self._fill()

    def _fill(self) -> None:
        self._model.clear()
        for module in self._modules:
            item = QStandardItem(module.label.text(i18n.language()) or module.id)
            name = module.icon.rpartition(".")[2]
            item.setData(module.id, ID_ROLE)
            item.setData(name if icons.exists(name) else NO_ICON, ICON_ROLE)
            self._model.appendRow(item)

    def _on_chosen(self, index: QModelIndex) -> None:
        self.asked.emit(str(index.data(ID_ROLE)))

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(260), theme.scaled(320))
