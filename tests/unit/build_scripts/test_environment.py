"""The environment is made anew when it must be, only then, and says what is wrong."""

from pathlib import Path

import pytest

from build_scripts import environment
from build_scripts.progress import StepFailed


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own with a lock, and a list of the steps that would be run in steps.txt."""
    (tmp_path / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:00\nb==2\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'x'\n[tool.ruff]\nline-length = 100\n", encoding="utf-8"
    )
    monkeypatch.delenv(environment.OWN_VENV_VARIABLE, raising=False)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "LOCK", tmp_path / "requirements.lock")
    monkeypatch.setattr(environment, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(environment, "_works", lambda venv: venv.exists())
    monkeypatch.setattr(environment, "run_step", lambda title, argv, **_: note_step(tmp_path, title))
    return tmp_path


def note_step(tree: Path, title: str) -> None:
    (tree / ".venv").mkdir(exist_ok=True)
    with (tree / "steps.txt").open("a", encoding="utf-8") as file:
        file.write(" ".join(title.split()[:2]) + "\n")


def steps(tree: Path) -> list[str]:
    """The steps since the last call."""
    file = tree / "steps.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_the_first_time_everything_is_installed_and_then_nothing(tree: Path) -> None:
    environment.ensure_environment()
    assert steps(tree) == ["make .venv", "install what", "install the"]
    environment.ensure_environment()
    assert steps(tree) == []


def test_a_new_lock_is_installed_into_the_same_environment(tree: Path) -> None:
    environment.ensure_environment()
    steps(tree)
    (tree / "requirements.lock").write_text("a==2\n", encoding="utf-8")
    environment.ensure_environment()
    assert steps(tree) == ["install what", "install the"]


def test_the_projects_table_asks_for_the_project_only_and_a_checkers_setting_for_nothing(tree: Path) -> None:
    environment.ensure_environment()
    steps(tree)
    text = (tree / "pyproject.toml").read_text(encoding="utf-8")
    (tree / "pyproject.toml").write_text(text.replace("100", "120"), encoding="utf-8")
    environment.ensure_environment()
    assert steps(tree) == []
    (tree / "pyproject.toml").write_text(text.replace("'x'", "'y'"), encoding="utf-8")
    environment.ensure_environment()
    assert steps(tree) == ["install the"]


def test_a_broken_environment_is_made_anew(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.ensure_environment()
    steps(tree)
    monkeypatch.setattr(environment, "_works", lambda _: False)
    environment.ensure_environment()
    assert steps(tree) == ["make .venv", "install what", "install the"]


def test_an_installation_that_fails_is_tried_again(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(title: str, *_: object, **__: object) -> None:
        note_step(tree, title)
        raise StepFailed("no network")

    working = environment.run_step
    monkeypatch.setattr(environment, "run_step", fail)
    with pytest.raises(StepFailed, match="no network"):
        environment.ensure_environment()
    steps(tree)
    monkeypatch.setattr(environment, "run_step", working)
    environment.ensure_environment()
    assert "install what" in steps(tree)


def test_an_environment_of_ones_own_is_left_alone(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(environment.OWN_VENV_VARIABLE, str(tree / "mine"))
    with pytest.raises(StepFailed, match="there is no Python in it"):
        environment.ensure_environment()
    python = environment.venv_python()
    python.parent.mkdir(parents=True)
    python.touch()
    assert environment.ensure_environment() == python
    assert steps(tree) == []
