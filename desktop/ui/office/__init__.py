"""The office page of the main window: the workbench with the modules behind it."""

from desktop.ui.office.page import OfficePage, create_workbench

__all__ = ["OfficePage", "create_workbench"]
