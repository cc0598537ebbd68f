"""Random definitions, records and people: everybody sees exactly what the definition says, and nothing of a field he is not shown."""

import contextlib
from functools import partial
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.errors import SetError
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.push.events import ObjectsChanged
from server_stub.records.actor import Actor
from server_stub.records.types import Comparator, JsonObject
from tests.property.office_worlds import OfficeWorld, data_plans, definitions, maybe, open_world, people, places

steps = st.one_of(
    st.tuples(st.just("make"), people, data_plans),
    st.tuples(st.just("change"), st.integers(0, 9), data_plans),
    st.tuples(st.just("drop"), st.integers(0, 9)),
    st.tuples(st.just("base"), st.integers(0, 1), maybe(people), maybe(places)),
    st.tuples(st.just("promote"), people, maybe(people)),
    st.tuples(st.just("head"), places, maybe(people)),
    st.tuples(st.just("move"), people, places),
    st.tuples(st.just("appoint"), people, st.lists(st.sampled_from(("keeper", "clerk")), unique=True)),
    st.tuples(st.just("dismiss"), people),
)


def do_step(office: OfficeWorld, step: tuple[Any, ...]) -> None:
    things = list(office.authors)
    match step:
        case ("make", author, plan):
            office.make(author, plan)
        case ("change", which, plan) if things:
            record_id = things[which % len(things)]
            office.change(record_id, {key: None for key in office.world.records[record_id][1]} | office.data(plan))
        case ("drop", which) if things:
            office.drop(things[which % len(things)])
        case ("base", which, driver, place):
            values = {
                "driverId": None if driver is None else office.people[driver],
                "placeId": None if place is None else office.places[place],
            }
            office.change(office.base_ids[which], values)
        case ("promote", person, superior):
            office.promote(person, superior)
        case ("head", place, person):
            office.head(place, person)
        case ("move", person, place):
            office.move(person, place)
        case ("appoint", person, roles):
            office.appoint(person, roles)
        case ("dismiss", person):
            office.dismiss(person)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(definitions(), st.lists(st.tuples(people, data_plans), min_size=2, max_size=5), st.lists(steps, max_size=12))
def test_everybody_sees_exactly_what_the_definition_says(
    definition: TypeDefinition, first: list[tuple[int, JsonObject]], then: list[tuple[Any, ...]]
) -> None:
    with open_world(definition) as office:
        for author, plan in first:
            office.make(author, plan)
        held = {person: (office.state(), office.expected(person)) for person in office.people}
        for step in then:
            do_step(office, step)
            for person in office.people:
                assert office.seen(person) == office.expected(person), (step, person)
        for person, (state, before) in held.items():
            now = office.expected(person)
            actor = office.actor(person)
            page = office.database.read_now(partial(office.things.changes, actor=actor, since=state, limit=500))
            assert (before - set(page.destroyed)) | set(page.created) == now
            assert not set(page.destroyed) & now


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(definitions(), st.lists(st.tuples(people, data_plans), min_size=2, max_size=4), st.lists(steps, max_size=4))
def test_nothing_a_reader_gets_depends_on_a_field_he_is_not_shown(
    definition: TypeDefinition, first: list[tuple[int, JsonObject]], then: list[tuple[Any, ...]]
) -> None:
    with open_world(definition) as office:
        for author, plan in first:
            office.make(author, plan)
        for step in then:
            do_step(office, step)
        actors = {person: office.actor(person) for person in office.people}
        for record_id in list(office.authors):
            for field, other in (("hidden", "zeta eta"), ("sum", "99.00")):
                here = [one for one in office.people if office.world.people[one].active]  # nobody else can ask
                blind = [one for one in here if not office.shows(one, record_id, field)]
                before = [everything(office, actors[one], record_id, field) for one in blind]
                events: list[object] = []
                office.database.subscribe(events.extend)
                office.change(record_id, {field: other})
                after = [everything(office, actors[one], record_id, field) for one in blind]
                assert before == after
                assert all(one.objects is None for one in events if isinstance(one, ObjectsChanged))


def everything(office: OfficeWorld, actor: Actor, record_id: str, field: str) -> list[Any]:
    """All that an actor can ask that might tell a field's value; times and versions tell only that something changed."""
    objects = office.database.read_now(lambda conn: office.things.get(conn, actor, None, None).list)
    shown = [{key: value for key, value in one.items() if key not in ("updatedAt", "version")} for one in objects]
    asked: list[Any] = [shown]
    for filter_ in (
        {field: "zeta eta"},
        {field: "99.00"},
        {field: None},
        {f"{field}After": "50.00"},
        {f"{field}Before": "50.00"},
        {"text": "zeta"},
        {"text": "omega"},
        {"operator": "NOT", "conditions": [{field: None}]},
    ):
        asked.append(office.query(actor, filter_, []))
    asked.append(office.query(actor, None, [Comparator(field)]))
    asked.append(office.query(actor, None, [Comparator(field, is_ascending=False), Comparator("title")]))
    entries = office.database.read_now(lambda conn: office.history._entries(conn, actor, record_id))
    asked.append([one["changes"] for one in entries])
    for guess in ("zeta eta", "99.00", None, "omega"):
        asked.append(guessed(office, actor, record_id, field, guess))
    return asked


class _Undone(Exception):
    pass


def guessed(office: OfficeWorld, actor: Actor, record_id: str, field: str, guess: Any) -> object:
    """What a patch of a field is answered; nothing of it stays."""
    answers: list[object] = []

    def act(tx: Any) -> None:
        try:
            answers.append(office.things.update(tx, actor, record_id, {field: guess}))
        except SetError as error:
            answers.append((error.type, error.description, error.properties))
        raise _Undone

    with contextlib.suppress(_Undone):
        office.database.write_now(act)
    return answers[0]
