"""Seal pictures laid onto the pages of a PDF, in a process of its own: the PDF is anybody's. The rest of the file stays as it is.

No signature: that comes with the security work, and will be put over what is made here.
"""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

log = logging.getLogger("tongban.office")

TIME_LIMIT_S: Final = 60.0
MAX_PDF: Final = 200 << 20
MAX_PICTURE: Final = 4 << 20
_CHILD: Final = Path(__file__).with_name("imprint_child.py")


class ImprintRefused(Exception):
    """The seals cannot be laid onto this file; the text says why."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """One seal: its picture (PNG), on which page (from 1), its left and top edge and its side in points from the upright page's top left corner."""

    picture: bytes
    page: int
    x: float
    y: float
    side: float


def lay_seals(pdf: bytes, imprints: Sequence[Imprint], *, time_limit_s: float = TIME_LIMIT_S) -> bytes:
    """The PDF with the seals on it.

    Raises:
        ImprintRefused: no PDF, an encrypted one, no such page, a picture that is none, or it takes too long.
    """
    if len(pdf) > MAX_PDF or any(len(one.picture) > MAX_PICTURE for one in imprints):
        raise ImprintRefused("the file or a seal's picture is too large")
    marks = [
        {"page": one.page, "x": one.x, "y": one.y, "side": one.side, "png": base64.b64encode(one.picture).decode()}
        for one in imprints
    ]
    job = json.dumps({"marks": marks}).encode() + b"\n" + pdf
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_CHILD)], input=job, capture_output=True, timeout=time_limit_s, check=False
        )
    except subprocess.TimeoutExpired as problem:
        raise ImprintRefused(f"it took longer than {time_limit_s:g} s") from problem
    except OSError as problem:
        raise ImprintRefused(f"the press does not start: {problem.strerror}") from problem
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        words = done.stderr.decode(errors="replace").strip().splitlines()
        log.warning("sealing a file ended with %d: %s", done.returncode, " / ".join(words[-3:]))
        raise ImprintRefused(words[-1][:300] if words and done.returncode == 1 else "the file cannot be read")
    return done.stdout
