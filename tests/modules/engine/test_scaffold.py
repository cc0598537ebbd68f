"""`dev.py module new`: what it writes passes every check as it is, in a copy of the tree; names that cannot be used are refused."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from build_scripts.environment import ROOT
from build_scripts.progress import StepFailed
from build_scripts.scaffold import Wanted, make_module

WANTED = Wanted(id="key_loans", zh="钥匙借用", en="Key loans", type_name="KeyLoan", icon="ph.key", rules=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """As much of the tree as checks of a module need; of the modules only those of the engine, whatever others are at."""
    root = tmp_path / "tree"
    ignore = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in ("server_stub", "build_scripts", "resources/demo", "resources/protocol"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    for name in ("tests/modules/conftest.py", "tests/modules/office_bench.py", "pyproject.toml", "tests/conftest.py"):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    for folder in (root / "server_stub" / "modules").glob("*/module.toml"):
        if folder.parent.name not in ("notices", "library"):
            shutil.rmtree(folder.parent)
    return root


def run(root: Path, *words: str) -> str:
    """A program in the copy; its output. Fails when it fails."""
    done = subprocess.run(
        [sys.executable, *words], cwd=root, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("wanted", [WANTED, Wanted(id="keys", zh="钥匙", en="Keys")], ids=["with rules", "plain"])
def test_a_new_folder_passes_as_it_is(copy: Path, wanted: Wanted) -> None:
    made = make_module(wanted, copy)
    names = {path.relative_to(copy).as_posix() for path in made}
    folder = f"server_stub/modules/{wanted.id}"
    expected = {f"{folder}/{name}" for name in ("__init__.py", "module.toml", "samples.toml")}
    expected |= {f"{folder}/rules.py"} if wanted.rules else set()
    assert names == {*expected, f"tests/modules/{wanted.id}/test_{wanted.id}.py"}
    python = [str(path) for path in made if path.suffix == ".py"]
    checked = run(
        copy,
        "-c",
        "from pathlib import Path; from build_scripts.check_modules import *;"
        f"import sys; found = [one for one in check_modules() if {wanted.id!r} in one]; print(found); sys.exit(bool(found))",
    )
    assert checked.strip() == "[]"
    run(copy, "-m", "ruff", "format", "--check", *python)
    run(copy, "-m", "ruff", "check", *python)
    tested = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/modules/{wanted.id}")
    assert "4 passed" in tested


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        (Wanted(id="Keys", zh="钥匙", en="Keys"), "is no module id"),
        (Wanted(id="../keys", zh="钥匙", en="Keys"), "is no module id"),
        (Wanted(id="keys", zh="钥匙", en="Keys", type_name="key"), "is no type name"),
        (Wanted(id="keys", zh=" ", en="Keys"), "--label-zh needs a text"),
        (Wanted(id="keys", zh="钥匙", en='"Keys"'), "--label-en needs a text"),
        (Wanted(id="keys", zh="钥匙", en="Keys", group="other"), "the group is one of"),
        (Wanted(id="notices", zh="公告", en="Notices"), "is there already"),
        (Wanted(id="news", zh="新闻", en="News", type_name="Notice"), "the module notices has a type Notice already"),
    ],
)
def test_names_that_cannot_be_used_are_refused(tmp_path: Path, wanted: Wanted, complaint: str) -> None:
    notices = tmp_path / "server_stub" / "modules" / "notices"
    notices.mkdir(parents=True)
    (notices / "module.toml").write_text('[[types]]\nname = "Notice"\n', encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StepFailed, match=re.escape(complaint)):
        make_module(wanted, tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
