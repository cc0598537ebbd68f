"""The tour: the real client, driven through every page against a real backend on a virtual desktop; saves pictures.

`dev.py tour [--out DIR] [--only PAGE]`. What the pages are and how they are reached is the client's own business
(`python -m desktop.app.tour`); here stand the desktop, the backend, the variants and the index. Every variant gets a
fresh copy of the same demo office, for a tour reads, confirms and writes. A variant that fails fails the tour.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from build_scripts import local_server
from build_scripts.desktop_session import DesktopSession, SessionFailed
from build_scripts.environment import ROOT
from build_scripts.progress import Step, StepFailed

VARIANT_SECONDS = 600.0
POLL_SECONDS = 0.2
FAILURE_LINES = 60  # of the client's log
PICTURE_NAME = re.compile(r"(?P<page>.+)-(?P<variant>(?:light|dark)-(?:zh|en)(?:-2x)?)\.png")

STYLE = """body { font: 14px system-ui, sans-serif; margin: 24px; background: #f4f6f9; color: #1b2430 }
section { margin-bottom: 32px } div { display: flex; flex-wrap: wrap; gap: 16px }
figure { margin: 0 } img { height: 260px; border: 1px solid #ccc; background: white } figcaption { color: #56616f }"""


@dataclass(frozen=True)
class Variant:
    """One look of the client."""

    theme: str
    language: str
    scale: int = 1

    @property
    def name(self) -> str:
        """The end of its pictures' names."""
        return f"{self.theme}-{self.language}" + (f"-{self.scale}x" if self.scale > 1 else "")


VARIANTS = (
    Variant("light", "zh"),
    Variant("dark", "zh"),
    Variant("light", "en"),
    Variant("dark", "en"),
    Variant("light", "zh", 2),
)


def main(argv: list[str] | None = None) -> int:
    """Takes the pictures and prints where they are; 1 when a variant failed or took none."""
    parser = argparse.ArgumentParser(
        prog="dev.py tour", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "tour", metavar="DIR")
    parser.add_argument("--only", metavar="PAGE", help="one page, by the name that its pictures begin with")
    parser.add_argument(
        "--variant",
        action="append",
        choices=[variant.name for variant in VARIANTS],
        help="only this look (may be repeated)",
    )
    parser.add_argument("--text", type=int, default=100, metavar="PERCENT", help="size of the text, 100 to 200")
    options = parser.parse_args(argv)
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    chosen = [variant for variant in VARIANTS if not options.variant or variant.name in options.variant]
    _forget_old_pictures(out, options.only, {variant.name for variant in chosen})
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="tongban-tour-") as scratch:
        try:
            office = _make_office(Path(scratch))
            for variant in chosen:
                try:
                    _take_pictures(variant, office, Path(scratch) / variant.name, out, options.only, options.text)
                except (StepFailed, SessionFailed) as failure:
                    failures[variant.name] = str(failure)
        except StepFailed as failure:
            failures["backend"] = str(failure)
    pictures = write_index(out)
    for picture in pictures:
        print(f"  {picture}")
    print(f"{len(pictures)} pictures, all on one page: {out / 'index.html'}")
    for name, reason in failures.items():
        print(f"\n--- tour failed: {name} ---\n{reason}", file=sys.stderr)
    return 1 if failures else 0


def write_index(out: Path) -> list[Path]:
    """Writes index.html, one row a page with its variants beside each other; returns the pictures in that order."""
    pages: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for path in sorted(out.glob("*.png")):
        if found := PICTURE_NAME.fullmatch(path.name):
            pages[found["page"]].append((found["variant"], path))
    order = [variant.name for variant in VARIANTS]
    rows = []
    for page, pictures in sorted(pages.items()):
        pictures.sort(key=lambda picture: order.index(picture[0]) if picture[0] in order else len(order))
        figures = "".join(
            f'<figure><a href="{name}"><img loading="lazy" alt="{name}" src="{name}"></a>'
            f"<figcaption>{html.escape(variant)}</figcaption></figure>"
            for variant, path in pictures
            for name in [html.escape(path.name)]
        )
        rows.append(f"<section><h2>{html.escape(page)}</h2><div>{figures}</div></section>")
    head = (
        f'<!doctype html><meta charset="utf-8"><title>Tongban tour</title><style>{STYLE}</style><h1>Tongban tour</h1>'
    )
    (out / "index.html").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return [path for _, pictures in sorted(pages.items()) for _, path in pictures]


def _forget_old_pictures(out: Path, only: str | None, variants: set[str]) -> None:
    """A picture that this tour should take must not be an old one."""
    for path in out.glob("*.png"):
        found = PICTURE_NAME.fullmatch(path.name)
        if (
            found
            and found["variant"] in variants
            and (only is None or found["page"].startswith("failed") or found["page"].startswith(only))
        ):
            path.unlink()


def _make_office(scratch: Path) -> Path:
    """A backend's data folder with the demo office in it, at rest, to be copied."""
    data = scratch / "office"
    process, _ = _start_backend(data, scratch)
    local_server.stop(process)
    return data


def _start_backend(data: Path, folder: Path) -> tuple[subprocess.Popen[bytes], local_server.Address]:
    port_file, log = folder / "port", folder / "server.log"
    port_file.unlink(missing_ok=True)
    process = local_server.start(Path(sys.executable), data, port=0, port_file=port_file, log=log)
    try:
        return process, local_server.wait_until_healthy(process, port_file, data, log=log)
    except BaseException:
        local_server.stop(process)
        raise


def _take_pictures(variant: Variant, office: Path, folder: Path, out: Path, only: str | None, text: int = 100) -> None:
    folder.mkdir()
    data = folder / "server"
    shutil.copytree(office, data)
    process, address = _start_backend(data, folder)
    try:
        size = (1440 * variant.scale, 900 * variant.scale)
        with DesktopSession(size=size, tray="xembed", notifications="dunst", keyring=True) as session:
            _drive_client(session, variant, address, out, only, text)
    finally:
        local_server.stop(process)


def _drive_client(
    session: DesktopSession, variant: Variant, address: local_server.Address, out: Path, only: str | None, text: int
) -> None:
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "desktop.app.tour",
        "--server",
        address.url,
        "--ca",
        address.ca_file,
        "--out",
        out,
    ]
    argv += ["--theme", variant.theme, "--lang", variant.language, "--scale", str(variant.scale), "--text", str(text)]
    if only:
        argv += ["--only", only]
    with Step(f"tour {variant.name}") as step:
        client = session.popen("tour", argv)
        deadline = time.monotonic() + VARIANT_SECONDS
        while client.poll() is None and time.monotonic() < deadline:
            step.note(f"{_count(out, variant)} pictures")
            time.sleep(POLL_SECONDS)
        taken = _count(out, variant)
        step.note(f"{taken} pictures")
        if client.poll() != 0 or not taken:
            session.screenshot(out / f"failed-{variant.name}.png")
            ending = "did not end in time" if client.poll() is None else f"ended with code {client.returncode}"
            raise StepFailed(
                f"The client {ending}, after {taken} pictures; the screen then: failed-{variant.name}.png\n"
                f"{session.log('tour', FAILURE_LINES)}"
            )


def _count(out: Path, variant: Variant) -> int:
    return sum(1 for path in out.glob(f"*-{variant.name}.png") if not path.name.startswith("failed-"))


if __name__ == "__main__":
    sys.exit(main())
