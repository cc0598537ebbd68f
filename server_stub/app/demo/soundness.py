"""Finds mistakes in resources/demo without making anything: unknown slots, people, assets, tags, conversations."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

from server_stub.app.demo.moments import Moments
from server_stub.app.demo.scenes import PARTS, BadScene, Scene, read_scene
from server_stub.app.demo.slots import slots_in
from server_stub.app.demo.source import DemoSource

_BUILT_IN = frozenset({"hour", "rain", "weather", *PARTS})
_KNOWN_FORMS = ("n:", "f:", "ff:", "level:")


def problems_of(source: DemoSource) -> list[str]:
    """One sentence for each mistake."""
    logins = {person["login"] for person in source.office["people"]}
    scenes, problems = _read_scenes(source)
    problems += list(_slot_problems(source))
    problems += list(_scene_problems(source, scenes, logins))
    problems += list(_conversation_problems(source, scenes, logins))
    problems += list(_notice_problems(source, logins))
    problems += list(_document_problems(source, logins))
    return problems


def _read_scenes(source: DemoSource) -> tuple[list[Scene], list[str]]:
    scenes, problems = [], []
    for index, table in enumerate(source.scenes["scenes"]):
        try:
            scenes.append(read_scene(table))
        except (BadScene, KeyError) as error:
            problems.append(f"scenes.toml, scene {index + 1}: {error}")
    return scenes, problems


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _slot_problems(source: DemoSource) -> Iterator[str]:

    words = set(Moments(0).words(0, random.Random(0)))  # noqa: S311 (only the names of the slots matter)
    known = words | set(source.slots) | _BUILT_IN
    for name in ("conversations", "scenes", "notices", "documents", "assets", "today", "duty"):
        for text in _texts(getattr(source, name)):
            for slot in slots_in(text):
                if slot.partition(":")[0] not in known and not slot.startswith(_KNOWN_FORMS):
                    yield f"{name}.toml: there is no slot {{{slot}}}"


def _scene_problems(source: DemoSource, scenes: Iterable[Scene], logins: set[str]) -> Iterator[str]:
    pictures, files = source.assets["pictures"], source.assets["files"]
    for scene in scenes:
        first = scene.lines[0].text[:20]
        for login in {one for cast in scene.cast.values() for one in cast} - logins:
            yield f"scenes.toml: nobody is called {login} ({first})"
        for line in scene.lines:
            kind, name = line.mark or ("", "")
            if (kind == "picture" and name not in pictures) or (kind == "file" and name not in files):
                yield f"scenes.toml: there is no {kind} {name}"


def _conversation_problems(source: DemoSource, scenes: list[Scene], logins: set[str]) -> Iterator[str]:
    departments = {f"@{one['key']}" for one in source.office["departments"]}
    tags = {tag for scene in scenes for tag in scene.tags}
    keys = {one["key"] for one in source.conversations["groups"]}
    keys |= {"+".join(one["pair"]) for one in source.conversations["directs"]}
    for table in [*source.conversations["groups"], *source.conversations["directs"]]:
        title = table.get("name") or "+".join(table["pair"])
        for one in {*table.get("members", ()), *table.get("pair", ())} - logins - departments:
            yield f"conversations.toml, {title}: nobody is called {one}"
        for tag in set(table["scenes"]) - tags:
            yield f"conversations.toml, {title}: no scene has the tag {tag}"
    for line in source.today["lines"]:
        if line["in"] not in keys or line["by"] not in logins:
            yield f"today.toml: {line['in']} or {line['by']} does not exist"


def _attachable(source: DemoSource) -> set[str]:
    named = [*source.documents["papers"], *source.documents["documents"]]
    return {one["key"] for one in named if "key" in one} | set(source.assets["files"])


def _notice_problems(source: DemoSource, logins: set[str]) -> Iterator[str]:
    known = _attachable(source)
    for notice in source.notices["notices"]:
        if notice["author"] not in logins:
            yield f"notices.toml, {notice['title']}: nobody is called {notice['author']}"
        for one in set(notice.get("attachments", ())) - known:
            yield f"notices.toml, {notice['title']}: there is no attachment {one}"


def _document_problems(source: DemoSource, logins: set[str]) -> Iterator[str]:
    folders = {one["key"] for one in source.documents["folders"]}
    for one in source.documents["documents"]:
        if one["folder"] not in folders or one["owner"] not in logins:
            yield f"documents.toml, {one['title']}: folder or owner does not exist"
        if one.get("picture", "rain-map") not in source.assets["pictures"]:
            yield f"documents.toml, {one['title']}: there is no picture {one['picture']}"
        if one.get("file", "budget") not in source.assets["files"]:
            yield f"documents.toml, {one['title']}: there is no file {one['file']}"
