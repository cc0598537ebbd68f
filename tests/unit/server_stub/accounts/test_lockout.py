"""Lock-out: the wait doubles, is charged before the password is looked at, and survives what it must."""

from pathlib import Path

import pytest

from server_stub.accounts import lockout
from server_stub.accounts.lockout import Charge, LockPolicy, do_charge, do_give_back, do_note_locked, guard_key
from tests.helpers.server_parts import Parts, open_parts

POLICY = LockPolicy(free=3, base_s=30, max_s=240)
LI = Charge(guard_key("login", "li"), POLICY)
HOME = Charge(guard_key("address", "10.0.0.1"), LockPolicy(free=5, base_s=30, max_s=240))


def charge(parts: Parts, *charges: Charge) -> int:
    return parts.database.write_now(lambda tx: do_charge(tx, list(charges)))


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (2, 0), (3, 30), (4, 60), (5, 120), (6, 240), (7, 240), (10_000, 240)]
)
def test_the_wait_doubles_up_to_the_longest(failures: int, seconds: int) -> None:
    assert POLICY.wait_ms(failures) == seconds * 1000


def test_failures_lock_then_wait_longer(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        assert [charge(parts, LI) for _ in range(3)] == [0, 0, 0]
        assert charge(parts, LI) == 30_000
        parts.clock.advance(29_999)
        assert charge(parts, LI) == 1
        parts.clock.advance(1)
        assert charge(parts, LI) == 0  # one more try
        assert charge(parts, LI) == 60_000


def test_a_right_password_clears_the_login_but_only_its_own_try_of_the_address(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        for _ in range(2):
            charge(parts, LI, HOME)
        charge(parts, LI, HOME)
        parts.database.write_now(lambda tx: do_give_back(tx, LI, clear=True))
        parts.database.write_now(lambda tx: do_give_back(tx, HOME, clear=False))
        assert [charge(parts, LI) for _ in range(3)] == [0, 0, 0]
        assert [charge(parts, HOME) for _ in range(3)] == [0, 0, 0]  # two failures are left, three more lock
        assert charge(parts, HOME) == 30_000


def test_a_locked_key_charges_nothing(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        for _ in range(3):
            charge(parts, LI)
        for _ in range(20):
            assert charge(parts, LI, HOME) > 0
        assert [charge(parts, HOME) for _ in range(5)] == [0] * 5


def test_failures_are_forgotten_after_a_day(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        for _ in range(3):
            charge(parts, LI)
        parts.clock.advance(lockout.FORGET_AFTER_MS + 1)
        assert [charge(parts, LI) for _ in range(3)] == [0, 0, 0]
        parts.clock.advance(lockout.FORGET_AFTER_MS + 1)
        parts.database.write_now(lockout.do_forget_old)
        assert (
            parts.database.read_now(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM login_guard").scalar()) == 0
        )


def test_a_flood_against_a_locked_login_is_noted_once_a_minute(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        for _ in range(3):
            charge(parts, LI)
        noted = [parts.database.write_now(lambda tx: do_note_locked(tx, LI)) for _ in range(5)]
        assert noted == [True, False, False, False, False]
        parts.clock.advance(lockout.NOTE_EVERY_MS)
        assert parts.database.write_now(lambda tx: do_note_locked(tx, LI))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("unknown", "", False),
    ],
)
def test_addresses_that_count_as_one(one: str, other: str, same: bool) -> None:
    assert (lockout.address_key(one) == lockout.address_key(other)) is same


def test_the_table_never_holds_what_was_typed(tmp_path: Path) -> None:
    with open_parts(tmp_path) as parts:
        charge(parts, Charge(guard_key("login", "my-secret-password"), POLICY))
        rows = parts.database.read_now(lambda conn: conn.exec_driver_sql("SELECT key FROM login_guard").fetchall())
        assert "my-secret-password" not in str(rows)
