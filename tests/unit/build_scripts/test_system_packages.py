"""What the system lacks is found by looking for the thing itself, and asked for in one command."""

import sys

import pytest

from build_scripts import system_packages
from build_scripts.system_packages import Need


@pytest.mark.parametrize(
    ("need", "met"),
    [
        (Need("python3", "program", sys.executable), True),
        (Need("nothing", "program", "no-such-program"), False),
        (Need("nothing", "library", "libno-such-library.so.1"), False),
        (Need("nothing", "font", "NoSuchFont*"), False),
    ],
)
def test_a_need_is_met_when_the_thing_is_there(need: Need, met: bool) -> None:
    assert need.is_met() is met


def test_who_may_not_install_is_told_the_one_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = (Need("libabsent1", "library", "libabsent.so.1"), Need("absent", "program", "absent-program"))
    monkeypatch.setattr(system_packages, "install_packages", lambda _: False)
    monkeypatch.setattr(system_packages.sys, "platform", "linux")
    assert system_packages.provide(absent) == list(absent)
    assert "sudo apt-get install -y --no-install-recommends absent libabsent1" in capsys.readouterr().out


def test_who_may_install_gets_each_package_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(system_packages, "install_packages", lambda packages: asked.append(packages) or True)
    monkeypatch.setattr(system_packages.sys, "platform", "linux")
    twice = (Need("pair", "program", "no-such-left"), Need("pair", "program", "no-such-right"))
    assert system_packages.provide(twice) == list(twice), "still missing is still said"
    assert asked == [["pair"]]


def test_other_systems_need_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages.sys, "platform", "win32")
    assert system_packages.missing_needs((Need("nothing", "program", "no-such-program"),)) == []


def test_what_the_window_needs_is_here() -> None:
    """This machine ran the installation that comes before the tests; a wrong name in the list would be missing for ever."""
    assert system_packages.missing_needs(system_packages.WINDOW + system_packages.SCREEN) == []
