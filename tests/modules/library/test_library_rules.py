"""Rules of the library: the tree of folders, who sees and files what, versions, the terms of offline reading."""

from typing import Any

import pytest

from tests.modules.office_bench import Bench, refusal


def folder(bench: Bench, name: str = "资料", **properties: Any) -> str:
    return bench.create("chen", "Folder", name=name, **properties)


def document(bench: Bench, who: str, folder_id: str, data: bytes = b"%PDF-1.7 one", **properties: Any) -> str:
    given: dict[str, Any] = {"title": "办法", "name": "办法.pdf", "folderId": folder_id, **properties}
    return bench.create(who, "Document", blobId=bench.blob(who, data), **given)


# ---------------------------------------------------------------- folders


def test_only_a_librarian_makes_changes_and_destroys_folders(bench: Bench) -> None:
    made = folder(bench)
    assert refusal(lambda: bench.create("zhang", "Folder", name="x")).type == "forbidden"
    assert refusal(lambda: bench.update("zhang", "Folder", made, name="x")).type == "forbidden"
    assert refusal(lambda: bench.destroy("zhang", "Folder", made)).type == "forbidden"
    bench.destroy("chen", "Folder", made)
    assert bench.all("chen", "Folder") == []


def test_a_department_s_folder_and_all_below_is_seen_by_that_department(bench: Bench) -> None:
    open_to_all = folder(bench, "公共")
    closed = folder(bench, "内部", departmentId=bench.departments["office"])
    below = folder(bench, "更内", parentId=closed)
    assert {one["id"] for one in bench.all("lin", "Folder")} == {open_to_all, closed, below}
    assert {one["id"] for one in bench.all("yu", "Folder")} == {open_to_all}
    shown = bench.get("lin", "Folder", below)
    assert shown is not None
    assert shown["departmentId"] == bench.departments["office"]


def test_a_sub_folder_is_not_given_to_another_department(bench: Bench) -> None:
    closed = folder(bench, "内部", departmentId=bench.departments["office"])
    error = refusal(lambda: folder(bench, "x", parentId=closed, departmentId=bench.departments["flood"]))
    assert error.properties == ["departmentId"]


def test_closing_a_folder_hides_everything_in_it(bench: Bench) -> None:
    top = folder(bench, "公共")
    below = folder(bench, "其中", parentId=top)
    paper = document(bench, "chen", below)
    before = bench.state()
    bench.update("chen", "Folder", top, departmentId=bench.departments["flood"])
    assert bench.changes("lin", "Folder", before) == (set(), set(), {top, below})
    assert bench.changes("lin", "Document", before) == (set(), set(), {paper})
    assert bench.get("yu", "Document", paper) is not None


def test_a_folder_lies_in_no_circle_and_not_too_deep(bench: Bench) -> None:
    top = folder(bench, "0")
    inner = folder(bench, "1", parentId=top)
    assert refusal(lambda: bench.update("chen", "Folder", top, parentId=inner)).properties == ["parentId"]
    assert refusal(lambda: bench.update("chen", "Folder", top, parentId=top)).properties == ["parentId"]
    deepest = inner
    for level in range(2, 10):
        deepest = folder(bench, str(level), parentId=deepest)
    assert refusal(lambda: folder(bench, "11", parentId=deepest)).properties == ["parentId"]


def test_siblings_have_different_names_without_paths(bench: Bench) -> None:
    folder(bench, "资料")
    assert refusal(lambda: folder(bench, "资料")).properties == ["name"]
    assert refusal(lambda: folder(bench, "a/b")).properties == ["name"]
    assert refusal(lambda: folder(bench, "..")).properties == ["name"]


def test_a_folder_with_something_in_it_stays(bench: Bench) -> None:
    made = folder(bench)
    paper = document(bench, "chen", made)
    assert refusal(lambda: bench.destroy("chen", "Folder", made)).type == "notEmpty"
    bench.destroy("chen", "Document", paper)
    bench.destroy("chen", "Folder", made)


# ---------------------------------------------------------------- documents


