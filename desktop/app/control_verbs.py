"""What the test-only remote hand can do with the widgets: verbs by name, each takes the fields of its line and gives a plain value.

Loaded with the first such verb: it needs the test tools of Qt and several screens, which a plain start has not loaded.
"""

from collections.abc import Callable, Mapping
from typing import Any

from desktop.app import drive, drive_spots

VERBS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "click": lambda a: drive.click(
        a["name"], inside=a.get("inside", ""), double=bool(a.get("double")), right=bool(a.get("right"))
    ),
    "click_row": lambda a: drive.click_row(
        a["name"], a["text"], double=bool(a.get("double")), right=bool(a.get("right"))
    ),
    "type": lambda a: drive.type_text(a["name"], a["text"], a.get("inside", ""), at_once=bool(a.get("at_once"))),
    "close_window": lambda a: drive.close_window(a["name"]),
    "press": lambda a: drive.press(a["name"], a["keys"], a.get("inside", "")),
    "trigger": lambda a: drive.trigger(a["name"], a["action"]),
    "state": lambda a: drive.describe(drive.find(a["name"])),
    "find": lambda a: [drive.describe(widget) for widget in drive.find_all(a["name"])],
    "choose": lambda a: drive_spots.choose(a["text"]),
    "mouse": lambda a: drive_spots.mouse(a["name"], a["deed"], a["x"], a["y"]),
    "moment": lambda a: drive_spots.moment_spot(a["name"], a["row"], a["at"]),
    "page_spot": lambda a: drive_spots.page_spot(a["name"], a["page"], a["x"], a["y"]),
    "color": lambda a: drive_spots.color_at(a["name"], a["x"], a["y"]),
    "spoken": lambda a: drive_spots.spoken(a["name"]),
    "labels": lambda _a: drive_spots.labels(),
    "cells": lambda a: drive_spots.cells(a["name"]),
    "pointer": lambda a: drive_spots.pointer_over(a["name"]),
    "grab": lambda a: drive.find(a["name"]).window().grab().save(a["path"]),
}
