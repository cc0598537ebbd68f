"""kill -9 of real processes in the middle of 5,000 sends: nothing acknowledged is lost, nothing is there twice, order is kept.

The moments are drawn from a seed (TONGBAN_KILL_SEED) and bound to progress, not to time: each kill comes when so many messages have been
acknowledged, plus some milliseconds by dice, so that it always meets a server and clients at work. What is judged is read from the server over the
wire, and from the clients' encrypted stores with the server gone.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.peers.sender import BURST
from tests.helpers.kill_clients import ClientProcess, load_held, wait_for
from tests.helpers.kill_journal import Ledger
from tests.helpers.kill_office import Office, grant_token, open_office
from tests.helpers.kill_raw import RawSender
from tests.helpers.kill_verdict import Row, Verdict, judge
from tests.helpers.live_server import run_cli

MESSAGES = 5_000
SEED = int(os.environ.get("TONGBAN_KILL_SEED", "20261122"))
ROOMS = {
    "plan": ("anna", "ben", "chen"),
    "budget": ("chen", "anna", "ben"),
    "direct-anna": ("anna", "ben"),
    "direct-chen": ("chen", "ben"),
}
JITTER = 0.02
OFFLINE_QUEUE = 500

pytestmark = pytest.mark.slow
Report = Callable[..., None]


@pytest.fixture
def report(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Report:
    """Figures for the report of the run, and on the screen with -s."""
    started = time.monotonic()

    def tell(verdict: Verdict, **figures: object) -> None:
        used = os.times()
        figures |= {
            "seconds": round(time.monotonic() - started, 1),
            "cpu_so_far": round(used.children_user + used.children_system, 1),
            "seed": SEED,
            "verdict": str(verdict),
        }
        for name, value in figures.items():
            record_property(name, value)
        print(f"\n{request.node.name}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))

    return tell


def moments(dice: random.Random, count: int) -> list[int]:
    """Numbers of acknowledged messages at which to kill: spread over the run, each somewhere in its part."""
    share = MESSAGES * 0.8 / count
    return [round(MESSAGES * 0.02 + share * (part + dice.random())) for part in range(count)]


def shares(*rooms: str, total: int) -> dict[str, int]:
    """So many messages over these rooms."""
    each, rest = divmod(total, len(rooms))
    return {room: each + (place < rest) for place, room in enumerate(rooms)}


def wait_acknowledged(clients: Sequence[ClientProcess], count: int) -> None:
    wait_for(lambda: acknowledged(clients) >= count, f"{count} acknowledged", clients)


def wait_accepted(client: ClientProcess, count: int) -> None:
    wait_for(lambda: len(client.ledger.accepted) >= count, f"{count} in the outbox", [client])


def check_data(office: Office) -> None:
    """Stops the server and lets it look over its data folder."""
    assert office.server.stop() == 0
    run_cli(office.server.data, "check")


def acknowledged(clients: Sequence[ClientProcess]) -> int:
    return sum(len(client.ledger.acknowledged) for client in clients)


def finish(office: Office, senders: Sequence[ClientProcess], receiver: ClientProcess) -> dict[str, list[Row]]:
    """Waits until all is sent, asks the server what it holds, and waits until every client says that it holds the same."""
    clients = [*senders, receiver]
    wait_for(lambda: all(sender.ledger.done for sender in senders), "everything is sent", clients)
    truth = office.load_messages("ben")
    for client in clients:
        mine = [room for name, room in office.rooms.items() if client.login in ROOMS[name]]
        client.tell("finish " + json.dumps({room: len(truth[room]) for room in mine}))
    for client in clients:
        client.wait_for_end(60)
    return truth


def judge_all(
    office: Office, truth: Mapping[str, Sequence[Row]], senders: Sequence[ClientProcess], receiver: ClientProcess
) -> Verdict:
    """The server's verdict, after its own check of the data folder; every store must hold exactly what the server holds."""
    check_data(office)
    for client in (*senders, receiver):
        rooms = [room for name, room in office.rooms.items() if client.login in ROOMS[name]]
        assert load_held(client.folder, rooms) == {room: truth[room] for room in rooms}, f"{client.login} differs"
    ledgers = {sender.login: sender.ledger for sender in senders}
    assert sum(len(ledger.accepted) for ledger in ledgers.values()) == MESSAGES
    assert all(not ledger.open and not ledger.refused for ledger in ledgers.values())
    return judge(truth, ledgers)


