"""What the user sees of updates: the card in every state, the words, when a swap waits. And the program's own part: hand-over and trial."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal

from desktop.app import updating, updating_start
from desktop.app.options import parse_options
from desktop.app.updating import Updating, is_night
from desktop.core.clock import SystemClock, local_minutes
from desktop.core.services.updating import Doing, Installed, UpdateStatus
from desktop.core.services.updating_journal import Journal, Phase, Place, load_journal, save_journal
from desktop.ui import i18n
from desktop.ui.settings.update_rows import UpdateGroup
from desktop.ui.updates import PROBLEMS, When, blocked_text, state_text, update_note, voice_is_unsent
from tests.helpers.update_scene import PROGRAM, make_bundle


class Verbs(QObject):
    """The updates of a screen in memory."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.status = UpdateStatus(Doing.IDLE, "1.0.0")
        self.when: When = "quit"
        self.asked: list[str] = []

    def show(self, status: UpdateStatus) -> None:
        self.status = status
        self.changed.emit(status)

    def check(self) -> None:
        self.asked.append("check")

    def choose(self, when: When) -> None:
        self.when = when
        self.asked.append(when)

    def read(self) -> None:
        self.asked.append("read")


NOTES = (("zh", "修复收文列表"), ("en", "Mends the list"))


def test_the_card_follows_the_service(qapp: object) -> None:
    verbs = Verbs()
    card = UpdateGroup(verbs)
    assert card.when.isHidden() and card.progress.isHidden() and card.outcome.isHidden()  # noqa: PT018
    card._check.click()
    verbs.show(UpdateStatus(Doing.FETCHING, "1.0.0", "1.1.0", NOTES, size=2_000_000, done=500_000))
    assert not card.progress.isHidden()
    assert card.bar.value() == 250
    assert not card._check.isEnabled()
    verbs.show(UpdateStatus(Doing.READY, "1.0.0", "1.1.0", NOTES))
    assert card.progress.isHidden()
    assert "1.1.0" in card.state.hint.text()
    assert card.news.hint.text() == dict(NOTES)[i18n.language()]
    card.buttons["tonight"].click()
    verbs.show(UpdateStatus(Doing.IDLE, "1.0.0", outcome="rolledBack", outcome_version="1.1.0"))
    assert card.when.isHidden()
    assert "1.0.0" in card.outcome.hint.text()
    assert "1.1.0" in card.outcome.hint.text()
    card._understood.click()
    assert verbs.asked == ["check", "tonight", "read"]
    assert card.filter("")  # the page's search shows no row that has nothing to say
    assert card.when.isHidden()
    assert not card.outcome.isHidden()
    card.deleteLater()


def test_every_state_has_its_words() -> None:
    states = [UpdateStatus(Doing.OFF, off=off) for off in ("policy", "key", "folder", "sources")]
    states += [UpdateStatus(Doing.IDLE, problem=problem) for problem in (*PROBLEMS, "refused")]
    states += [UpdateStatus(doing, version="1.1.0", checked_at=1) for doing in Doing if doing is not Doing.OFF]
    texts = [state_text(status) for status in states]
    assert all(texts)
    assert not any(text.startswith("updates.") for text in texts)
    assert len(set(texts)) == len(texts)
    assert update_note(UpdateStatus(Doing.READY, version="1.1.0"))
    assert update_note(UpdateStatus()) == ""
    assert all(word not in blocked_text(["transfers", "voice"]) for word in ("updates.", "{"))


class NoBridge:
    """No core thread is wanted here."""


def running(tmp_path: Path, busy: list[str]) -> Updating:
    installed = Installed(Place(tmp_path / "app"), "1.0.0", "tongban", tmp_path / "root.json", "d")
    options = parse_options(["--data-dir", str(tmp_path / "data")])
    clock = SystemClock()
    return Updating(
        options, NoBridge(), clock, version=lambda: "1.0.0", device="d", channel=None, busy=lambda: busy, installed=installed  # type: ignore[arg-type]
    )  # fmt: skip


