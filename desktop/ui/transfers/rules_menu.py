"""The menu of limits: how fast files go and come, and which come by themselves. Built anew each time it opens."""

from collections.abc import Callable
from typing import Final

import msgspec
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from desktop.core.domain import TransferRules
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Menu

KIB: Final = 1024
LIMITS: Final = (0, 100 * KIB, 500 * KIB, 1024 * KIB, 2048 * KIB, 5 * 1024 * KIB, 10 * 1024 * KIB)
UP_TO: Final = tuple(size * 1024 * KIB for size in (1, 5, 20, 100, 1024))
KINDS: Final = ("picture", "file", "voice", "video")

Chosen = Callable[[TransferRules], object]


def rules_menu(rules: TransferRules, chosen: Chosen, parent: QWidget) -> Menu:
    """A menu that goes with its closing; `chosen` gets the rules as they are then."""
    menu = Menu(parent, leaves=True)
    for field, current in (("up_limit", rules.up_limit), ("down_limit", rules.down_limit)):
        sub = _submenu(menu, tr(f"transfers.rules.{field.removesuffix('_limit')}"))
        names = {limit: when.speed(limit) if limit else tr("transfers.rules.unlimited") for limit in LIMITS}
        _choices(sub, names, current, lambda limit, field=field: chosen(_with(rules, field, limit)))  # type: ignore[misc]
    sub = _submenu(menu, tr("transfers.rules.receive"))
    for kind in KINDS:
        entry = QAction(tr(f"transfers.rules.receive.{kind}"), sub, checkable=True, checked=kind in rules.receive)
        entry.toggled.connect(lambda on, kind=kind: chosen(_with(rules, "receive", _toggled(rules.receive, kind, on))))
        sub.addAction(entry)
    sub.addSeparator()
    sizes = {size: tr("transfers.rules.up_to", size=when.size(size)) for size in UP_TO}
    _choices(sub, sizes, rules.receive_up_to, lambda size: chosen(_with(rules, "receive_up_to", size)))
    return menu


def _submenu(menu: Menu, text: str) -> Menu:
    sub = Menu(menu)
    sub.setTitle(text)
    menu.addMenu(sub)
    return sub


def _choices(menu: QMenu, names: dict[int, str], current: int, chosen: Callable[[int], object]) -> None:
    group = QActionGroup(menu)
    for value, name in names.items():
        entry = QAction(name, menu, checkable=True, checked=value == current)
        group.addAction(entry)
        entry.triggered.connect(lambda _=False, value=value: chosen(value))
        menu.addAction(entry)


def _with(rules: TransferRules, field: str, value: object) -> TransferRules:
    return msgspec.structs.replace(rules, **{field: value})


def _toggled(kinds: tuple[str, ...], kind: str, on: bool) -> tuple[str, ...]:
    return tuple(one for one in KINDS if (on if one == kind else one in kinds))
