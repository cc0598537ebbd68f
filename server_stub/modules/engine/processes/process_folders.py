"""The *.bpmn of the module folders: read and held against the types, and taken into the database as versions when the server starts or reloads."""

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from server_stub.ids import uuid7
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.definition import ModuleDefinition, TypeDefinition
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.process_publishing import (
    do_change_draft,
    do_create_draft,
    do_publish,
    do_retire,
)
from server_stub.modules.engine.processes.process_soundness import check_process
from server_stub.modules.engine.processes.process_store import (
    DRAFT,
    FOLDER,
    PROCESS,
    current_version,
    do_keep_file,
    file_sha,
    last_from_folder,
    last_retired_by,
    load_row,
    published_versions,
    to_stored,
    version_of_file,
)
from server_stub.modules.engine.saying import Said, after, reason
from server_stub.modules.engine.scopes import people_in
from server_stub.storage.database import Tx
from server_stub.workflow.process_file import BpmnRefused, Problem, ProcessFile, words_of
from server_stub.workflow.reading import names_in_one_language, read_bpmn

_ROLE: Final = re.compile(r'"role:([a-z][a-z0-9-]{0,39})["@]')


@dataclass(frozen=True, slots=True)
class FolderProcess:
    """One .bpmn of a module's folder. `source`: as it lies there; `place`: `seals/use.bpmn`."""

    module: str
    place: str
    file: ProcessFile
    source: bytes


def read_processes(root: Path, modules: Sequence[ModuleDefinition]) -> tuple[list[FolderProcess], list[str]]:
    """Every process of these modules' folders that can be read, those that are called before those that call them, and everything wrong with any."""
    found: dict[str, FolderProcess] = {}
    problems: list[str] = []
    for module in modules:
        for path in sorted((root / module.id).glob("*.bpmn")):
            place = f"{module.id}/{path.name}"
            try:
                source = path.read_bytes()
                file = _read(source)
            except OSError as problem:
                problems.append(f"{place}: cannot be read: {problem.__class__.__name__}")
            except BpmnRefused as refused:
                problems += [_told(place, one) for one in refused.problems]
            else:
                if file.id in found:
                    problems.append(f"{place}: the process {file.id} is in {found[file.id].place} already")
                found.setdefault(file.id, FolderProcess(module.id, place, file, source))
    return _called_first(found), problems


@functools.lru_cache(maxsize=128)  # a change in one folder reads every folder again
def _read(source: bytes) -> ProcessFile:
    return read_bpmn(source)


def unlabelled(processes: Sequence[FolderProcess]) -> list[str]:
    """Names without English in these files, in sentences: what ships speaks both languages."""
    return [
        f"{one.place}: {element}: its name has no English: add <tongban:label en=…/>"
        for one in processes
        for element in names_in_one_language(one.file)
    ]


def process_problems(
    modules: Sequence[ModuleDefinition], processes: Sequence[FolderProcess], published: Collection[str] = ()
) -> list[str]:
    """What does not fit between the types of these modules and their processes. `published`: processes an administrator keeps."""
    held = {one.file.id: one for one in processes}
    types = {one.name: one for module in modules for one in module.types}
    roles = roles_of(modules)
    problems: list[str] = []
    for module in modules:
        for type_ in module.types:
            if type_.process is None or (type_.process in published and type_.process not in held):
                continue
            if type_.process not in held:
                lacking = reason("noProcess", "there is no process {process}", process=type_.process)
                problems.append(after(f"{module.id}/module.toml: ", lacking.at(f"types.{type_.name}.process")))
                continue
            problems += _type_problems(held, held[type_.process], type_, types, roles, published)
    return problems


def _type_problems(
    held: Mapping[str, FolderProcess],
    main: FolderProcess,
    type_: TypeDefinition,
    types: Mapping[str, TypeDefinition],
    roles: Collection[str],
    published: Collection[str],
) -> list[str]:
    called, pending, problems = dict[str, FolderProcess](), list(main.file.called), list[str]()
    while pending:
        name = pending.pop()
        if name in called:
            continue
        if name == main.file.id or name not in held:
            calls = reason("callsNothing", "it calls {process}, which is not there", process=name)
            what = reason("callsItself", "it calls itself") if name == main.file.id else calls
            if name == main.file.id or name not in published:
                problems.append(what.at(main.place))
            continue
        called[name] = held[name]
        pending += held[name].file.called
    found = check_process(main.file, [one.file for one in called.values()], type_, types, roles)
    return problems + [_told(main.place, one) for one in found.problems]


def roles_of(modules: Iterable[ModuleDefinition]) -> frozenset[str]:
    """Every role that the modules' definitions name, and those every office has."""
    return known_roles_of(type_ for module in modules for type_ in module.types)


def known_roles_of(types: Iterable[TypeDefinition]) -> frozenset[str]:
    """Every role that these types name, and those every office has."""
    texts = (msgspec.json.encode(one).decode() for one in types)
    return ADMIN_ROLES | {"leader"} | {role for text in texts for role in _ROLE.findall(text)}


# ---------------------------------------------------------------- into the database


