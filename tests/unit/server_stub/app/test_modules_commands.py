"""`tongban-server modules`: check, plan, migrate here; reload in a server that runs, and what its clients see of it."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server_stub.app import cli
from server_stub.app.admin import CommandFailed, Context, run_command
from server_stub.app.lock import DataLock
from server_stub.modules.engine import office as office_module
from server_stub.modules.engine.migrations import FITS
from server_stub.modules.engine.reading import MODULES_FOLDER
from tests.helpers.whole_backend import Program, Whole, open_whole
from tests.modules.engine.definition_files import GOOD, write_module

NOTE = '{ name = "note", kind = "text", label = { zh = "备注", en = "Note" }, default = "-" },\n'
PLATE = '  { name = "plate",'


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cli, "set_up_logs", logging.getLogger("tongban").setLevel)
    yield
    logging.getLogger("tongban").setLevel(logging.NOTSET)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Module folders of the test's own, which a server started from here uses."""
    root = tmp_path / "modules"
    write_module(root, GOOD.replace('"role:admin"', '"everyone"'))
    monkeypatch.setitem(office_module.Office.__init__.__kwdefaults__, "folder", root)
    return root


def change(root: Path, old: str, new: str) -> None:
    """Edit the module."""
    path = root / "cars" / "module.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def run(*arguments: object) -> int:
    return cli.main([str(one) for one in arguments])


def made(data: Path) -> Path:
    """A data folder of a server that was started once and has a car."""

    async def go() -> None:
        async with open_whole(data) as whole:
            await whole.backend.start()
            lin = await whole.enroll("lin")
            await lin.make("Car", plate="A1", size="large")

    asyncio.run(go())
    return data


