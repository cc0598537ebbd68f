"""Updates of the client: v1 → v2 → broken v3 → still v2, each refusal, each crash. The repository is really signed."""

import asyncio
import io
import os
import random
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from build_scripts.package import update_repo
from build_scripts.progress import StepFailed
from desktop.core.errors import BadFile, StorageUnavailable
from desktop.core.services import updating, updating_swap
from desktop.core.services.updating import Doing, Installed, program_of
from desktop.core.services.updating_archive import pack_folder, unpack
from desktop.core.services.updating_choice import Plan, Release, choose_release, stage_of
from desktop.core.services.updating_delta import DeltaBroken, apply_delta, make_delta
from desktop.core.services.updating_journal import Journal, Phase, load_journal, save_journal
from desktop.core.services.updating_swap import Found, Outcome, apply_update, confirm, recover, repair
from tests.helpers.update_scene import NAME, FolderSource, install, make_bundle, service, version_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the small programs are shell scripts")


@dataclass
class Repo:
    """A repository with 1.0.0, 1.1.0 and the bundles; what was served before 1.1.0 lies in `old`."""

    folder: Path
    old: Path
    keys: Path
    bundles: dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    root = tmp_path_factory.mktemp("updates")
    bundles = {
        "1.0.0": make_bundle(root / "b1", "1.0.0"),
        "1.1.0": make_bundle(root / "b2", "1.1.0"),
        "1.2.0": make_bundle(root / "b3", "1.2.0", self_test=1),
        "1.3.0": make_bundle(root / "b4", "1.3.0", starts=False),
    }
    repository = update_repo.open_repository(root / "repo", root / "keys")
    update_repo.add_release(repository, bundles["1.0.0"], "1.0.0", update_repo.News())
    shutil.copytree(root / "repo", root / "old")
    news = update_repo.News(zh="修复收文列表", en="Mends the list of documents")
    update_repo.add_release(repository, bundles["1.1.0"], "1.1.0", news)
    return Repo(root / "repo", root / "old", root / "keys", bundles)


@pytest.fixture
def repo(made: Repo, tmp_path: Path) -> Repo:
    """A copy that a test may change."""
    shutil.copytree(made.folder, tmp_path / "repo")
    return Repo(tmp_path / "repo", made.old, made.keys, made.bundles)


@pytest.fixture
def app(repo: Repo, tmp_path: Path) -> Installed:
    return install(tmp_path, repo.bundles["1.0.0"], repo.folder, "1.0.0")


