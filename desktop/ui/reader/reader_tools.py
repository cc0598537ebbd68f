"""The buttons of the reader's header, and which of them stand there for what is shown. One that may not be used says why.

Where the header is too narrow for all of them, the lesser ones are in the menu instead.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.core.domain import LocalDocument
from desktop.ui import i18n, theme
from desktop.ui.kit import Folding, IconButton, Label, PaneHeader
from desktop.ui.reader.kinds import Kind

if TYPE_CHECKING:
    from desktop.ui.reader.formats.format_view import FormatView


class ReaderTools(QObject):
    """The tools in their order."""

    def __init__(self, header: PaneHeader) -> None:
        super().__init__(header)
        make = IconButton
        self.outline_button = make("list", "reader.outline", checkable=True, active="accent")
        self.page = QLineEdit()
        self.page.setObjectName("readerPageField")
        self.page.setAlignment(Qt.AlignmentFlag.AlignCenter)
        i18n.bind(self.page.setAccessibleName, "reader.page")
        self.pages = Label(role="secondary", tone="ink3")
        self.search_button = make("magnifying-glass", "reader.search")
        self.smaller = make("minus", "reader.smaller")
        self.zoom = Label(role="secondary", tone="ink2")
        self.zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.larger = make("plus", "reader.larger")
        self.fit_width = make("arrows-out-line-horizontal", "reader.fit_width")
        self.fit_page = make("frame-corners", "reader.fit_page")
        self.turn = make("arrow-clockwise", "reader.rotate")
        self.copy = make("copy", "reader.copy")
        self.pen = make("pencil-line", "reader.mark", checkable=True, active="accent")
        self.print = make("printer", "reader.print")
        self.save = make("download-simple", "reader.save_as")
        self.more = make("dots-three", "reader.more")
        for name, widget in list(vars(self).items()):  # in the order they were made
            if isinstance(widget, IconButton):
                widget.setObjectName(f"reader_{name}")
            if isinstance(widget, QWidget):
                header.add_action(widget)
        self._row = header.action_row
        self._wanted: set[QWidget] = set()
        self._folded: set[QWidget] = set()
        theme.changed.connect(self._fit_sizes)
        self._fit_sizes()
        line = header.layout()
        assert line is not None
        lesser = (self.zoom, self.fit_page, self.copy, self.fit_width, self.save, self.print, self.outline_button)
        self._folding = Folding(header, line, *(partial(self._fold, part) for part in lesser))

    @property
    def in_menu(self) -> list[IconButton]:
        """What there was no room for, in the order of the header."""
        return [
            one for one in vars(self).values() if isinstance(one, IconButton) and one in self._folded & self._wanted
        ]

    def _fold(self, part: QWidget, folded: bool) -> None:
        if folded and self.more in self._wanted:  # without the menu it would be nowhere
            self._folded.add(part)
        else:
            self._folded.discard(part)
        self._set_visible(part)

    def _stand(self, part: QWidget, wanted: bool) -> None:
        if wanted:
            self._wanted.add(part)
        else:
            self._wanted.discard(part)
        self._set_visible(part)

    def _set_visible(self, part: QWidget) -> None:
        part.setVisible(part in self._wanted and part not in self._folded)
        self._row.invalidate()  # a layout in a layout keeps what it knew of its parts

    def _fit_sizes(self) -> None:
        self.page.setFixedWidth(theme.scaled(44))
        self.zoom.setFixedWidth(theme.scaled(54))

    def show_for(
        self,
        kind: Kind | None,
        document: LocalDocument | None,
        *,
        paged: bool,
        other: FormatView | None,
        marked: bool,
        waiting: bool,
    ) -> None:
        """What `kind` can do stands there; `other`: its view where it is none of pages, picture and text; `waiting`: the file is on its way."""
        for part in (self.page, self.pages, self.outline_button, self.more):
            self._stand(part, paged)
        self._stand(self.search_button, other.searches if other is not None else paged or kind is Kind.TEXT)
        for part in (self.smaller, self.zoom, self.larger):
            self._stand(part, kind is not None and (other is None or other.zooms))
        for part in (self.fit_width, self.fit_page):
            self._stand(part, paged or kind is Kind.PICTURE)
        self._stand(self.turn, kind is Kind.PICTURE)
        self._stand(self.copy, kind is not None and (other is None or other.copies))
        self._stand(self.print, kind is not None and (other is None or other.prints))
        self._stand(self.save, document is not None)
        self._stand(self.pen, marked and not waiting)
        if document is not None:
            for button, allowed, key, refusal in (
                (self.search_button, True, "reader.search", "reader.search"),
                (self.copy, document.may_copy, "reader.copy", "reader.no_copy"),
                (self.print, document.may_print, "reader.print", "reader.no_print"),
                (self.save, document.may_copy, "reader.save_as", "reader.no_save"),
            ):
                _allow(button, allowed and not waiting, key, "reader.arriving.wait" if allowed else refusal)


def _allow(button: IconButton, allowed: bool, key: str, refusal: str) -> None:
    button.setEnabled(allowed)
    i18n.bind(button.setToolTip, key if allowed else refusal)
    i18n.bind(button.setAccessibleName, key if allowed else refusal)