def test_check_looks_at_the_folders_of_the_product(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("modules", "check", "--data", tmp_path) in (cli.OK, cli.PROBLEMS)
    assert capsys.readouterr().out.count("\n") == len(office_module_problems())


def office_module_problems() -> list[str]:
    from server_stub.modules.engine.reading import read_modules

    return read_modules(MODULES_FOLDER)[1]


def test_plan_and_migrate_without_a_server(folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = made(tmp_path / "data")
    capsys.readouterr()
    assert run("modules", "plan", "--data", data) == cli.OK
    assert capsys.readouterr().out == f"{FITS}\n"
    change(folders, PLATE, f"  {NOTE}{PLATE}")
    told = "cars: the definition changed\nCar.note: the default is filled in in 1 record\n"
    assert run("modules", "plan", "--data", data) == cli.OK
    assert capsys.readouterr().out == told
    assert run("modules", "migrate", "--data", data) == cli.OK
    assert capsys.readouterr().out == told
    assert run("modules", "migrate", "--data", data) == cli.OK
    assert capsys.readouterr().out == f"{FITS}\n"
    assert run("modules", "reload", "--data", data) == cli.FAILED
    assert "no server runs" in capsys.readouterr().err


def test_a_server_does_not_start_over_data_it_would_lose(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = made(tmp_path / "data")
    change(folders, '    { value = "large", label = { zh = "大", en = "Large" } },\n', "")
    capsys.readouterr()
    assert run("serve", "--port", "0", "--data", data) == cli.FAILED
    err = capsys.readouterr().err
    assert "the data in place does not fit the module folders" in err
    assert "Car.size: fits no more in 1 record (must be one of small)" in err
    assert run("modules", "plan", "--data", data) == cli.OK
    assert capsys.readouterr().out.startswith("refused: Car.size: fits no more in 1 record")
    assert run("modules", "migrate", "--data", data) == cli.FAILED
    capsys.readouterr()
    with (folders / "cars" / "module.toml").open("a", encoding="utf-8") as out:
        out.write('\n[[migrations]]\ntype = "Car"\nfield = "size"\nvalues = { large = "small" }\n')
    assert run("modules", "migrate", "--data", data) == cli.OK
    assert capsys.readouterr().out == "cars: the definition changed\nCar.size: values replaced in 1 record\n"


def test_a_broken_folder_is_named_in_sentences(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = made(tmp_path / "data")
    change(folders, 'kind = "text"', 'kind = "texts"')
    capsys.readouterr()
    for words in (("serve", "--port", "0"), ("modules", "plan"), ("modules", "migrate")):
        assert run(*words, "--data", data) == cli.FAILED
        assert "cars/module.toml: types.Car.fields.plate.kind: must be one of text" in capsys.readouterr().err


async def command(whole: Whole, name: str) -> list[str]:
    """A command as the door of the running server does it."""
    backend = whole.backend
    context = Context(backend.database, backend.passwords, office=backend.office, serving=True)
    return await run_command(context, name, {})


async def office_types(program: Program) -> tuple[list[str], Any]:
    """The office's types in the Session, and its state."""
    answer = await program.http("GET", "/.well-known/jmap")
    session = json.loads(answer.body)
    return session["capabilities"]["urn:tongban:office"]["types"], session["state"]


def test_a_running_server_takes_a_new_folder_and_a_new_field(folders: Path, tmp_path: Path) -> None:
    async def go() -> None:
        async with open_whole(tmp_path / "data") as whole:
            await whole.backend.start()
            lin = await whole.enroll("lin")
            car = await lin.make("Car", plate="A1")
            types, session = await office_types(lin)
            assert "Boat" not in types
            state = (await lin.call("ModuleDefinition/get", ids=[]))["state"]
            write_module(
                folders,
                GOOD.replace("Car", "Boat")
                .replace('id = "cars"', 'id = "boats"')
                .replace('"role:admin"', '"everyone"'),
                "boats",
            )
            change(folders, PLATE, f"  {NOTE}{PLATE}")
            assert (await lin.calls("Boat/get", ids=None))[0] == "error"
            told = ["boats: the module is new, with Boat", "cars: the definition changed"]
            told.append("Car.note: the default is filled in in 1 record")
            assert sorted(await command(whole, "modules.plan")) == sorted(told)
            assert sorted(await command(whole, "modules.reload")) == sorted(told)
            boat = await lin.make("Boat", plate="B1")
            assert (await lin.call("Boat/get", ids=[boat["id"]]))["list"][0]["plate"] == "B1"
            (shown,) = (await lin.call("Car/get", ids=[car["id"]]))["list"]
            assert shown["note"] == "-"
            await lin.call("Car/set", update={car["id"]: {"note": "new"}})
            types, after = await office_types(lin)
            assert "Boat" in types
            assert after != session
            changed = await lin.call("ModuleDefinition/changes", sinceState=state)
            assert (changed["created"], changed["updated"]) == (["boats"], ["cars"])
            with pytest.raises(CommandFailed, match="the server runs"):
                await command(whole, "modules.migrate")
            (folders / "boats" / "module.toml").unlink()
            with pytest.raises(CommandFailed, match=r"Boat: the type is gone, 1 record of it would be lost"):
                await command(whole, "modules.reload")
            assert (await lin.call("Boat/get", ids=None))["list"]
            with (folders / "cars" / "module.toml").open("a", encoding="utf-8") as out:
                out.write('\n[[migrations]]\ntype = "Boat"\ndrop = true\n')
            assert await command(whole, "modules.reload") == [
                "boats: the module is gone",
                "Boat: the type is gone, 1 record destroyed",
            ]
            assert (await lin.calls("Boat/get", ids=None))[0] == "error"
            assert "Boat" not in (await office_types(lin))[0]

    asyncio.run(go())


def test_a_server_in_another_process_is_asked_through_its_door(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = made(tmp_path / "data")
    capsys.readouterr()
    with DataLock(data):  # somebody holds the folder, but answers nothing
        assert run("modules", "reload", "--data", data) == cli.FAILED
    assert "its server cannot be asked" in capsys.readouterr().err
