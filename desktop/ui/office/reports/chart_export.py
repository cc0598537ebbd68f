"""A report's figures as a workbook and its chart as a picture. Files appear whole or not at all; runs on a worker thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl.utils.exceptions import WorkbookAlreadySaved
from PySide6.QtGui import QImage

from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.domain.records import Record
from desktop.core.errors import BadFile
from desktop.ui.office.exchange.names import Names
from desktop.ui.office.exchange.writing import Glossary, WorkbookWriter
from desktop.ui.office.reports.chart_table import FigureRow


def write_figures(
    path: Path,
    title: str,
    heads: Sequence[str],
    places: Sequence[int | None],
    rows: Sequence[FigureRow],
    words: tuple[str, Names],
) -> None:
    """Writes the rows as numbers, not as words. `places`: decimals of each figure; `words`: language and names.

    Raises:
        BadFile: it can't be written there.
    """
    names = len(heads) - len(places)
    fields = [_field(number, head, number - names, places) for number, head in enumerate(heads)]
    glossary = Glossary(language=words[0], names=words[1], yes="", no="")
    writer = WorkbookWriter(title, fields, glossary, "")
    writer.add(Record(str(number), "", _data(row)) for number, row in enumerate(rows))
    try:
        writer.save(path)
    except OSError as error:
        with suppress(WorkbookAlreadySaved, OSError):
            writer.discard()  # what was gathered on disk goes
        raise BadFile(reason=str(error.strerror)) from error


def _field(number: int, head: str, figure: int, places: Sequence[int | None]) -> Field:
    label = Label(head, head)
    if figure < 0:
        return Field(name=f"c{number}", kind=FieldKind.TEXT, label=label)
    if places[figure] == 2:
        return Field(name=f"c{number}", kind=FieldKind.MONEY, label=label)
    return Field(name=f"c{number}", kind=FieldKind.NUMBER, label=label, decimals=places[figure])


def _data(row: FigureRow) -> dict[str, Any]:
    data: dict[str, Any] = {f"c{number}": name for number, name in enumerate(row.names)}
    for number, figure in enumerate(row.figures, len(row.names)):
        data[f"c{number}"] = _number(figure)
    return data


def _number(figure: Decimal | None) -> Any:
    if figure is None:
        return None
    return int(figure) if figure == figure.to_integral_value() else figure


def write_picture(path: Path, image: QImage) -> None:
    """Writes a PNG.

    Raises:
        BadFile: it can't be written there.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        if not image.save(str(draft), "PNG"):  # type: ignore[call-overload]  # the stub asks for bytes, PySide for text
            raise BadFile(reason=path.name)
        os.replace(draft, path)
    except OSError as error:
        raise BadFile(reason=str(error.strerror)) from error
    finally:
        draft.unlink(missing_ok=True)