def test_never_in_the_middle_of_something(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = ["transfers"]
    mine = running(tmp_path, busy)
    ended: list[bool] = []
    blocked: list[list[str]] = []
    mine.end_asked.connect(lambda: ended.append(True))
    mine.blocked.connect(blocked.append)
    mine._on_told(UpdateStatus(Doing.READY, "1.0.0", "1.1.0"))
    mine.choose("now")
    assert (ended, blocked) == ([], [["transfers"]])
    assert not mine.finish()  # nor at the end of the program, while another account transfers
    busy.clear()
    mine._on_minute()
    assert ended == [True]
    mine.choose("tonight")
    monkeypatch.setattr(updating, "is_night", lambda _: False)
    mine._on_minute()
    assert ended == [True]
    monkeypatch.setattr(updating, "is_night", lambda _: True)
    mine._on_minute()
    assert ended == [True, True]
    mine._timer.stop()
    save_journal(mine.installed.place, Journal(Phase.READY, "1.1.0", "1.0.0"))  # type: ignore[union-attr]
    make_bundle(mine.installed.place.next, "1.1.0")  # type: ignore[union-attr]
    mine.stand_back()  # an installer asked us to end
    assert not mine.finish()
    assert updating_start._kept == []


def test_the_night_is_the_machines_own() -> None:
    now = 1_790_000_000_000
    midnight = now - now % 86_400_000 - local_minutes(now) * 60_000
    hours = [is_night(midnight + hour * 3_600_000) for hour in (1, 7, 12, 19, 21)]
    assert hours == [True, False, False, False, True]


def test_no_voice_is_unsent_where_no_bar_records(qapp: object) -> None:
    assert not voice_is_unsent()


@pytest.mark.skipif(os.name != "posix", reason="the small programs are shell scripts")
def test_the_staged_program_waits_for_the_end_then_takes_the_place(tmp_path: Path) -> None:
    """A real hand-over: `--apply-update` in a process of its own, begun while this one still holds the pipe."""
    place = Place(make_bundle(tmp_path / "app", "1.0.0"))
    make_bundle(place.next, "1.1.0")
    # What a bundle does with its own code, the staged script does with ours.
    apply = f"""#!/bin/sh
cd {Path.cwd()} && exec {sys.executable} -c 'import sys
from desktop.app.options import parse_options
from desktop.app.updating_start import run_apply
sys.exit(run_apply(parse_options(sys.argv[1:])))' "$@"
"""
    (place.next / "tongban").write_text(
        PROGRAM.replace("#!/bin/sh\n", '#!/bin/sh\n[ "$1" != --apply-update ] || exec "$(dirname "$0")/apply" "$@"\n')
    )
    (place.next / "apply").write_text(apply)
    (place.next / "apply").chmod(0o755)
    save_journal(place, Journal(Phase.READY, "1.1.0", "1.0.0"))
    options = parse_options(["--data-dir", str(tmp_path / "data")])
    assert updating_start.hand_over(place, options, restart=True)
    process = updating_start._kept.pop()
    assert isinstance(process, subprocess.Popen)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)  # this program has not ended yet
    assert (place.install / "VERSION").read_text() == "1.0.0"
    assert process.stdin is not None
    process.stdin.close()  # as the end of this program would
    assert process.wait(60) == updating_start.DONE
    assert (place.install / "VERSION").read_text() == "1.1.0"
    assert load_journal(place).phase is Phase.CONFIRMED
    assert updating_start.begin(options, "1.1.0", place.install)
    assert not place.previous.exists()


def test_a_version_that_never_confirms_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(make_bundle(tmp_path / "app", "1.1.0"))
    make_bundle(place.previous, "1.0.0")
    save_journal(place, Journal(Phase.TRIAL, "1.1.0", "1.0.0"))
    options = parse_options(["--data-dir", str(tmp_path / "data")])
    asked: list[tuple[Path, list[str]]] = []
    monkeypatch.setattr(updating_start, "spawn", lambda _place, source, more: asked.append((source, list(more))))
    assert [updating_start.begin(options, "1.1.0", place.install) for _ in range(3)] == [True, True, False]
    assert asked[0][0] == place.previous
    assert asked[0][1][:2] == ["--roll-back", "--restart"]
    again = parse_options(["--apply-update", str(place.install), "--roll-back", "--data-dir", str(tmp_path / "data")])
    reading, writing = os.pipe()
    os.close(writing)
    assert updating_start.run_apply(again, stdin=reading) == updating_start.DONE
    os.close(reading)
    assert (place.install / "VERSION").read_text() == "1.0.0"
    assert load_journal(place).refused == ("1.1.0",)
    shutil.rmtree(place.home)
    assert updating_start.begin(options, "1.0.0", place.install)
