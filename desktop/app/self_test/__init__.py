"""`tongban --self-test`: tries each part of an installed program offline and says what works. Run on every bundle that is built.

A check is a plain function that returns what it found and raises CheckFailed (or anything) when the part does not work.
Nothing of the user's is touched: files lie in a folder of its own, the keychain entry is one of ours and goes again.
"""

import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger("tongban.self_test")

Check = Callable[[Path], str]


class CheckFailed(Exception):
    """The part does not work; the text says what was seen."""


@dataclass(frozen=True, slots=True)
class Result:
    """How one check went; `took` in seconds."""

    name: str
    ok: bool
    found: str
    took: float


def run_self_test(*, as_json: bool = False, report: Path | None = None, only: tuple[str, ...] = ()) -> int:
    """Runs all checks (or those named); the exit code: 0 when all passed, else 1.

    Args:
        as_json: one JSON object on standard output instead of a line each.
        report: the same JSON into a file as well: a Windows program without a console has no standard output.
    """
    from desktop.app.self_test.screen_checks import screen

    with tempfile.TemporaryDirectory(prefix="tongban-self-test-", ignore_cleanup_errors=True) as folder, screen():
        results = run_checks(all_checks(only), Path(folder), told=None if as_json else _tell)
    good = all(result.ok for result in results)
    document = json.dumps(_document(results), ensure_ascii=False, indent=1)
    if as_json:
        _say(document)
    if report is not None:
        report.write_text(document, encoding="utf-8")
    if not as_json:
        _say("self-test: " + ("all parts work" if good else f"{sum(not one.ok for one in results)} parts do not work"))
    return 0 if good else 1


def all_checks(only: tuple[str, ...] = ()) -> dict[str, Check]:
    """The checks by name, in the order in which they run."""
    from desktop.app.self_test import core_checks, screen_checks

    checks: dict[str, Check] = {**screen_checks.CHECKS, **core_checks.CHECKS}
    return {name: check for name, check in checks.items() if not only or name in only}


def run_checks(
    checks: Mapping[str, Check], folder: Path, *, told: Callable[[Result], None] | None = None
) -> list[Result]:
    """Runs the checks one after the other; one that fails in whatever way is a result like the others."""
    results: list[Result] = []
    for name, check in checks.items():
        own = folder / name
        own.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        try:
            ok, found = True, check(own)
        except CheckFailed as failure:
            ok, found = False, str(failure)
        except Exception as error:
            log.debug("%s", name, exc_info=True)
            ok, found = False, f"{type(error).__name__}: {error}"
        results.append(Result(name, ok, found, round(time.perf_counter() - begun, 3)))
        if told is not None:
            told(results[-1])
    return results


def _document(results: list[Result]) -> dict[str, object]:
    return {
        "ok": all(result.ok for result in results),
        "bundled": bool(getattr(sys, "frozen", False)),
        "python": sys.version.split()[0],
        "checks": [asdict(result) for result in results],
    }


def _tell(result: Result) -> None:
    _say(f"{'ok  ' if result.ok else 'FAIL'}  {result.name:<12} {result.found}")


def _say(text: str) -> None:
    if sys.stdout is not None:  # a Windows program without a console has none
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
