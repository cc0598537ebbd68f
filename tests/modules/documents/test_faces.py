"""Which families the press takes: the official face where there is one, else the open one, bold for titles; and what it is told on the way in and out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from server_stub.modules.documents.typesetting import press_child
from server_stub.modules.documents.typesetting.faces import FALLBACK, OFFICIAL
from server_stub.modules.documents.typesetting.press import PressFailed, read_answer

FACES = {role: [list(OFFICIAL[role]), list(FALLBACK[role])] for role in OFFICIAL}


def test_official_faces_come_first() -> None:
    chosen = press_child.choose_faces(FACES, {"方正小标宋简体", "FangSong", "Noto Serif CJK SC", "SimHei"})
    assert chosen["title"] == {"family": "方正小标宋简体", "weight": "regular", "official": True}
    assert chosen["body"] == {"family": "FangSong", "weight": "regular", "official": True}
    assert chosen["hei"] == {"family": "SimHei", "weight": "regular", "official": True}
    assert chosen["kai"] == {"family": "Noto Serif CJK SC", "weight": "regular", "official": False}


def test_without_them_the_open_faces_stand_in_and_titles_are_bold() -> None:
    chosen = press_child.choose_faces(FACES, {"Noto Serif CJK SC", "Noto Sans CJK SC"})
    assert chosen["title"] == {"family": "Noto Serif CJK SC", "weight": "bold", "official": False}
    assert chosen["hei"]["family"] == "Noto Sans CJK SC"


def test_every_role_has_an_official_name_and_a_fallback() -> None:
    assert OFFICIAL.keys() == FALLBACK.keys() == {"title", "body", "kai", "hei", "digits"}
    assert all(OFFICIAL.values())
    assert all(FALLBACK.values())


@pytest.mark.parametrize("answer", [b"", b"{}\n<html>", b'{"pages": 1}\n', b"no json\n%PDF-1.7"])
def test_an_answer_that_is_no_paper_is_a_failure(answer: bytes) -> None:
    with pytest.raises(PressFailed):
        read_answer(answer)


def test_the_press_knows_nothing_of_this_project() -> None:
    """It runs isolated (-I): a folder called as a module of the standard library next to it changes nothing."""
    child = Path(press_child.__file__)
    done = subprocess.run(
        [sys.executable, "-I", str(child)], input=json.dumps({}).encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"server_stub." not in done.stderr
