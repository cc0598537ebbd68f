"""What people of the demo office do to messages after they were sent: the `then` of a line in today.toml, by the server's own functions."""

from server_stub.app.demo.people import People
from server_stub.app.demo.source import Table
from server_stub.chat.confirms import do_confirm
from server_stub.chat.desk import ChatDesk
from server_stub.chat.message_changes import do_edit, do_recall
from server_stub.chat.message_rows import MessageRow, load_row
from server_stub.chat.pins import do_pin
from server_stub.chat.places import Place, load_place
from server_stub.chat.polls import do_choose, do_enter_chain
from server_stub.chat.reactions import do_react
from server_stub.storage.database import Tx


def do_act(tx: Tx, desk: ChatDesk, people: People, conversation_id: str, message_id: str, act: Table) -> None:
    """One act `{do, by, …}`; `by` may be a list. Raises KeyError, SetError for an act that cannot be done."""
    logins = act["by"] if isinstance(act["by"], list) else [act["by"]]
    for login in logins:
        row = load_row(tx.conn, message_id)
        place = load_place(tx.conn, conversation_id, people.ids[login])
        if row is None or place is None:
            raise KeyError(f"{login} does not see the message")
        _do_one(tx, desk, place, row, act)


def _do_one(tx: Tx, desk: ChatDesk, place: Place, row: MessageRow, act: Table) -> None:
    match act["do"]:
        case "react":
            do_react(tx, place, row, {act["emoji"]: True})
        case "edit":
            do_edit(tx, desk, place, row, act["text"], list(row.extra.get("mentions", [])), None)
        case "recall":
            do_recall(tx, desk, place, row)
        case "pin":
            do_pin(tx, place, row, True)
        case "confirm":
            do_confirm(tx, desk, place, row)
        case "choose":
            do_choose(tx, place, row, list(act["choice"]))
        case "enter":
            do_enter_chain(tx, place, row, act["text"])
        case unknown:
            raise KeyError(f"nobody can {unknown}")
