"""A step says one line when it ends, and everything when it fails."""

import sys
from pathlib import Path

import pytest

from build_scripts.progress import Step, StepFailed, run_step


def test_a_good_step_is_one_line_with_its_time(capsys: pytest.CaptureFixture[str]) -> None:
    with Step("make tea") as step:
        step.note("2 of 2 cups")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("  make tea (2 of 2 cups): ok, ")


def test_output_of_a_good_command_is_watched_and_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []
    run_step(
        "list",
        [sys.executable, "-c", "print('one'); print('two')"],
        cwd=tmp_path,
        watch=lambda _, line: seen.append(line),
    )
    assert [line.strip() for line in seen] == ["one", "two"]
    assert "one" not in capsys.readouterr().out


def test_a_failed_command_shows_its_code_and_the_end_of_its_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "for number in range(500): print('line', number)\nraise SystemExit(7)"
    with pytest.raises(StepFailed, match="ended with code 7") as failure:
        run_step("count", [sys.executable, "-c", code], cwd=tmp_path)
    assert "line 499" in str(failure.value)
    assert "line 100\n" not in str(failure.value)
    assert "count: FAILED" in capsys.readouterr().out


def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no-such-command"):
        run_step("try", ["no-such-command"], cwd=tmp_path)


def test_any_bytes_of_output_are_borne(tmp_path: Path) -> None:
    run_step("noise", [sys.executable, "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)))"], cwd=tmp_path)
