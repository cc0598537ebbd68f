"""Every key the program knows, by the page it works on: one table, read by the sheet (F1) and by the settings. Keys in Qt's portable form.

A test holds it against the shortcuts that the pages really have.
"""

from typing import Final, NamedTuple


class Keys(NamedTuple):
    """One line: `name` is the end of the text's key (`keys.<place>.<name>`), `keys` the ways to do it."""

    name: str
    keys: tuple[str, ...]


TABLE: Final[dict[str, tuple[Keys, ...]]] = {
    "everywhere": (
        Keys("search", ("Ctrl+K",)),
        Keys("page", ("Alt+1", "Alt+9")),
        Keys("sheet", ("F1", "Ctrl+/")),
        Keys("next_control", ("Tab",)),
        Keys("previous_control", ("Shift+Tab",)),
        Keys("menu", ("Menu", "Shift+F10")),
        Keys("back", ("Esc",)),
    ),
    "messages": (
        Keys("next", ("Ctrl+PgDown",)),
        Keys("previous", ("Ctrl+PgUp",)),
        Keys("find", ("Ctrl+F",)),
        Keys("send", ("Return", "Ctrl+Return")),
        Keys("edit_last", ("Up",)),
        Keys("walk", ("Up", "Down")),
        Keys("act", ("Return", "Space")),
        Keys("oldest", ("Home",)),
        Keys("newest", ("End",)),
        Keys("copy", ("Ctrl+C",)),
        Keys("all", ("Ctrl+A",)),
        Keys("close", ("Ctrl+W",)),
    ),
    "office": (
        Keys("find", ("Ctrl+F",)),
        Keys("new", ("Ctrl+N",)),
        Keys("reload", ("F5", "Ctrl+R")),
        Keys("next_view", ("Ctrl+PgDown",)),
        Keys("previous_view", ("Ctrl+PgUp",)),
        Keys("open", ("Return",)),
        Keys("delete", ("Del",)),
        Keys("edit", ("Ctrl+E",)),
        Keys("print", ("Ctrl+P",)),
        Keys("submit", ("Ctrl+Return", "Ctrl+Enter")),
    ),
    "flows": (
        Keys("next", ("J", "Alt+Down")),
        Keys("previous", ("K", "Alt+Up")),
        Keys("go_on", ("Ctrl+Return", "Ctrl+Enter")),
        Keys("undo", ("Ctrl+Z",)),
        Keys("redo", ("Ctrl+Shift+Z", "Ctrl+Y")),
    ),
    "reader": (
        Keys("find", ("Ctrl+F",)),
        Keys("next_hit", ("F3",)),
        Keys("previous_hit", ("Shift+F3",)),
        Keys("larger", ("Ctrl++", "Ctrl+=")),
        Keys("smaller", ("Ctrl+-",)),
        Keys("fit", ("Ctrl+0",)),
        Keys("turn", ("Ctrl+R",)),
        Keys("full_screen", ("F11",)),
        Keys("print", ("Ctrl+P",)),
    ),
    "viewer": (
        Keys("next", ("Right", "PgDown", "Space")),
        Keys("previous", ("Left", "PgUp", "Backspace")),
        Keys("close", ("Esc",)),
    ),
    "text": (
        Keys("bold", ("Ctrl+B",)),
        Keys("italic", ("Ctrl+I",)),
        Keys("underline", ("Ctrl+U",)),
    ),
}


def known_keys() -> frozenset[str]:
    """Every key of the table; a span of pages (Alt+1 to Alt+9) in full."""
    listed = {keys for rows in TABLE.values() for row in rows for keys in row.keys}
    return frozenset(listed | {f"Alt+{number}" for number in range(1, 10)})
