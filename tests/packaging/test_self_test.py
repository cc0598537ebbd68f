"""`tongban --self-test`, unbundled: whole as a program, and what it says of parts that fail."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.app.self_test import CheckFailed, Result, all_checks, run_checks
from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.errors import InvalidCredentials
from desktop.core.net.loopback import LOGIN, LoopbackOffice, serving
from desktop.core.services.client import Client

ROOT = Path(__file__).resolve().parents[2]


def test_all_parts_of_this_checkout_work(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "desktop", "--self-test", "--json", "--report", str(report)],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    document = json.loads(done.stdout)
    assert [one for one in document["checks"] if not one["ok"]] == []
    assert (done.returncode, document["ok"], document["bundled"]) == (0, True, False)
    assert {one["name"] for one in document["checks"]} == set(all_checks())
    assert json.loads(report.read_text(encoding="utf-8")) == document


def test_a_part_that_fails_is_told_and_the_next_runs(tmp_path: Path) -> None:
    def broken(_: Path) -> str:
        raise CheckFailed("no glyphs")

    def missing(_: Path) -> str:
        raise ImportError("libnovel.so.9")

    told: list[Result] = []
    results = run_checks({"a": broken, "b": missing, "c": lambda folder: folder.name}, tmp_path, told=told.append)
    assert [(one.name, one.ok, one.found) for one in results] == [
        ("a", False, "no glyphs"),
        ("b", False, "ImportError: libnovel.so.9"),
        ("c", True, "c"),
    ]
    assert told == results


def test_the_loopback_office_lets_nobody_in_without_its_password(tmp_path: Path) -> None:
    async def knock() -> None:
        clock = SystemClock()
        async with (
            serving(LoopbackOffice(), clock) as office,
            await Client.open(tmp_path, keychain=MemoryKeychain(), clock=clock) as client,
        ):
            with pytest.raises(InvalidCredentials):
                await client.sign_in(office.url, LOGIN, office.password + "x", remember=False)

    asyncio.run(knock())
