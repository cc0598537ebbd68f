"""Typesets the demo's official papers and reports with typst, from templates and the texts of documents.toml."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typst

TEMPLATES: Final = ("redhead", "letter", "minutes", "report")
_OPTIONAL: Final = {
    "urgency": "",
    "signer": "",
    "number": "",
    "to": "",
    "annex": [],
    "copy": "",
    "note": "",
    "head": "",
    "org": "云溪县水利局",
    "printer": "云溪县水利局办公室",
}


class PaperFailed(Exception):
    """typst refused a paper; the text names it."""


class Press:
    """One compiler for all papers: fonts are looked for once."""

    def __init__(self, folder: Path) -> None:
        self._compiler = typst.Compiler(root=str(folder / "templates"))

    def print(self, paper: Mapping[str, Any], date: str, title: str, fill: Any) -> bytes:
        """A paper as PDF. `fill` puts in the slots of time.

        Raises:
            PaperFailed: the template or the text is wrong.
        """
        template = paper["paper"]
        if template not in TEMPLATES:
            raise PaperFailed(f"{title}: there is no template {template}")
        doc = {key: self._filled(paper.get(key, default), fill) for key, default in _OPTIONAL.items()}
        doc |= {"title": title, "date": date}
        source = (
            f'#import "/{template}.typ": {template}\n#let doc = json(bytes(sys.inputs.doc))\n#show: {template}.with(doc)\n'
            + fill(paper["body"])
        )
        try:
            made = self._compiler.compile_with_warnings(
                input=source.encode(), format="pdf", sys_inputs={"doc": json.dumps(doc, ensure_ascii=False)}
            )
        except typst.TypstError as problem:
            raise PaperFailed(f"{title}: {problem}") from problem
        pdf = made[0]
        assert isinstance(pdf, bytes)
        return pdf

    def _filled(self, value: Any, fill: Any) -> Any:
        if isinstance(value, str):
            return fill(value)
        return [fill(one) for one in value] if isinstance(value, list) else value
