"""The office page of the main window: the workbench with the modules behind it. The page is loaded when first named: cards of a talk need little of it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.ui.office.page import OfficePage, create_workbench

__all__ = ["OfficePage", "create_workbench"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    from desktop.ui.office import page

    return getattr(page, name)
