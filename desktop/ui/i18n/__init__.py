"""Texts in Chinese and English, switched without a restart. Texts lie in resources/i18n/*.json: {"key": {"zh": …, "en": …}}.

`bind(label.setText, "common.cancel")` sets a text now and again after each switch; `changed` is for what is painted by hand.
"""

import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, Literal

import shiboken6
from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator, Signal

from desktop.core.errors import AppError
from desktop.ui.i18n.fragments import Catalog
from desktop.ui.i18n.fragments import folder as folder

log = logging.getLogger("tongban.ui")

Language = Literal["zh", "en"]


class _Notifier(QObject):
    """Carries the one signal; a module can't."""

    changed = Signal()


class _State:
    """The language in use."""

    language: Language = "zh"
    of_qt: QTranslator | None = None


_notifier = _Notifier()
_catalog = Catalog()
_bound: "weakref.WeakKeyDictionary[QObject, dict[tuple[str, str], tuple[str, dict[str, Any]]]]" = (
    weakref.WeakKeyDictionary()
)
changed = _notifier.changed


def catalog() -> Mapping[str, Mapping[str, str]]:
    """key → language → text."""
    return _catalog


def tr(key: str, /, **data: Any) -> str:
    """The text of a key in the language in use, with `{name}` filled from `data`. A key with a `one` form (`key#one`) uses it for n=1."""
    texts = catalog()
    entry = (texts.get(f"{key}#one") if data.get("n") == 1 else None) or texts.get(key)
    if entry is None:
        log.warning("no text for %s", key)
        return key
    text = entry.get(_State.language) or entry.get("en") or key
    return text.format(**data) if data else text


def has(key: str) -> bool:
    """Whether there is a text of that key."""
    return key in catalog()


def language() -> Language:
    """zh or en."""
    return _State.language


def system_language() -> Language:
    """What the system speaks: zh on a Chinese one, else en."""
    return "zh" if QLocale.system().language() == QLocale.Language.Chinese else "en"


def set_language(wanted: Language) -> None:
    """Switches every text on the screen."""
    if wanted != _State.language or _State.of_qt is None:
        _speak_as_qt(wanted)
    _State.language = wanted
    for target, entries in list(_bound.items()):
        if shiboken6.isValid(target):
            for (method, _), (key, data) in entries.items():
                _apply(target, method, key, data)
    changed.emit()


def _speak_as_qt(wanted: Language) -> None:
    """Qt's own words (file dialogs, menus of text fields) in the same language; English is what Qt speaks by itself."""
    program = QCoreApplication.instance()
    if program is None:
        return
    if _State.of_qt is not None:
        program.removeTranslator(_State.of_qt)
    _State.of_qt = QTranslator(program)
    if wanted == "zh" and _State.of_qt.load(
        "qtbase_zh_CN", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        program.installTranslator(_State.of_qt)


def bind(setter: Callable[[str], object], key: str, /, **data: Any) -> None:
    """Sets a text through a method of a Qt object, now and after each switch of language. Binding again replaces."""
    target: QObject = setter.__self__  # type: ignore[attr-defined]  # a bound method, by contract
    method: str = setter.__name__
    _bound.setdefault(target, {})[(method, "")] = (key, data)
    setter(tr(key, **data))


def unbind(setter: Callable[[str], object]) -> None:
    """Forgets a binding: the text set next is not a translated one."""
    target: QObject = setter.__self__  # type: ignore[attr-defined]  # a bound method, by contract
    _bound.get(target, {}).pop((setter.__name__, ""), None)


def _apply(target: QObject, method: str, key: str, data: dict[str, Any]) -> None:
    getattr(target, method)(tr(key, **data))


def error_text(error: AppError) -> str:
    """What happened, what it means for the work, what to do: `error.<code>`, or `error.<code>.<type or reason>` where there is one."""
    data: dict[str, Any] = {"code": error.code}
    data |= {name: value for name, value in error.data.items() if isinstance(value, str | int | float)}
    special = f"error.{error.code}.{error.data.get('type') or error.data.get('reason')}"
    key = special if has(special) else f"error.{error.code}"
    if not has(key):
        key = "error.appError"
    try:
        return tr(key, **data)
    except KeyError:  # the error brought fewer details than its sentence names
        return tr("error.appError", code=error.code)
