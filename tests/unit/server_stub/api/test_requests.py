"""JMAP core over HTTP: every request-level and method-level error, references, the five methods, through a real server."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.api import methods
from server_stub.api.references import evaluate_pointer
from server_stub.api.wire import Limits, decode_json, decode_request
from server_stub.errors import MethodError, RequestError, SetError
from server_stub.ids import uuid7
from server_stub.records import types, visibility
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.storage.database import Tx
from tests.helpers.running_backend import USING, Backend, running_backend

OFFICE = "urn:tongban:office"


class Things(RecordHandler):
    """Anybody may do anything with a Thing; `to` says who else sees it; a bad title makes the server stumble."""

    properties = frozenset(("title", "rank", "to", "nextId", "createdAt", "updatedAt", "authorId"))

    def __init__(self) -> None:
        super().__init__("Thing", OFFICE)

    def _scopes(self, tx: Tx, actor: Actor, data: dict[str, Any]) -> list[int]:
        return [visibility.scope_id(tx, "person", who) for who in {actor.person_id, *data.get("to", [])}]

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        if data.get("title") == "bug":
            raise ZeroDivisionError
        if data.get("title") == "":
            raise SetError("invalidProperties", "a title", ["title"])
        return data, self._scopes(tx, actor, data)

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: dict[str, Any], changed: set[str]
    ) -> tuple[dict[str, Any], list[int] | None]:
        return data, self._scopes(tx, actor, data)

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        pass


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    limits = Limits(
        max_size_request=20_000, max_calls_in_request=4, max_objects_in_get=20, max_objects_in_set=20, max_changes=5
    )
    with running_backend(tmp_path_factory.mktemp("api"), people=8, handlers=(Things(),), limits=limits) as running:
        yield running


def problem(backend: Backend, body: bytes | dict[str, Any], **headers: str) -> tuple[int, str]:
    response = backend.client(backend.people[0]).post(body, **headers)
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_requests_refused_as_a_whole(backend: Backend) -> None:
    echo = ["Core/echo", {}, "c"]
    assert problem(backend, b"{") == (400, "notJSON")
    assert problem(backend, b"\xff\xfe") == (400, "notJSON")
    assert problem(backend, {"using": [], "methodCalls": []}, **{"Content-Type": "text/plain"}) == (400, "notJSON")
    assert problem(backend, b'{"using": 5, "methodCalls": [') == (400, "notJSON")
    assert problem(backend, b"[1]") == (400, "notRequest")
    assert problem(backend, {"using": [], "methodCalls": [["Core/echo", {}]]}) == (400, "notRequest")
    assert problem(backend, {"using": ["urn:x"], "methodCalls": []}) == (400, "unknownCapability")
    assert problem(backend, {"using": USING, "methodCalls": [echo] * 5}) == (400, "limit")
    assert problem(backend, b" " * 20_001) == (413, "limit")
    assert problem(backend, b"[" * 5000) == (400, "notRequest")
    assert backend.client("expired").post({}).status_code == 401
    assert backend.client("expired").get("/.well-known/jmap").json()["type"] == "urn:tongban:error:tokenExpired"


def test_echo_needs_core_and_calls_are_answered_in_order(backend: Backend) -> None:
    me = backend.client(backend.people[0])
    assert me.calls(("Core/echo", {"a": [1]}), ("Core/echo", {"b": 2}))[1][1]["b"] == 2
    body = {"using": [], "methodCalls": [["Core/echo", {}, "c"], ["Thing/get", {}, "d"]], "createdIds": {"x": "y"}}
    answer = me.post(body).json()
    assert answer["methodResponses"] == [
        ["error", {"type": "unknownMethod"}, "c"],
        ["error", {"type": "unknownMethod"}, "d"],
    ]
    assert answer["createdIds"] == {"x": "y"}
    assert answer["sessionState"] == me.get("/.well-known/jmap").json()["state"]


def test_methods_refused(backend: Backend) -> None:
    me = backend.client(backend.people[0])
    assert me.fails("Thing/copy") == "unknownMethod"
    assert me.fails("Nothing/get") == "unknownMethod"
    assert me.fails("") == "unknownMethod"
    assert me.fails("Thing/get", accountId="somebody") == "accountNotFound"
    assert me.fails("Thing/set", accountId="somebody") == "accountNotFound"
    assert me.fails("Thing/get", ids="x") == "invalidArguments"
    assert me.fails("Thing/get", accountId=None) == "invalidArguments"
    assert me.fails("Thing/get", ids=None, properties=["nonsense"]) == "invalidArguments"
    assert me.fails("Thing/get", ids=["x"] * 21) == "requestTooLarge"
    assert me.fails("Thing/set", destroy=["x"] * 21) == "requestTooLarge"
    assert me.fails("Thing/set", create=[]) == "invalidArguments"
    assert me.fails("Thing/changes", sinceState="99999") == "cannotCalculateChanges"
    assert me.fails("Thing/changes", sinceState="0", maxChanges=0) == "invalidArguments"
    assert me.fails("Thing/query", limit=-1) == "invalidArguments"
    assert me.fails("Thing/query", filter={"operator": "XOR", "conditions": []}) == "unsupportedFilter"
    assert me.fails("Thing/query", sort=[{"property": "to", "collation": "i;x"}]) == "unsupportedSort"
    assert me.fails("Thing/query", anchor="none") == "anchorNotFound"
    assert me.fails("Thing/queryChanges", sinceQueryState="nonsense") == "cannotCalculateChanges"
    assert me.fails("Thing/set", ifInState="nonsense", create={"k": {}}) == "stateMismatch"
    reader = backend.client(backend.people[0] + ":read")
    assert reader.fails("Thing/set", create={}) == "accountReadOnly"
    assert reader.call("Thing/get", ids=[])["list"] == []
    assert backend.client(backend.people[0] + ":write").fails("Thing/get", ids=[]) == "forbidden"


def test_a_bug_in_one_call_is_that_calls_error_and_leaves_nothing(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    me = backend.client(backend.people[1])
    answers = me.calls(
        ("Thing/set", {"create": {"a": {"title": "kept?"}, "b": {"title": "bug"}}}), ("Thing/get", {"ids": None})
    )
    assert answers[0][0:2] == ["error", {"type": "serverFail"}]
    assert answers[1][1]["list"] == []
    assert "ZeroDivisionError" in caplog.text


def test_objects_live_by_set_get_changes(backend: Backend) -> None:
    one, two = backend.people[2], backend.people[3]
    me, other = backend.client(one), backend.client(two)
    start = me.call("Thing/get", ids=[])["state"]
    made = me.call(
        "Thing/set",
        create={"k1": {"title": "a", "to": [two]}, "k2": {"title": ""}, "k3": {"id": "mine"}, "bad key!": {}},
        update={"none": {}, "#k9": {}},
        destroy=["none", "#k9"],
    )
    first = made["created"]["k1"]["id"]
    assert {key: error["type"] for key, error in made["notCreated"].items()} == {
        "k2": "invalidProperties",
        "k3": "invalidProperties",
        "bad key!": "invalidProperties",
    }
    assert {error["type"] for error in (*made["notUpdated"].values(), *made["notDestroyed"].values())} == {"notFound"}
    assert (made["updated"], made["destroyed"]) == (None, None)
    assert int(made["newState"]) == int(made["oldState"]) + 1
    assert other.call("Thing/get", ids=[first], properties=["title"])["list"] == [{"id": first, "title": "a"}]
    assert other.call("Thing/get", ids=["x", "\x00", "文"])["notFound"] == ["x", "\x00", "文"]
    page = other.call("Thing/changes", sinceState=start)
    assert (page["created"], page["modseqs"]) == ([first], {first: int(made["newState"])})

    state = me.call("Thing/get", ids=[])["state"]
    assert me.call("Thing/set", ifInState=state, update={first: {"title": "b"}})["updated"].keys() == {first}
    assert me.fails("Thing/set", ifInState=state, update={first: {"title": "c"}}) == "stateMismatch"
    backend.client(backend.people[4]).create("Thing", title="elsewhere")
    now = me.call("Thing/get", ids=[])["state"]
    backend.client(backend.people[4]).create("Thing", title="elsewhere")
    assert me.call("Thing/set", ifInState=now, destroy=[first])["destroyed"] == [first]
    assert other.call("Thing/changes", sinceState=page["newState"])["destroyed"] == [first]


def test_changes_come_in_pages(backend: Backend) -> None:
    me = backend.client(backend.people[5])
    start = me.call("Thing/get", ids=[])["state"]
    made = me.call("Thing/set", create={f"k{n}": {"title": str(n)} for n in range(13)})["created"]
    got, pages = [], 0
    state, more = start, True
    while more:
        page = me.call("Thing/changes", sinceState=state, maxChanges=100)
        got += page["created"]
        state, more, pages = page["newState"], page["hasMoreChanges"], pages + 1
    assert sorted(got) == sorted(one["id"] for one in made.values())
    assert pages == 3


def test_creation_ids_are_remembered(backend: Backend) -> None:
    me, other = backend.client(backend.people[0]), backend.client(backend.people[1])
    key = uuid7(77)
    first = me.create("Thing", key, title="once")
    assert first["id"] == key
    assert me.create("Thing", key, title="once") == first
    assert other.refused("Thing", key, title="mine")["properties"] == ["id"]
    me.call("Thing/set", destroy=[key])
    assert me.create("Thing", key, title="once") == first
    assert me.call("Thing/get", ids=[key])["notFound"] == [key]


def test_creation_references_inside_and_across_calls(backend: Backend) -> None:
    me = backend.client(backend.people[0])
    answers = me.calls(
        ("Thing/set", {"create": {"b": {"title": "b", "nextId": "#c"}, "c": {"title": "#c is a title"}}}),
        ("Thing/set", {"create": {"d": {"nextId": "#b"}, "e": {"nextId": "#zz"}, "f": {"nextId": "#f"}}}),
        ("Thing/set", {"update": {"#c": {"nextId": "#b"}}, "destroy": ["#d"]}),
        ("Thing/get", {"#ids": {"resultOf": "0", "name": "Thing/set", "path": "/created/*/id"}}),
        createdIds={"old": "x"},
    )
    ids = {key: value["id"] for key, value in answers[0][1]["created"].items()}
    assert answers[1][1]["created"].keys() == {"d"}
    assert {e["type"] for e in answers[1][1]["notCreated"].values()} == {"invalidProperties"}
    assert answers[2][1]["updated"].keys() == {ids["c"]}
    assert answers[2][1]["destroyed"] == [answers[1][1]["created"]["d"]["id"]]
    assert answers[3][1]["type"] == "invalidResultReference"  # `*` is for arrays
    things = {t["id"]: t for t in me.call("Thing/get", ids=list(ids.values()))["list"]}
    assert (things[ids["b"]]["nextId"], things[ids["c"]]["nextId"]) == (ids["c"], ids["b"])
    assert things[ids["c"]]["title"] == "#c is a title"


def test_result_references(backend: Backend) -> None:
    me = backend.client(backend.people[6])
    made = me.call("Thing/set", create={f"k{n}": {"title": str(n), "rank": n} for n in range(3)})["created"]
    by_rank = [made[f"k{n}"]["id"] for n in range(3)]
    query = ("Thing/query", {"sort": [{"property": "rank"}]})

    def get(path: str, **more: Any) -> tuple[str, dict[str, Any]]:
        reference = {"resultOf": "0", "name": "Thing/query", "path": path} | more
        return "Thing/get", {"#ids": reference}

    answers = me.calls(query, get("/ids"))
    assert [thing["id"] for thing in answers[1][1]["list"]] == by_rank
    for bad in (
        get("/nothing"),
        get("ids"),
        get("/ids", resultOf="9"),
        get("/ids", name="Thing/get"),
        ("Thing/get", {"#ids": 5}),
    ):
        assert me.calls(query, bad)[1][1]["type"] == "invalidResultReference"
    both = ("Thing/get", {"ids": [], "#ids": {"resultOf": "0", "name": "Thing/query", "path": "/ids"}})
    assert me.calls(query, both)[1][1]["type"] == "invalidArguments"
    everything = me.calls(
        query, get("/ids"), ("Core/echo", {"#x": {"resultOf": "1", "name": "Thing/get", "path": "/list/*/title"}})
    )
    assert everything[2][1]["x"] == ["0", "1", "2"]


def test_pointers() -> None:
    document = {"list": [{"a": [1, 2]}, {"a": [3]}], "x/y": {"~": 5}}
    assert evaluate_pointer(document, "/list/*/a") == [1, 2, 3]
    assert evaluate_pointer(document, "/list/1/a/0") == 3
    assert evaluate_pointer(document, "/x~1y/~0") == 5
    assert evaluate_pointer(document, "") == document
    for path in ("/list/2", "/list/-1", "/list/01", "/list/x", "/x~1y/*", "/list/*/b", "x"):
        with pytest.raises(MethodError):
            evaluate_pointer(document, path)


def test_a_query_that_the_server_cuts_short_says_so(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    me = backend.client(backend.people[6])
    made = me.call("Thing/set", create={f"k{n}": {"title": f"t{n}", "rank": n} for n in range(5)})["created"]
    assert "limit" not in me.call("Thing/query")
    monkeypatch.setattr(types, "MAX_QUERY", 3)
    monkeypatch.setattr(methods, "MAX_QUERY", 3)
    found: list[str] = []
    while True:
        after = {"anchor": found[-1], "anchorOffset": 1} if found else {}
        page = me.call("Thing/query", sort=[{"property": "rank"}], **after)
        found += page["ids"]
        if page.get("limit") is None:
            break
        assert (len(page["ids"]), page["limit"]) == (3, 3)
    assert len(found) == len(set(found))
    assert {one["id"] for one in made.values()} <= set(found)
    assert len(page["ids"]) < 3
    assert "limit" not in me.call("Thing/query", limit=3)


def test_queries_and_their_changes(backend: Backend) -> None:
    me = backend.client(backend.people[7])
    made = me.call("Thing/set", create={f"k{n}": {"title": f"t{n}", "rank": n} for n in range(5)})["created"]
    ids = [made[f"k{n}"]["id"] for n in range(5)]
    asked = {
        "sort": [{"property": "rank", "isAscending": False}],
        "filter": {"operator": "NOT", "conditions": [{"rank": 2}]},
    }
    before = me.call("Thing/query", **asked, position=1, limit=2, calculateTotal=True)
    assert (before["ids"], before["position"], before["total"]) == ([ids[3], ids[1]], 1, 4)
    assert before["canCalculateChanges"] is True
    assert me.call("Thing/query", **asked, anchor=ids[1], anchorOffset=-1, limit=2)["ids"] == [ids[3], ids[1]]
    old = me.call("Thing/query", **asked)["ids"]
    me.call("Thing/set", update={ids[0]: {"rank": 9}, ids[2]: {"rank": 8}, ids[3]: {"rank": 2}}, destroy=[ids[1]])
    after = me.call("Thing/queryChanges", **asked, sinceQueryState=before["queryState"], calculateTotal=True)
    for gone in after["removed"]:
        old = [id_ for id_ in old if id_ != gone]
    for added in after["added"]:
        old.insert(added["index"], added["id"])
    assert old == me.call("Thing/query", **asked)["ids"] == [ids[0], ids[2], ids[4]]
    assert after["total"] == 3
    assert (
        me.fails("Thing/queryChanges", **asked, sinceQueryState=before["queryState"], maxChanges=1) == "tooManyChanges"
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_bytes_are_a_request_or_a_request_error(data: bytes) -> None:
    for decode in (decode_request, decode_json):
        try:
            decode(data, Limits())
        except RequestError as refused:
            json.dumps(refused.to_problem())


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(
        "ids properties sinceState maxChanges ifInState create update destroy filter sort position anchor anchorOffset limit"
        " calculateTotal sinceQueryState upToId #ids #create".split()
    ),
    JSON
    | st.dictionaries(
        st.sampled_from(["k1", "#k1", "x", "operator", "conditions", "conversationId", "beforeSeq"]), JSON, max_size=3
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(
        [
            f"{t}/{m}"
            for t in ("Thing", "Message", "Conversation", "Member", "Receipt")
            for m in ("get", "changes", "set", "query", "queryChanges")
        ]
    ),
    arguments=ARGUMENTS,
)
def test_any_arguments_are_answered_and_never_stumble(backend: Backend, method: str, arguments: dict[str, Any]) -> None:
    person = backend.people[0]
    body = {"using": USING, "methodCalls": [[method, {"accountId": person, **arguments}, "c"]]}
    response = backend.client(person).post(body)
    answer = response.json()
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        ((_, result, _),) = answer["methodResponses"]
        assert result.get("type") != "serverFail", (method, arguments)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(id_=st.text(max_size=300))
def test_any_text_as_id(backend: Backend, id_: str) -> None:
    me = backend.client(backend.people[0])
    for type_name in ("Thing", "Conversation"):
        try:
            answers = me.calls(
                (f"{type_name}/get", {"ids": [id_]}),
                (f"{type_name}/set", {"update": {id_: {}}, "destroy": [id_], "create": {id_: {}}}),
            )
        except UnicodeEncodeError:
            return  # a lone surrogate cannot be sent at all
        assert answers[0][1]["notFound"] == [id_]
        assert answers[1][0] == f"{type_name}/set", answers
        assert id_ in answers[1][1]["notUpdated"] or type_name == "Thing"