def do_take_processes(tx: Tx, processes: Sequence[FolderProcess], modules: Sequence[ModuleDefinition]) -> list[str]:
    """Bring the versions in line with the folders; what was done, in sentences.

    A new or changed file becomes the published version. Where an administrator has published a version of his own, or retired the process, his word
    stands: the file becomes a draft for him to look at. A file that is gone retires its process. Running cases stay on their versions.

    Raises:
        NotPublishable: a process calls what is not published.
    """
    types = {type_.process: type_.name for module in reversed(modules) for type_ in reversed(module.types)}
    told: list[str] = []
    for one in processes:
        told += _do_take(tx, one, types.get(one.file.id, ""))
    kept = {one.file.id for one in processes}
    for held in published_versions(tx):
        if held.origin == FOLDER and held.process_id not in kept:
            do_retire(tx, held.id, None)
            en = f"{held.module}: the process {held.process_id} is gone from the folder; no new cases start on it"
            told.append(Said(en, f"{held.module}：流程 {held.process_id} 已不在文件夹中，不再发起新的办理"))
    return told


def misfits(tx: Tx, modules: Sequence[ModuleDefinition]) -> list[Said]:
    """Where processes that administrators have published do not fit the types they move, in sentences."""
    types = {type_.name: type_ for module in modules for type_ in module.types}
    roles, problems = roles_of(modules), list[Said]()
    for held in published_versions(tx):
        if held.origin == FOLDER:
            continue
        stored = to_stored(tx, held)
        for type_ in types.values():
            if type_.process == held.process_id:
                found = check_process(stored.file, stored.called.values(), type_, types, roles)
                problems += [
                    Said(
                        f"the process {held.process_id} of {type_.name}: {_sentence(one)}",
                        f"“{type_.label.zh}”的流程“{_zh_name(stored.file, one.element)}”：{one.zh}",
                    )
                    for one in found.problems
                ]
    return problems


def _do_take(tx: Tx, one: FolderProcess, record_type: str) -> list[str]:
    process_id, sha = one.file.id, file_sha(one.file)
    last, current = last_from_folder(tx, process_id), current_version(tx, process_id)
    by_administrator = last_retired_by(tx, process_id) is not None if current is None else current.origin != FOLDER
    if by_administrator:
        if last is not None and last.file == sha:
            return []
        draft = _do_draft(tx, one, record_type, last.id if last is not None and last.state == DRAFT else None)
        _do_tell_keepers(tx, one, draft)
        en = f"{one.place}: changed, but an administrator keeps {process_id}: the file waits as a draft"
        return [Said(en, f"{one.place}：有变化，但 {process_id} 由管理员维护，文件存为草稿")]
    if current is not None and current.file == sha:
        return []
    earlier = version_of_file(tx, process_id, sha)
    id_ = earlier.id if earlier is not None else _do_draft(tx, one, record_type, None)
    made = do_publish(tx, id_, None)
    en = f"{one.place}: the process {process_id} is version {made.version} now"
    return [Said(en, f"{one.place}：流程 {process_id} 现为第 {made.version} 版")]


def _do_draft(tx: Tx, one: FolderProcess, record_type: str, waiting: str | None) -> str:
    """Enter the file as a draft, in the place of one that waits already."""
    sha = do_keep_file(tx, one.file, one.source)
    if waiting is not None and load_row(tx, waiting) is not None:
        do_change_draft(tx, waiting, sha, process_id=one.file.id, module=one.module, record_type=record_type)
        return waiting
    id_ = uuid7(tx.now)
    do_create_draft(
        tx,
        id_,
        sha,
        process_id=one.file.id,
        module=one.module,
        record_type=record_type,
        origin=FOLDER,
        author_id=None,
    )
    return id_


def _do_tell_keepers(tx: Tx, one: FolderProcess, draft_id: str) -> None:
    """Administrators hear that a module brings another process than theirs."""
    people = people_in(tx, [("role", role) for role in sorted(ADMIN_ROLES)])
    words = words_of(one.file, one.file.id, one.file.name)
    zh = f"模块带来了流程“{words.zh}”的新版本，已存为草稿"
    label = {"zh": zh, "en": f"A module brings a new version of “{words.en}”: it waits as a draft"}
    do_alert(tx, people, AlertText("system", words.zh, zh, False, PROCESS, draft_id, label))


def _called_first(found: Mapping[str, FolderProcess]) -> list[FolderProcess]:
    ordered: dict[str, FolderProcess] = {}

    def enter(one: FolderProcess, above: frozenset[str]) -> None:
        for name in one.file.called:
            if name in found and name not in ordered and name not in above:
                enter(found[name], above | {name})
        ordered.setdefault(one.file.id, one)

    for one in found.values():
        enter(one, frozenset((one.file.id,)))
    return list(ordered.values())


def _zh_name(file: ProcessFile, element: str) -> str:
    process = words_of(file, file.id, file.name).zh
    return f"{process} · {words_of(file, element).zh}" if element else process


def _told(place: str, one: Problem) -> Said:
    return Said(f"{place}: {_sentence(one)}", f"{place}：{one.zh}")


def _sentence(one: Problem) -> str:
    return f"{one.element}: {one.en}" if one.element else one.en
