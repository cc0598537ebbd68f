"""A store of the first version opens in this one: what it held of notices, folders and documents becomes records, and is asked for again."""

from pathlib import Path

import apsw
import msgspec

from desktop.core.domain import Document, Folder, Message, MessageKind, Notice
from desktop.core.domain.chat_parts import Attachment
from desktop.core.domain.search import MessagesWanted
from desktop.core.store.schema import MIGRATIONS, VERSION
from desktop.core.store.sqlite import SqliteStore

KEY = bytes(range(32))
NOTICE = Notice(
    "n1", "Flood", "<p>x</p>", published_at=5000, attachments=(Attachment("b" * 64, "a.pdf"),), my_read_at=9
)
FOLDER = Folder("f2", "Inside", "f1")
DOCUMENT = Document("x1", "Plan", "f2", "c" * 64, "plan.pdf", kept=True)


def first_store(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.pragma("cipher", "chacha20")
    db.pragma("key", "raw:" + KEY.hex())
    db.execute(MIGRATIONS[0])
    db.execute("PRAGMA user_version = 1")
    rows = [("Notice", "n1", None, NOTICE), ("Folder", "f2", "f1", FOLDER), ("Document", "x1", "f2", DOCUMENT)]
    for type_name, object_id, parent, value in rows:
        db.execute("INSERT INTO object VALUES(?, ?, ?, ?)", (type_name, object_id, parent, msgspec.json.encode(value)))
    old = {"id": "notices", "group": "official", "label": {"zh": "公告", "en": "Notices"}, "icon": "megaphone", "order": 1,
           "types": [{"name": "Notice", "label": {"zh": "公告", "en": "Notice"}, "fields": [{"name": "title"}]}]}  # fmt: skip
    db.execute("INSERT INTO object VALUES('ModuleDefinition', 'notices', NULL, ?)", (msgspec.json.encode(old),))
    db.execute("INSERT INTO conversation_key VALUES(1, 'room')")
    said = msgspec.json.encode(Message("m1", "room", MessageKind.TEXT, "防汛值班", 1, "p1", 5))
    db.execute("INSERT INTO message VALUES(1, 1, 1, 5242880, 'm1', ?)", (said,))
    db.execute("INSERT INTO message_text(rowid, text) VALUES(5242880, '防汛 汛值 值班 班')")
    db.execute("INSERT INTO object VALUES('Person', 'p1', NULL, ?)", (b'{"id":"p1","name":"Anna"}',))
    for type_name in ("Notice", "Person", "ModuleDefinition", "Document", "Folder"):
        db.execute("INSERT INTO state VALUES(?, '7')", (type_name,))
    db.close()


def test_nothing_leaves_the_screen_and_the_server_is_asked_again(tmp_path: Path) -> None:
    assert VERSION == 3
    first_store(tmp_path / "s.db")
    for _ in range(2):  # and opening it once more changes nothing
        store = SqliteStore.open(tmp_path / "s.db", KEY, "me")
        assert store.load_object("Notice", "n1") == msgspec.structs.replace(NOTICE, my_read_at=None)
        assert store.load_objects("Folder", parent="f1") == [FOLDER]
        assert store.load_objects("Document", parent="f2") == [msgspec.structs.replace(DOCUMENT, kept=False)]
        assert store.load_objects("ModuleDefinition") == []  # of a shape nobody reads any more
        assert store.load_saved().states == {"Person": "7"}
        assert [one.id for one in store.search_messages(MessagesWanted("值班", sender_id="p1"))[0]] == ["m1"]
        store.close()
