"""The pool of records behind long lists: what is looked at is read once, in one question, and again after a change; what is gone is not asked for again."""

import msgspec
from PySide6.QtCore import QObject

from desktop.ui.office.views.record_pool import AT_ONCE, RecordPool
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.stage import play, settle, until


def test_what_is_looked_at_is_read_with_one_question() -> None:
    async def scene() -> None:
        session = RecordsScene(many=1000)
        owner = QObject()
        pool = RecordPool(session.records, TRIP, owner)
        ids = [f"m{number:06}" for number in range(1000)]
        assert [pool.get(one) for one in ids[:60]] == [None] * 60
        await until(lambda: pool.peek(ids[59]) is not None)
        assert pool.get(ids[0]) == session.records.get(ids[0])
        assert len(session.called("records.several")) == 1
        for one in ids:
            pool.get(one)
        await until(lambda: all(pool.peek(one) is not None for one in ids))
        sizes = [len(call[1]) for call in session.called("records.several") if isinstance(call[1], tuple)]
        assert max(sizes) == AT_ONCE
        first = session.called("records.several")[1][1]
        assert isinstance(first, tuple)
        assert ids[-1] in first, "what was looked at last comes first"

    play(scene())


def test_a_change_is_read_again_and_what_is_gone_is_asked_for_once() -> None:
    async def scene() -> None:
        session = RecordsScene()
        owner = QObject()
        pool = RecordPool(session.records, TRIP, owner)
        await pool.renew(["t1", "t2", "gone"])
        assert pool.get("gone") is None
        await settle()
        assert len(session.called("records.several")) == 1
        old = session.records.get("t2")
        session.records.put(msgspec.structs.replace(old, version=9))
        await pool.renew(["t1"])
        assert pool.get("t2") == old, "the old one is shown until the new one is here"
        await until(lambda: (held := pool.peek("t2")) is not None and held.version == 9)
        await pool.load(["t1", "t2"])
        assert len(session.called("records.several")) == 3

    play(scene())
