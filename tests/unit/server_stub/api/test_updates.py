"""The backend's part of updates: what is served and how, what is taken in, what an administrator says; and the client's way to it."""

import asyncio
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette

from build_scripts.package import update_repo
from desktop.core.services.updating import Doing, Installed, UpdateStatus
from desktop.core.services.updating_choice import stage_of
from server_stub.api.updates import UpdatesApi
from server_stub.app import cli
from tests.helpers.arriving_files import transport_over
from tests.helpers.asgi_call import call
from tests.helpers.update_scene import NAME, install, make_bundle, service

ARCHIVE = f"{NAME}-1.1.0.tar.gz"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("updates")
    made = update_repo.open_repository(root / "repo", root / "keys")
    update_repo.add_release(made, make_bundle(root / "one", "1.0.0"), "1.0.0", update_repo.News())
    shutil.copytree(root / "repo", root / "old")
    update_repo.add_release(made, make_bundle(root / "two", "1.1.0"), "1.1.0", update_repo.News(percent=60))
    return root / "repo"


def run(data: Path, *words: object) -> int:
    return cli.main(["--data", str(data), "updates", *(str(word) for word in words)])


def application(data: Path) -> Starlette:
    return Starlette(routes=UpdatesApi(data / "updates").routes())


def test_served_with_ranges_and_etags(repository: Path) -> None:
    app = Starlette(routes=UpdatesApi(repository).routes())
    whole = (repository / "targets" / ARCHIVE).read_bytes()

    async def run() -> None:
        full = await call(app, "GET", f"/updates/targets/{ARCHIVE}")
        assert (full.status, full.body) == (200, whole)
        part = await call(app, "GET", f"/updates/targets/{ARCHIVE}", {"Range": "bytes=1000-"})
        assert (part.status, part.body) == (206, whole[1000:])
        assert part.headers["content-range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
        same = await call(app, "GET", f"/updates/targets/{ARCHIVE}", {"If-None-Match": full.headers["etag"]})
        assert (same.status, same.body) == (304, b"")
        beyond = await call(app, "GET", f"/updates/targets/{ARCHIVE}", {"Range": f"bytes={len(whole)}-"})
        assert beyond.status == 416
        other = await call(app, "GET", f"/updates/targets/{ARCHIVE}", {"Range": "bytes=5-", "If-Range": '"else"'})
        assert (other.status, other.body) == (200, whole)
        timestamp = await call(app, "GET", "/updates/metadata/timestamp.json")
        assert timestamp.headers["cache-control"] == "no-cache"
        assert json.loads(timestamp.body)["signed"]["_type"] == "timestamp"
        for path in ("metadata/9.root.json", "metadata/..%2Fplan.json", "metadata/plan.json", "targets/keys"):
            assert (await call(app, "GET", f"/updates/{path}")).status == 404

    asyncio.run(run())


def test_taken_in_from_a_folder_or_a_tar_and_never_an_older_one(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "import", repository.parent / "old") == 0
    with tarfile.open(tmp_path / "updates.tar", "w") as archive:
        archive.add(repository, "updates")
    assert run(tmp_path, "import", tmp_path / "updates.tar") == 0
    assert ARCHIVE in capsys.readouterr().out
    assert run(tmp_path, "import", repository.parent / "old") == 1  # clients would refuse it
    assert "older" in capsys.readouterr().err
    assert run(tmp_path, "list") == 0
    assert f"{NAME} 1.1.0: stable, 60 %" in capsys.readouterr().out


def test_what_does_not_fit_together_is_not_taken_in(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(repository, broken)
    (broken / "targets" / ARCHIVE).write_bytes(b"else")
    assert run(tmp_path, "import", broken) == 1
    assert ARCHIVE in capsys.readouterr().err
    assert run(tmp_path, "import", tmp_path) == 1
    assert not (tmp_path / "updates" / "metadata").exists()
    assert run(tmp_path, "import", repository) == 0
    other = update_repo.open_repository(tmp_path / "other", tmp_path / "keys")
    update_repo.publish(other)
    assert run(tmp_path, "import", tmp_path / "other") == 1
    assert "root keys" in capsys.readouterr().err


def test_the_plan_is_what_the_administrator_said(tmp_path: Path) -> None:
    assert [run(tmp_path, *words) for words in (("channel", "early"), ("hold", "1.1.0"), ("share", "1.2.0", 10))] == [
        0,
        0,
        0,
    ]
    assert [run(tmp_path, *words) for words in (("hold", "../x"), ("share", "1.2.0", 101))] == [1, 1]

    def plan() -> object:
        return json.loads(asyncio.run(call(application(tmp_path), "GET", "/updates/plan")).body)

    assert plan() == {"channel": "early", "held": ["1.1.0"], "percent": {"1.2.0": 10}}
    assert run(tmp_path, "release", "1.1.0") == 0
    assert plan() == {"channel": "early", "held": [], "percent": {"1.2.0": 10}}
    (tmp_path / "updates" / "plan.json").write_text("{")
    assert asyncio.run(call(application(tmp_path), "GET", "/updates/plan")).status == 503
    assert run(tmp_path, "hold", "1.1.0") == 1


def looked(installed: Installed, data: Path, tmp_path: Path) -> UpdateStatus:
    """One look of the client, over its own transport, at the backend's routes."""

    async def look() -> UpdateStatus:
        transport = transport_over(application(data), tmp_path)
        try:
            return await service(installed, transport).update()
        finally:
            await transport.close()

    return asyncio.run(look())


def test_a_client_updates_from_the_backend_until_it_is_held(repository: Path, tmp_path: Path) -> None:
    assert run(tmp_path, "import", repository) == 0
    app = install(tmp_path, make_bundle(tmp_path / "one", "1.0.0"), repository, "1.0.0")
    app = replace(app, device_id=next(f"d{n}" for n in range(100) if stage_of(f"d{n}", "1.1.0") < 60))
    assert run(tmp_path, "share", "1.1.0", 0) == 0
    assert looked(app, tmp_path, tmp_path).doing is Doing.IDLE
    assert run(tmp_path, "share", "1.1.0", 100) == 0
    part = app.place.targets / f"{ARCHIVE}.part"
    part.write_bytes((repository / "targets" / ARCHIVE).read_bytes()[:5000])  # of an earlier, cut download
    later = replace(app, device_id=next(f"d{n}" for n in range(100) if stage_of(f"d{n}", "1.1.0") >= 60))
    assert looked(later, tmp_path, tmp_path).doing is Doing.IDLE  # what was signed holds, whatever the office says
    assert looked(app, tmp_path, tmp_path).doing is Doing.READY
    assert not part.exists()
    assert run(tmp_path, "hold", "1.1.0") == 0
    assert looked(app, tmp_path, tmp_path).doing is Doing.IDLE
