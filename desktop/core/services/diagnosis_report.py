"""The report of a diagnosis: a ZIP with the findings as JSON and as a text to read, and an excerpt of the log. Nothing else goes in."""

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.domain.diagnosis import Finding
from desktop.core.errors import StorageUnavailable

VERSION: Final = 1
JSON_NAME: Final = "diagnosis.json"
TEXT_NAME: Final = "diagnosis.txt"
LOG_NAME: Final = "log.txt"
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)


class DiagnosisReport(msgspec.Struct, frozen=True):
    """`made_at`: UTC; `system`: figures of this machine by name; `text`: the same for people, in their language; `log`: lines that may be shown."""

    made_at: str
    system: dict[str, str | int | float]
    findings: tuple[Finding, ...]
    text: str
    log: tuple[str, ...]


def make_report(
    made_at: str, system: Mapping[str, str | int | float], findings: Sequence[Finding], text: str, log: Sequence[str]
) -> DiagnosisReport:
    """Puts it together; of the home folder only `~` stays, wherever it stands."""
    home = str(Path.home())

    def short(value: str | int | float) -> str | int | float:
        return value.replace(home, "~") if isinstance(value, str) and len(home) > 1 else value

    kept = tuple(msgspec.structs.replace(one, data={k: short(v) for k, v in one.data.items()}) for one in findings)
    return DiagnosisReport(
        made_at, {name: short(value) for name, value in system.items()}, kept, str(short(text)), tuple(log)
    )


def write_report(report: DiagnosisReport, path: Path) -> None:
    """Writes the ZIP, whole or not at all.

    Raises:
        StorageUnavailable: it cannot be written there.
    """
    figures = {"version": VERSION, "madeAt": report.made_at, "system": report.system, "findings": report.findings}
    parts = {
        JSON_NAME: msgspec.json.format(msgspec.json.encode(figures), indent=1),
        TEXT_NAME: report.text.encode(),
        LOG_NAME: "\n".join(report.log).encode(),
    }
    fresh = path.with_name(f"{path.name}.part")
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in parts.items():
                archive.writestr(zipfile.ZipInfo(name, _EARLIEST), data, zipfile.ZIP_DEFLATED)
        os.replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise StorageUnavailable(reason="disk") from error
