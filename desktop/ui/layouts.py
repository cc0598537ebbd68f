"""Taking widgets out of a page so that others can take their place."""

from __future__ import annotations

from PySide6.QtWidgets import QLayout, QWidget


def discard(widget: QWidget) -> None:
    """Deletes a widget when control returns to the event loop.

    It leaves its parent at once: a parent that is collected while a child still waits for its deletion crashes PySide 6.11.
    """
    widget.hide()
    widget.setParent(None)
    widget.deleteLater()


def empty_layout(layout: QLayout) -> None:
    """Discards every widget of a layout, also those in layouts inside."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            discard(widget)
        elif inner is not None:
            empty_layout(inner)
