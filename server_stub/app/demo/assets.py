"""The demo's blobs: everything drawn, typeset and written once, stored as files, then registered and referred to as they are used."""

import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from server_stub.app.demo.files import make_file, type_of
from server_stub.app.demo.moments import DAY_MS, Moments
from server_stub.app.demo.papers import Press
from server_stub.app.demo.pictures import draw_picture
from server_stub.app.demo.slots import SlotFiller
from server_stub.app.demo.sounds import WAV, Sound, make_voice
from server_stub.app.demo.source import DemoSource
from server_stub.storage.blobs import BlobStore, do_link, do_register
from server_stub.storage.database import Tx

WORKERS: Final = 2


@dataclass(frozen=True, slots=True)
class Asset:
    """A stored file with the name people see. Width and height for pictures."""

    blob_id: str
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    sound: Sound | None = None

    def to_attachment(self) -> dict[str, Any]:
        """The attachment of a Message."""
        shown: dict[str, Any] = {"blobId": self.blob_id, "name": self.name, "type": self.type, "size": self.size}
        if self.sound is not None:
            shown |= {"durationMs": self.sound.duration_ms, "waveform": self.sound.waveform}
        return shown if self.width is None else {**shown, "width": self.width, "height": self.height}

    def to_file(self) -> dict[str, Any]:
        """An entry of a field of files."""
        return {"blobId": self.blob_id, "name": self.name, "type": self.type, "size": self.size}

    def do_own(self, tx: Tx, uploader_id: str) -> None:
        """Note that this person has uploaded the blob."""
        do_register(tx, self.blob_id, self.size, self.type, uploader_id)

    def do_attach(self, tx: Tx, uploader_id: str, object_id: str, type_name: str) -> None:
        """Note the uploader and that an object refers to the blob."""
        self.do_own(tx, uploader_id)
        do_link(tx, self.blob_id, object_id, type_name)


@dataclass(frozen=True, slots=True)
class Assets:
    """Everything stored, by key: pictures with their variants, files, papers (by key), documents (by index, newest version last), voices (by ms)."""

    pictures: Mapping[str, list[Asset]]
    files: Mapping[str, Asset]
    papers: Mapping[str, Asset]
    documents: Mapping[int, list[Asset]]
    voices: Mapping[int, Asset]

    def attachment(self, key: str) -> Asset:
        """What a notice names: a paper or a file."""
        return self.papers[key] if key in self.papers else self.files[key]


def make_assets(source: DemoSource, moments: Moments, blobs: BlobStore, rng: random.Random) -> Assets:
    """Draw, typeset and store all. Blocking: for a thread; takes some seconds."""
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="demo") as workers:
        jobs = [
            (key, workers.submit(_picture, blobs, table, seed + 100 * index))
            for index, (key, table) in enumerate(source.assets["pictures"].items())
            for seed in range(table.get("variants", 1))
        ]
        press = Press(source.folder)
        now = _filler(moments, moments.now, rng)
        files = {key: _file(blobs, table, now) for key, table in source.assets["files"].items()}
        papers = {one["key"]: _paper(blobs, press, one, moments, 0, rng) for one in source.documents["papers"]}
        documents: dict[int, list[Asset]] = {}
        for index, one in enumerate(source.documents["documents"]):
            if "paper" in one:
                documents[index] = [_paper(blobs, press, one, moments, days, rng) for days in _version_days(one)]
                if "key" in one:
                    papers[one["key"]] = documents[index][-1]
        pictures: dict[str, list[Asset]] = {}
        for key, job in jobs:
            pictures.setdefault(key, []).append(job.result())
    for index, one in enumerate(source.documents["documents"]):
        if "picture" in one:
            documents[index] = [pictures[one["picture"]][0]]
        elif "file" in one:
            documents[index] = [files[one["file"]]]
    said = {line["voice"] for line in source.today["lines"] if "voice" in line}
    return Assets(pictures, files, papers, documents, {one: _voice(blobs, one) for one in said})


def _version_days(document: Mapping[str, Any]) -> list[int]:
    """How many days ago each version was made, the oldest first."""
    return sorted([*document.get("versions", ()), document["days"]], reverse=True)


def _picture(blobs: BlobStore, table: Mapping[str, Any], seed: int) -> Asset:
    data, width, height = draw_picture(table, seed)
    return Asset(blobs.store_bytes(data), table["name"], type_of(table["name"]), len(data), width, height)


def _voice(blobs: BlobStore, duration_ms: int) -> Asset:
    data, sound = make_voice(duration_ms)
    return Asset(blobs.store_bytes(data), f"语音 {duration_ms // 1000} 秒.wav", WAV, len(data), sound=sound)


def _file(blobs: BlobStore, table: Mapping[str, Any], fill: Callable[[str], str]) -> Asset:
    name = fill(table["name"])
    data = make_file(table, name, fill)
    return Asset(blobs.store_bytes(data), name, type_of(name), len(data))


def _paper(
    blobs: BlobStore, press: Press, paper: Mapping[str, Any], moments: Moments, days: int, rng: random.Random
) -> Asset:
    at = moments.now - days * DAY_MS
    words = moments.words(at, rng)
    fill = SlotFiller(rng, {}, words).fill
    title = fill(paper["title"])
    data = press.print(paper, words["date"], title, fill)
    name = fill(paper["name"]) if "name" in paper else f"{title}.pdf"
    return Asset(blobs.store_bytes(data), name, "application/pdf", len(data))


def _filler(moments: Moments, at: int, rng: random.Random) -> Callable[[str], str]:
    return SlotFiller(rng, {}, moments.words(at, rng)).fill