def test_people_file_in_their_own_department_s_folders_librarians_anywhere(bench: Bench) -> None:
    public, own = folder(bench, "公共"), folder(bench, "防汛", departmentId=bench.departments["flood"])
    assert refusal(lambda: document(bench, "yu", public)).type == "forbidden"
    mine = document(bench, "yu", own)
    assert refusal(lambda: bench.update("yu", "Document", mine, folderId=public)).type == "forbidden"
    bench.update("chen", "Document", mine, folderId=public)
    assert bench.get("lin", "Document", mine) is not None


def test_a_folder_nobody_showed_you_is_no_folder(bench: Bench) -> None:
    hidden = folder(bench, "防汛", departmentId=bench.departments["flood"])
    assert refusal(lambda: document(bench, "lin", hidden)).type in {"forbidden", "invalidProperties"}
    assert bench.all("yu", "Document") == []


def test_only_author_and_librarian_change_a_document(bench: Bench) -> None:
    own = folder(bench, "防汛", departmentId=bench.departments["flood"])
    paper = document(bench, "yu", own)
    assert refusal(lambda: bench.update("gao", "Document", paper, title="改")).type == "forbidden"
    assert refusal(lambda: bench.destroy("gao", "Document", paper)).type == "forbidden"
    bench.update("yu", "Document", paper, title="改")
    bench.update("chen", "Document", paper, number="云水发〔2026〕1号")
    shown = bench.get("gao", "Document", paper)
    assert shown is not None
    assert (shown["title"], shown["number"]) == ("改", "云水发〔2026〕1号")


def test_new_content_is_a_new_version_and_the_old_one_stays_readable(bench: Bench) -> None:
    public = folder(bench)
    paper = document(bench, "chen", public, b"%PDF-1.7 first")
    first = (bench.get("lin", "Document", paper) or {})["blobId"]
    second = bench.blob("chen", b"%PDF-1.7 second!")
    bench.update("chen", "Document", paper, blobId=second, name="办法(修订).pdf")
    shown = bench.get("lin", "Document", paper)
    assert shown is not None
    assert [one["blobId"] for one in shown["versions"]] == [first, second]
    assert [one["name"] for one in shown["versions"]] == ["办法.pdf", "办法(修订).pdf"]
    assert (shown["blobId"], shown["size"]) == (second, 16)
    assert shown["versions"][1]["authorId"] == bench.person("chen")
    assert bench.may_read_blob("lin", first)
    assert bench.may_read_blob("lin", second)


def test_a_destroyed_document_takes_the_right_to_its_blobs_along(bench: Bench) -> None:
    paper = document(bench, "chen", folder(bench))
    blob = (bench.get("lin", "Document", paper) or {})["blobId"]
    bench.destroy("chen", "Document", paper)
    assert not bench.may_read_blob("lin", blob)


def test_versions_size_and_type_are_not_the_client_s_to_set(bench: Bench) -> None:
    public = folder(bench)
    assert refusal(lambda: document(bench, "chen", public, versions=[])).properties == ["versions"]
    assert refusal(lambda: document(bench, "chen", public, size=1)).properties == ["size"]
    paper = document(bench, "chen", public)
    assert refusal(lambda: bench.update("chen", "Document", paper, type="text/html")).properties == ["type"]
    assert (bench.get("lin", "Document", paper) or {})["type"] == "application/pdf"


def test_terms_of_offline_reading_have_defaults_and_limits(bench: Bench) -> None:
    public = folder(bench)
    paper = document(bench, "chen", public)
    assert (bench.get("lin", "Document", paper) or {})["offline"] == {
        "policy": "allowed",
        "leaseDays": 30,
        "print": True,
        "copy": True,
    }
    bench.update("chen", "Document", paper, offline={"policy": "none"})
    assert (bench.get("lin", "Document", paper) or {})["offline"]["policy"] == "none"


@pytest.mark.parametrize(
    "terms",
    [
        {"policy": "maybe"},
        {"leaseDays": 3},
        {"policy": "always", "leaseDays": 0},
        {"policy": "always", "x": 1},
        "always",
    ],
)
def test_wrong_terms_are_refused(bench: Bench, terms: object) -> None:
    public = folder(bench)
    assert refusal(lambda: document(bench, "chen", public, offline=terms)).properties == ["offline"]