def test_the_backend_is_killed_while_clients_send(tmp_path: Path, report: Report) -> None:
    dice = random.Random(SEED)
    with open_office(tmp_path, "anna", "ben", "chen", rooms=ROOMS) as office, ExitStack() as stack:
        plan, budget, direct_anna, direct_chen = office.rooms.values()
        plans = {
            "ben": {},
            "anna": shares(plan, budget, direct_anna, total=MESSAGES // 2),
            "chen": shares(plan, budget, direct_chen, total=MESSAGES // 2),
        }
        receiver, *senders = clients = [
            stack.enter_context(ClientProcess(tmp_path / login, login, plan)) for login, plan in plans.items()
        ]
        for client in clients:
            client.start(office.server.url)
        wait_for(lambda: all(client.ledger.passwords for client in clients), "all are signed in", clients)
        backlog: list[int] = []
        for number, moment in enumerate(moments(dice, 6)):
            wait_acknowledged(clients, moment)
            time.sleep(dice.random() * JITTER)
            office.kill_server()
            backlog.append(sum(len(client.ledger.open) for client in clients))
            office.start_server()
            if number % 2:  # otherwise they find the way back by themselves
                for client in clients:
                    client.tell("network")
        truth = finish(office, senders, receiver)
        verdict = judge_all(office, truth, senders, receiver)
    passwords = [client.ledger.passwords for client in clients]
    check_moments(backlog)
    report(verdict, kills=office.kills, backlog=backlog, passwords=passwords)
    assert verdict == Verdict(messages=MESSAGES)
    assert passwords == [1, 1, 1], "somebody was asked for the password again"


def test_the_clients_are_killed_while_they_send_and_receive(tmp_path: Path, report: Report) -> None:
    dice = random.Random(SEED + 1)
    with open_office(tmp_path, "anna", "ben", "chen", rooms=ROOMS) as office, ExitStack() as stack:
        rooms = [room for name, room in office.rooms.items() if "anna" in ROOMS[name]]
        receiver = stack.enter_context(ClientProcess(tmp_path / "ben", "ben", {})).start(office.server.url)
        sender = stack.enter_context(ClientProcess(tmp_path / "anna", "anna", shares(*rooms, total=MESSAGES)))
        sender.start(office.server.url)
        backlog: list[int] = []
        for number, moment in enumerate(moments(dice, 8)):
            wait_acknowledged([sender, receiver], moment)
            if number == 0:
                pull_the_cable(office, sender, receiver)
            time.sleep(dice.random() * JITTER)
            sender.kill()
            backlog.append(len(sender.ledger.open))
            sender.start(office.server.url)
            if number % 3 == 1 and receiver.ledger.online:
                receiver.restart()
        truth = finish(office, [sender], receiver)
        verdict = judge_all(office, truth, [sender], receiver)
    passwords = [sender.ledger.passwords, receiver.ledger.passwords]
    check_moments(backlog)
    report(verdict, kills=sender.kills, receiver_kills=receiver.kills, backlog=backlog, passwords=passwords)
    assert verdict == Verdict(messages=MESSAGES + verdict.uncertain, uncertain=verdict.uncertain)
    assert verdict.uncertain <= sender.kills * len(rooms) * BURST, "more than can have been on the way into the outbox"
    assert receiver.kills > 0
    assert passwords == [1, 1], "somebody was asked for the password again"


def check_moments(backlog: Sequence[int]) -> None:
    """Each kill but perhaps the last must have met messages on their way, or the test proved nothing."""
    assert all(backlog[:-1]), f"kills came too late: {backlog}"


def pull_the_cable(office: Office, sender: ClientProcess, receiver: ClientProcess) -> None:
    """The server goes; the sender queues some hundreds into its store and is killed over them, twice; the server comes back."""
    office.kill_server()
    for _ in range(2):
        wait_accepted(sender, min(MESSAGES, len(sender.ledger.accepted) + OFFLINE_QUEUE))
        sender.restart()
        assert len(sender.ledger.open) >= OFFLINE_QUEUE, "this kill met no full outbox"
    office.start_server()
    for client in (sender, receiver):
        client.tell("network")


def test_the_backend_is_killed_while_strangers_send(tmp_path: Path, report: Report) -> None:
    """Sockets of programs that know nothing but the protocol's creation ids. Their requests overlap, so order holds inside a request only."""
    dice = random.Random(SEED + 2)
    with open_office(tmp_path, "anna", "ben", "chen", rooms=ROOMS) as office:
        senders = open_sockets(office)
        asyncio.run(send_under_fire(office, senders, dice))
        truth = office.load_messages("ben")
        check_data(office)
    verdict = judge(truth, {sender.login: sender.ledger for sender in senders})
    standing = {row.id: row.seq for rows in truth.values() for row in rows}
    told_wrong = sum(standing[message_id] != seq for s in senders for message_id, seq in s.answered.items())
    resent, repeated = sum(s.resent for s in senders), sum(s.repeated for s in senders)
    report(verdict, kills=office.kills, sockets=len(senders), resent=resent, repeated=repeated)
    assert replace(verdict, disordered=0) == Verdict(messages=MESSAGES)
    assert told_wrong == sum(s.contradicted for s in senders) == sum(s.disordered for s in senders) == 0
    assert resent > 0, "no kill met a request on its way"
    assert repeated > 0
    assert all(sender.connections > 1 for sender in senders), "no kill met this socket"


def open_sockets(office: Office) -> list[RawSender]:
    """One for everybody but the reader in each room."""
    doors = [(login, name) for name, logins in ROOMS.items() for login in logins if login != "ben"]
    tokens = {login: grant_token(office.server.data, login) for login in ("anna", "chen")}
    counts = shares(*(f"{login} {name}" for login, name in doors), total=MESSAGES)
    return [
        RawSender(
            url=office.server.url.replace("https", "wss") + "/jmap/ws",
            tls=office.server.tls(),
            token=tokens[login],
            account=office.accounts[login],
            login=f"{login}@{name}",
            room=office.rooms[name],
            count=counts[f"{login} {name}"],
            dice=random.Random(f"{SEED} {login} {name}"),
        )
        for login, name in doors
    ]


async def send_under_fire(office: Office, senders: Sequence[RawSender], dice: random.Random) -> None:
    """Runs all sockets and kills the server five times at numbers of acknowledged messages."""

    async def fire() -> None:
        for moment in moments(dice, 5):
            while sum(len(sender.answered) for sender in senders) < moment:
                await asyncio.sleep(0.002)
            await asyncio.sleep(dice.random() * JITTER)
            await asyncio.to_thread(office.kill_server)
            await asyncio.to_thread(office.start_server)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(fire(), name="fire")
        for sender in senders:
            tasks.create_task(sender.run(), name=sender.login)


GOOD = [Row("a", 1, "p1", "anna 1"), Row("s", 2, None, ""), Row("b", 3, "p1", "anna 2"), Row("c", 4, "p2", "chen 1")]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (GOOD, {}),
        ([row._replace(seq=place) for place, row in enumerate((GOOD[0], *GOOD[2:]), 1)], {}),
        (GOOD[:3], {"lost": 1, "messages": 2}),
        ([*GOOD, Row("d", 5, "p2", "chen 1")], {"doubled": 1, "disordered": 1, "messages": 4, "uncertain": 1}),
        ([*GOOD, Row("c", 5, "p2", "chen 1")], {"doubled": 1, "disordered": 1, "messages": 4}),
        ([Row("b", 1, "p1", "anna 2"), Row("a", 2, "p1", "anna 1"), Row("c", 3, "p2", "chen 1")], {"disordered": 1}),
        ([*GOOD, Row("d", 5, "p2", "chen 2")], {"strange": 1, "messages": 4, "uncertain": 1}),
        ([*GOOD[:3], Row("c", 4, "p2", "chen 9")], {"strange": 1}),
        ([*GOOD, Row("d", 5, "p3", "dora 1")], {"strange": 1, "messages": 4, "uncertain": 1}),
        ([*GOOD[:3], GOOD[3]._replace(seq=5)], {"gaps": 1}),
    ],
)
def test_the_judge_sees_what_is_wrong(rows: list[Row], wrong: dict[str, int]) -> None:
    anna, chen = Ledger(), Ledger()
    for line in ("I room 1", "A room 1 a", "I room 2", "A room 2 b", "S b"):
        anna.take(line)
    for line in ("I room 1", "A room 1 c"):
        chen.take(line)
    assert judge({"room": rows}, {"anna": anna, "chen": chen}) == Verdict(**{"messages": 3, **wrong})
