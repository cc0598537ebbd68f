"""The tour's index and its rule that no old picture stands in for a new one."""

from pathlib import Path

import pytest

from build_scripts import tour


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in (
        "chat-dark-zh",
        "chat-light-zh",
        "chat-light-zh-2x",
        "login-wrong-password-light-en",
        "failed-light-zh",
        "logo",
    ):
        (tmp_path / f"{name}.png").write_bytes(b"")
    return tmp_path


def test_the_index_shows_every_picture_once_by_page(pictures: Path) -> None:
    shown = [path.stem for path in tour.write_index(pictures)]
    assert shown == [
        "chat-light-zh",
        "chat-dark-zh",
        "chat-light-zh-2x",
        "failed-light-zh",
        "login-wrong-password-light-en",
    ]
    text = (pictures / "index.html").read_text(encoding="utf-8")
    assert "<h2>login-wrong-password</h2>" in text
    assert text.count("<img ") == len(shown)


def test_old_pictures_of_the_looks_to_take_are_removed(pictures: Path) -> None:
    tour._forget_old_pictures(pictures, None, {"light-zh"})
    left = {path.stem for path in pictures.glob("*.png")}
    assert left == {"chat-dark-zh", "chat-light-zh-2x", "login-wrong-password-light-en", "logo"}


def test_one_page_leaves_the_others(pictures: Path) -> None:
    tour._forget_old_pictures(pictures, "login", {"light-zh", "light-en"})
    left = {path.stem for path in pictures.glob("*.png")}
    assert left == {"chat-dark-zh", "chat-light-zh", "chat-light-zh-2x", "logo"}
