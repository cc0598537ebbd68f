"""The process that sets one paper: standard input in, PDF out. Run by press.py with `python -I`; imports nothing else of this project.

Reads JSON {root, folders, faces: {role: [official, fallback]}, rest, doc, stamp}; writes one line of JSON {pages, rows, fonts, seals}, then the PDF.
"""

import json
import sys
from typing import Any

import typst

MEMORY = 1_500_000_000
CPU_SECONDS = 30
WAYS = ((22, "false"), (21, "false"), (20, "false"), (23, "false"), (22, "true"))
"""(lines a page, whether the last paragraph begins a page): the first one, unless the signature would stand alone on its page."""


def _limit() -> None:
    try:
        import resource  # not on Windows: there only the time limit holds
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))


def choose_faces(faces: dict[str, list[list[str]]], families: set[str]) -> dict[str, dict[str, Any]]:
    """Role → {family, weight, official}: the first official face there is, else the first open one; an open title is bold."""
    chosen: dict[str, dict[str, Any]] = {}
    for role, (official, fallback) in faces.items():
        true = next((one for one in official if one in families), None)
        found = true or next((one for one in fallback if one in families), fallback[0])
        weight = "bold" if role == "title" and true is None else "regular"
        chosen[role] = {"family": found, "weight": weight, "official": true is not None}
    return chosen


def _lonely(compiler: typst.Compiler, inputs: dict[str, str]) -> bool:
    """Whether the signature stands on a page without a line of the body: the standard (7.3.5.5) then changes the distance of lines."""
    compiler.compile(format="pdf", sys_inputs=inputs)
    stands = json.loads(compiler.query("<stands>", field="value"))
    pages = {one["what"]: one["page"] for one in stands}
    return bool(pages.get("signature", 0) > pages.get("body", 0))


def _set(compiler: typst.Compiler, inputs: dict[str, str], stamp: int) -> tuple[Any, dict[str, Any]]:
    pdf = compiler.compile(format="pdf", sys_inputs=inputs, timestamp=stamp, pdf_standards="a-2b")
    pages = json.loads(compiler.query("<paper>", field="value", one=True))["pages"]
    return pdf, {"pages": pages, "seals": json.loads(compiler.query("<seal>", field="value"))}


def main() -> None:
    """Set the paper on standard input; exit code 1 with the compiler's words on standard error when it cannot be."""
    _limit()
    job = json.load(sys.stdin.buffer)
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=True, font_paths=job["folders"])
    families = set(fonts.families())
    chosen = choose_faces(job["faces"], families)
    rest = [one for one in job["rest"] if one in families]
    inputs = {
        "doc": json.dumps(job["doc"], ensure_ascii=False),
        "fonts": json.dumps({**chosen, "rest": rest}, ensure_ascii=False),
    }
    compiler = typst.Compiler(f"{job['root']}/main.typ", root=job["root"], font_paths=fonts)
    try:
        ways = ({**inputs, "rows": str(rows), "keep": keep} for rows, keep in WAYS)
        way = next((one for one in ways if not _lonely(compiler, one)), {**inputs, "rows": "22", "keep": "false"})
        pdf, facts = _set(compiler, way, job["stamp"])
    except typst.TypstError as problem:
        sys.stderr.write(str(problem)[:2000])
        sys.exit(1)
    assert isinstance(pdf, bytes)
    head = {**facts, "rows": int(way["rows"]), "fonts": chosen}
    sys.stdout.buffer.write(json.dumps(head, ensure_ascii=False).encode() + b"\n" + pdf)


if __name__ == "__main__":
    main()
