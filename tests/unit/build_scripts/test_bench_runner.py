"""The bench runner: which benches there are, what it prints and writes, and that a failed bench is never a good figure."""

import json
from pathlib import Path

import pytest

from build_scripts import bench_runner


@pytest.fixture
def benches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "quick.py").write_text("def main(argv):\n    return {}\n", encoding="utf-8")
    (tmp_path / "tool.py").write_text("def percentile(values):\n    return 0\n", encoding="utf-8")
    monkeypatch.setattr(bench_runner, "BENCHES", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("benches")
def test_a_bench_is_a_module_with_a_main() -> None:
    assert bench_runner.bench_names() == ["quick"]


@pytest.mark.usefixtures("benches")
def test_an_unknown_bench_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        bench_runner.main(["fast"])
    assert end.value.code == 2
    assert "no such bench: fast; there are: quick" in capsys.readouterr().err


@pytest.mark.usefixtures("benches")
def test_figures_are_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"p50 ms": 0.25, "reference": {"bare echo p50 ms": 0.125}}
    monkeypatch.setattr(bench_runner, "_run_bench", lambda *_, **__: figures)
    assert bench_runner.main(["quick", "--json", str(tmp_path / "out" / "figures.json")]) == 0
    assert "reference · bare echo p50 ms" in capsys.readouterr().out
    written = json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))
    assert written["benches"] == {"quick": figures}
    assert written["machine"]["cores"]


def test_a_bench_that_fails_fails_the_run(benches: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (benches / "no_such_module_in_the_real_folder.py").write_text("def main(argv):\n    return {}\n", encoding="utf-8")
    assert bench_runner.main(["no_such_module_in_the_real_folder"]) == 1
    assert "no_such_module_in_the_real_folder: FAILED" in capsys.readouterr().out
