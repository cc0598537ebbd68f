"""What is wrong with a workbook, a row or a cell, in words."""

from __future__ import annotations

from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.records import RowError
from desktop.core.errors import AppError
from desktop.ui.i18n import error_text, has, tr, when
from desktop.ui.office.exchange.opening import BadWorkbook
from desktop.ui.office.exchange.parsing import BadCell
from desktop.ui.office.exchange.sheet_rows import RowProblem
from desktop.ui.office.record.field_row import problem_text
from desktop.ui.office.views.base import ViewContext


def workbook_text(error: AppError) -> str:
    """Why a workbook was not taken, or not written; any other failure as everywhere."""
    if isinstance(error, BadWorkbook):
        return tr(f"office_module.workbook.{error.reason}", limit=error.data.get("limit", 0))
    return error_text(error)


def row_text(context: ViewContext, definition: TypeDefinition, problem: RowProblem) -> str:
    """Plate: this must be filled in."""
    if isinstance(problem.what, BadCell):
        words = tr(f"office_module.cell.{problem.what.code}", **problem.what.figures)
    else:
        after = definition.field(problem.field.after) if problem.field is not None and problem.field.after else None
        words = problem_text(context, problem.what, after)
    return tr("office_module.chip", field=problem.label, words=words)


def server_text(context: ViewContext, definition: TypeDefinition, error: RowError) -> str:
    """What the server said of a row."""
    fields = (definition.field(name) for name in error.properties)
    names = when.list_join([context.label(field.label) for field in fields if field is not None])
    key = f"error.rejected.{error.code}"
    words = error.text or (tr(key) if has(key) else tr("office_module.refused_by_server", code=error.code))
    return tr("office_module.chip", field=names, words=words) if names else words