Starter = Callable[[Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Starter]:
    running: list[subprocess.Popen[bytes]] = []

    def run(folder: Path) -> "subprocess.Popen[bytes]":
        running.append(subprocess.Popen([program_of(folder)]))
        return running[-1]

    yield run
    for process in running:
        process.wait(10)


def publish(repo: Repo, version: str, **news: object) -> None:
    repository = update_repo.open_repository(repo.folder, repo.keys)
    update_repo.add_release(repository, repo.bundles[version], version, update_repo.News(**news))  # type: ignore[arg-type]


def update(app: Installed, source: FolderSource, current: str | None = None) -> updating.UpdateStatus:
    return asyncio.run(service(app, source, current).update())


def test_from_v1_to_v2_then_by_patch_and_two_broken_ones_leave_v2(app: Installed, repo: Repo, start: Starter) -> None:
    source = FolderSource(repo.folder)
    ready = update(app, source)
    assert (ready.doing, ready.version, ready.problem) == (Doing.READY, "1.1.0", "")
    assert dict(ready.notes)["zh"] == "修复收文列表"
    assert version_of(app) == "1.0.0"  # ready is not yet in place
    assert apply_update(app.place, start, limit_s=10) is Outcome.UPDATED
    assert version_of(app) == "1.1.0"
    assert (app.place.install / "lib.so").is_symlink()
    assert os.access(program_of(app.place.install), os.X_OK)
    assert recover(app.place, "1.1.0") is Found.NOTHING
    assert not app.place.next.exists()
    assert not app.place.previous.exists()

    publish(repo, "1.2.0")  # its self-test fails
    source.asked.clear()
    broken = update(app, source, "1.1.0")
    assert source.targets == [f"{NAME}-1.2.0.patch"]
    assert (broken.doing, broken.problem, version_of(app)) == (Doing.IDLE, "selfTest", "1.1.0")
    source.asked.clear()
    assert update(app, source, "1.1.0").doing is Doing.IDLE
    assert source.targets == []  # not tried again

    publish(repo, "1.3.0")  # its self-test passes, yet it does not start
    assert update(app, source, "1.1.0").doing is Doing.READY
    assert apply_update(app.place, start, limit_s=10) is Outcome.ROLLED_BACK
    assert version_of(app) == "1.1.0"
    journal = load_journal(app.place)
    assert (journal.phase, journal.refused, journal.told) == (Phase.ROLLED_BACK, ("1.2.0", "1.3.0"), False)
    again = service(app, source, "1.1.0")
    assert (again.status.outcome, again.status.outcome_version) == ("rolledBack", "1.3.0")
    again.read_outcome()
    assert asyncio.run(again.update()).doing is Doing.IDLE
    assert load_journal(app.place).told


def test_a_cut_cable_resumes_where_it_was(app: Installed, repo: Repo) -> None:
    source = FolderSource(repo.folder)
    source.cut = 8192
    assert update(app, source).problem == "offline"
    source.cut = None
    again = service(app, source, down_limit=10**9)
    assert asyncio.run(again.update()).doing is Doing.READY
    assert again.pace.limit == 10**9
    offsets = [offset for path, offset in source.asked if "/targets/" in path]
    assert offsets == [0, 8192]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def forge(path: Path) -> None:
    text = path.read_text().replace('"version": ', '"version": 9', 1)
    path.write_text(text)


REFUSALS: dict[str, tuple[Callable[[Repo], object], str]] = {
    "tampered archive": (lambda r: flip(r.folder / "targets" / f"{NAME}-1.1.0.tar.gz"), "damaged"),
    "forged timestamp": (lambda r: forge(r.folder / "metadata" / "timestamp.json"), "signature"),
    "forged targets": (lambda r: forge(r.folder / "metadata" / "targets.json"), "signature"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(name: str, app: Installed, repo: Repo) -> None:
    spoil, problem = REFUSALS[name]
    spoil(repo)
    status = update(app, FolderSource(repo.folder))
    assert (status.doing, status.problem, version_of(app)) == (Doing.IDLE, problem, "1.0.0")
    assert not app.place.next.exists()
    assert load_journal(app.place).phase is Phase.IDLE


def test_rolled_back_metadata_is_refused(app: Installed, repo: Repo) -> None:
    assert update(app, FolderSource(repo.folder)).doing is Doing.READY
    assert update(app, FolderSource(repo.old)).problem == "rolledBack"


def test_expired_metadata_is_refused(app: Installed, repo: Repo) -> None:
    repository = update_repo.open_repository(repo.folder, repo.keys)
    repository.expiration_days["timestamp"] = -1
    update_repo.publish(repository)
    assert update(app, FolderSource(repo.folder)).problem == "expired"


def test_another_ones_signatures_are_refused(app: Installed, repo: Repo, tmp_path: Path) -> None:
    other = update_repo.open_repository(tmp_path / "other", tmp_path / "keys")
    update_repo.add_release(other, repo.bundles["1.1.0"], "1.1.0", update_repo.News())
    assert update(app, FolderSource(tmp_path / "other")).problem == "signature"


def test_a_full_disk_is_said_and_nothing_is_half(app: Installed, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(repo.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    assert update(app, FolderSource(repo.folder)).problem == "disk"
    assert not app.place.next.exists()


def test_the_office_holds_a_version_back_even_when_it_was_ready(app: Installed, repo: Repo) -> None:
    source = FolderSource(repo.folder)
    assert update(app, source).doing is Doing.READY
    source.plan = b'{"held":["1.1.0"]}'
    assert update(app, source).doing is Doing.IDLE
    assert load_journal(app.place).phase is Phase.IDLE


def test_two_clients_of_one_installation_do_not_meet(app: Installed, repo: Repo) -> None:
    source = FolderSource(repo.folder)
    with service(app, source)._owned():
        assert update(app, source).problem == "busy"


def test_without_a_key_in_the_build_nothing_is_asked(app: Installed, repo: Repo) -> None:
    app.anchor.unlink()
    source = FolderSource(repo.folder)
    status = update(app, source)
    assert (status.doing, status.off, source.asked) == (Doing.OFF, "key", [])


# ---------------------------------------------------------------- power loss at each step
class PowerCut(BaseException):
    """Nothing catches it."""


STEPS = ("journal", "copy", "exchange", "keep", "trial", "start")


@pytest.mark.parametrize("atomic", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("where", [*STEPS, "between"])
def test_power_loss_while_swapping(
    where: str, atomic: bool, app: Installed, repo: Repo, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not atomic:
        monkeypatch.setattr(updating_swap, "_exchange", lambda *_: False)
    elif where == "between":
        pytest.skip("there is no between")
    shutil.copytree(repo.bundles["1.1.0"], app.place.next, symlinks=True)
    save_journal(app.place, Journal(Phase.READY, "1.1.0", "1.0.0"))

    def cut(step: str) -> None:
        if step == where:
            raise PowerCut

    with pytest.raises(PowerCut):
        apply_update(app.place, start, step=cut)
    assert repair(app.place) is (where == "between")
    running = version_of(app)
    assert running == ("1.1.0" if where in ("keep", "trial", "start") else "1.0.0")
    found = recover(app.place, running)
    if running == "1.1.0":
        assert found is Found.TRIAL
        assert confirm(app.place, running)
        assert (app.place.previous / "VERSION").read_text() == "1.0.0"
    else:
        assert load_journal(app.place).phase is Phase.READY
        assert apply_update(app.place, start, limit_s=10) is Outcome.UPDATED
        assert version_of(app) == "1.1.0"
    assert recover(app.place, "1.1.0") is Found.NOTHING
    assert load_journal(app.place).phase is Phase.IDLE


@pytest.mark.parametrize("where", ["back", "copy", "exchange", "keep"])
def test_power_loss_while_going_back(where: str, app: Installed, repo: Repo, start: Starter) -> None:
    shutil.copytree(repo.bundles["1.3.0"], app.place.next, symlinks=True)
    save_journal(app.place, Journal(Phase.READY, "1.3.0", "1.0.0"))
    back = []

    def cut(step: str) -> None:
        back.append(step)
        if step == where and "back" in back:
            raise PowerCut

    with pytest.raises(PowerCut):
        apply_update(app.place, start, limit_s=10, step=cut)
    running = version_of(app)
    found = recover(app.place, running)
    while running == "1.3.0" and found is Found.TRIAL:  # it is started again and does not confirm
        found = recover(app.place, running)
    if running == "1.3.0":
        assert found is Found.GIVE_WAY
        updating_swap.roll_back(app.place, "start")
    assert version_of(app) == "1.0.0"
    assert load_journal(app.place).phase is Phase.ROLLED_BACK
    assert load_journal(app.place).refused == ("1.3.0",)


def test_put_in_place_when_the_user_quits_the_next_start_is_the_trial(app: Installed, repo: Repo) -> None:
    assert update(app, FolderSource(repo.folder)).doing is Doing.READY
    assert apply_update(app.place, None) is Outcome.UPDATED
    assert (version_of(app), load_journal(app.place).phase) == ("1.1.0", Phase.TRIAL)
    assert recover(app.place, "1.1.0") is Found.TRIAL
    assert confirm(app.place, "1.1.0")
    told = service(app, FolderSource(repo.folder), "1.1.0").status
    assert (told.outcome, told.outcome_version) == ("updated", "1.1.0")


# ---------------------------------------------------------------- archives and patches
def hostile(kind: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo({"up": "../out", "absolute": "/tmp/out", "stream": "a:b"}.get(kind, "inside"))
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "../../out"
    if kind == "device":
        member.type = tarfile.CHRTYPE
    if kind == "hard":
        member.type, member.linkname = tarfile.LNKTYPE, "/etc/hostname"
    return member


@pytest.mark.parametrize("kind", ["up", "absolute", "link", "device", "hard", "stream"])
def test_what_reaches_outside_is_not_unpacked(kind: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.addfile(hostile(kind))
    with pytest.raises(BadFile) as caught:
        unpack(tmp_path / "a.tar.gz", tmp_path / "deep" / "into")
    assert caught.value.data == {"reason": "unsafe"}
    assert not (tmp_path / "deep" / "into").exists()
    assert not (tmp_path / "out").exists()


def test_half_an_archive_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").write_bytes(os.urandom(9000))
    pack_folder(tmp_path / "f", tmp_path / "a.tar.gz")
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[:5000])
    with pytest.raises(BadFile) as caught:
        unpack(tmp_path / "a.tar.gz", tmp_path / "into")
    assert caught.value.data == {"reason": "damaged"}
    with pytest.raises(StorageUnavailable):
        unpack(tmp_path / "none.tar.gz", tmp_path / "into")


def tar_of(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def test_a_patch_makes_the_new_archive_and_is_small() -> None:
    dice = random.Random(7)
    big, other = dice.randbytes(200_000), dice.randbytes(40_000)
    old = tar_of({"a": big, "b": other, "gone": other[:900]})
    new = tar_of({"a": big[:90_000] + b"changed" + big[90_000:], "moved": other, "fresh": b"x" * 900, "empty": b""})
    delta = make_delta(old, new)
    assert len(delta) < 3000
    made = io.BytesIO()
    apply_delta(io.BytesIO(old), io.BytesIO(delta), made, len(new))
    assert made.getvalue() == new
    for spoiled, most in ((delta, len(new) - 1), (delta[: len(delta) // 2], len(new)), (b"TBDELTA1", 9), (b"?", 9)):
        with pytest.raises(DeltaBroken):
            apply_delta(io.BytesIO(old), io.BytesIO(spoiled), io.BytesIO(), most)


# ---------------------------------------------------------------- who takes what
def chosen(*releases: Release, channel: str | None = None, plan: Plan | None = None, **more: object) -> str | None:
    asked = {"current": "1.0.0", "device_id": "d", "refused": (), **more}
    found = choose_release(releases, channel=channel, plan=plan or Plan(), **asked)  # type: ignore[arg-type]
    return found.version if found is not None else None


def test_channels_shares_holds_and_minimums() -> None:
    stable, early = Release("1.1.0", "a", 1), Release("1.2.0rc1", "b", 1, channel="early")
    assert chosen(stable, early) == "1.1.0"
    assert chosen(stable, early, channel="early") == "1.2.0rc1" == chosen(stable, early, plan=Plan("early"))
    assert chosen(stable, early, channel="off") is None is chosen(stable, current="1.1.0")
    assert chosen(stable, early, channel="early", refused=("1.2.0rc1",)) == "1.1.0"
    assert chosen(stable, plan=Plan(held=frozenset({"1.1.0"}))) is None
    nobody = Release("1.1.0", "a", 1, percent=0)
    assert chosen(nobody) is None is chosen(stable, plan=Plan(percent={"1.1.0": 0}))
    assert chosen(Release("1.1.0", "a", 1, percent=0, minimum="1.0.5")) == "1.1.0"


def test_a_share_is_the_same_devices_and_grows() -> None:
    tenth = {n for n in range(2000) if stage_of(f"d{n}", "1.1.0") < 10}
    third = {n for n in range(2000) if stage_of(f"d{n}", "1.1.0") < 30}
    assert tenth < third
    assert 130 < len(tenth) < 270
    assert tenth != {n for n in range(2000) if stage_of(f"d{n}", "1.2.0") < 10}


def test_keys_stay_outside_and_releases_are_never_replaced(repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(StepFailed):
        update_repo.open_repository(tmp_path / "new", tmp_path / "new" / "keys")
    with pytest.raises(StepFailed):
        update_repo.open_repository(repo.folder, tmp_path / "nokeys")
    with pytest.raises(StepFailed):
        publish(repo, "1.1.0")
