"""Sets a paper to PDF in a process of its own, with limits on text, time and memory. Blocking: call it on a worker thread, never on the writer's."""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from server_stub.modules.documents.typesetting.faces import FALLBACK, OFFICIAL, REST
from server_stub.modules.documents.typesetting.folders import templates_folder
from server_stub.modules.documents.typesetting.paper import Paper, PaperRefused, template_data

log = logging.getLogger("tongban.documents")

TIME_LIMIT_S: Final = 20.0
MAX_PDF: Final = 120_000_000
MAX_FILES: Final = 60_000_000
"""Of all the annexes that are files, in bytes."""
REFUSED: Final = 3
"""The press's exit code for an annex it does not take."""
_CHILD: Final = Path(__file__).with_name("press_child.py")


class PressFailed(Exception):
    """A paper that could not be set: the press took too long, was out of memory, or refused it."""


@dataclass(frozen=True, slots=True)
class SealPlace:
    """The middle of where a seal belongs: page from 1, x and y in points from the page's top left, its size in points."""

    page: int
    x: float
    y: float
    size: float


@dataclass(frozen=True, slots=True)
class Face:
    """What stands for an official face. `official`: it is that face; False: the open fallback."""

    family: str
    official: bool


@dataclass(frozen=True, slots=True)
class SetPaper:
    """A paper that was set.

    Attributes:
        pdf: PDF/A-2b; the same bytes for the same paper, fonts and compiler.
        pages: how many.
        rows: lines a page: 22, or another number where the signature would have stood alone on its page (7.3.5.5).
        fonts: role (title, body, kai, hei, digits) → the face used.
        seals: where seals belong, in the order of the issuers.
    """

    pdf: bytes
    pages: int
    rows: int
    fonts: dict[str, Face]
    seals: tuple[SealPlace, ...]


def set_paper(
    paper: Paper,
    font_folders: Sequence[Path] = (),
    *,
    files: Mapping[str, bytes] = MappingProxyType({}),
    time_limit_s: float = TIME_LIMIT_S,
) -> SetPaper:
    """Set a paper. Takes some 0.5 s.

    Args:
        font_folders: more folders with fonts than those of the system.
        files: contents of the annexes that are files, by `Annex.file`. With pages of strangers in it the PDF is no PDF/A any more and does not say so.

    Raises:
        PaperRefused: what it says is not complete or not allowed; `attachments`: a file that cannot be set.
        PressFailed: it could not be set in the time and memory there is.
    """
    if sum(len(one) for one in files.values()) > MAX_FILES:
        raise PaperRefused("attachments", "附件合计超过 60 MB，请改为另附")
    job = {
        "root": str(templates_folder()),
        "folders": [str(one) for one in font_folders],
        "faces": {role: [OFFICIAL[role], FALLBACK[role]] for role in OFFICIAL},
        "rest": REST,
        "doc": template_data(paper),
        "stamp": 0,
        "files": {key: base64.b64encode(one).decode() for key, one in files.items()},
    }
    return read_answer(_run(json.dumps(job, ensure_ascii=False).encode(), time_limit_s))


def _run(job: bytes, time_limit_s: float) -> bytes:
    command = [sys.executable, "-I", str(_CHILD)]
    try:
        done = subprocess.run(command, input=job, capture_output=True, timeout=time_limit_s, check=False)
    except subprocess.TimeoutExpired as problem:
        raise PressFailed(f"it took longer than {time_limit_s:g} s") from problem
    except OSError as problem:
        raise PressFailed(f"the press does not start: {problem.strerror}") from problem
    if done.returncode == REFUSED:
        raise PaperRefused("attachments", done.stderr.decode(errors="replace").strip()[:300])
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        log.warning("the press ended with %d: %s", done.returncode, " / ".join(words[-3:]))
        raise PressFailed(words[-1] if words and done.returncode == 1 else "the press broke off")
    return done.stdout


def read_answer(answer: bytes) -> SetPaper:
    """What the press has written. Raises PressFailed: it is no paper."""
    line, _, pdf = answer.partition(b"\n")
    if not pdf.startswith(b"%PDF-") or len(pdf) > MAX_PDF:
        raise PressFailed("no usable PDF came out")
    try:
        head: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError as problem:
        raise PressFailed("no usable answer came out") from problem
    return SetPaper(
        pdf=pdf,
        pages=head["pages"],
        rows=head["rows"],
        fonts={role: Face(one["family"], one["official"]) for role, one in head["fonts"].items()},
        seals=tuple(SealPlace(one["page"], one["x"], one["y"], one["size"]) for one in head["seals"]),
    )
