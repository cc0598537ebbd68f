"""The audit chain: any change of any row shows, and an act that failed leaves nothing."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.audit import chain
from server_stub.storage.database import Tx
from tests.helpers.server_parts import Parts, open_parts


def fill(parts: Parts, count: int = 5) -> None:
    for number in range(count):

        def act(tx: Tx, n: int = number) -> None:
            chain.do_record(tx, "admin", "user.create", f"p{n}", {"n": n, "中": [n]})

        parts.database.write_now(act)


def test_an_untouched_chain_verifies(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        assert parts.database.read_now(chain.verify) == chain.ChainReport(0, chain.GENESIS, None)
        fill(parts)
        report = parts.database.read_now(chain.verify)
        assert (report.entries, report.broken_at) == (5, None)
        assert report.head == parts.database.read_now(
            lambda conn: conn.exec_driver_sql("SELECT hash FROM audit_entry ORDER BY seq DESC").scalar()
        )


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE audit_entry SET actor = 'x' WHERE seq = 3", 3),
        ("UPDATE audit_entry SET details = '{}' WHERE seq = 1", 1),
        ("UPDATE audit_entry SET at = at + 1 WHERE seq = 5", 5),
        ("UPDATE audit_entry SET hash = lower(hex(randomblob(32))) WHERE seq = 2", 2),
        ("DELETE FROM audit_entry WHERE seq = 2", 3),
        ("DELETE FROM audit_entry WHERE seq = 1", 2),
        ("UPDATE audit_entry SET seq = 9 WHERE seq = 5", 9),
    ],
)
def test_any_change_shows(tmp_path: Path, change: str, broken_at: int) -> None:
    with open_parts(tmp_path) as parts:
        fill(parts)
        parts.database.write_now(lambda tx: tx.execute(change))
        assert parts.database.read_now(chain.verify).broken_at == broken_at


def test_an_act_that_fails_leaves_no_entry(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        fill(parts, 1)

        def act(tx: Tx) -> None:
            chain.do_record(tx, "admin", "user.create", "p")
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011
            parts.database.write_now(act)
        assert parts.database.read_now(chain.verify).entries == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(
    st.lists(st.tuples(st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5))))
)
def test_any_texts_chain(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, dict[str, object]]]
) -> None:
    clean = [(text.encode("utf-8", "replace").decode(), details) for text, details in entries]
    with open_parts(tmp_path_factory.mktemp("chain")) as parts:
        for text, details in clean:
            parts.database.write_now(lambda tx, t=text, d=details: chain.do_record(tx, t, t, t, d))  # type: ignore[misc]
        report = parts.database.read_now(chain.verify)
        assert (report.entries, report.broken_at) == (len(clean), None)
