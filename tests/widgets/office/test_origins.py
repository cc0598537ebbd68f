"""A record made of another one: the menu offers it, the form is filled in, the link leads back."""

import asyncio
from typing import Any

import msgspec
import pytest

from desktop.core.domain.definition import Field, FieldKind, Label, ModuleDefinition, TypeDefinition
from desktop.ui.kit import Button, Menu
from desktop.ui.office.record.make_menu import add_makeable
from desktop.ui.office.record.origins import makeable, prefill_from, source_of, target_of
from desktop.ui.office.record.value_view import ValueView
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene
from tests.widgets.office.test_record_paper import run

TRIP, CAR = "SampleTrip", "SampleVehicle"


def with_origin(context: ViewContext, type_name: str = TRIP) -> TypeDefinition:
    """The type as one that may be made of something."""
    definition = context.type_of(type_name)
    assert definition is not None
    text = {"kind": FieldKind.TEXT, "max": 200}
    parts = tuple(Field(name=one, label=Label(zh=one, en=one), **text) for one in ("type", "id", "title"))  # type: ignore[arg-type]
    origin = Field(name="origin", kind=FieldKind.OBJECT, label=Label(zh="来源", en="Origin"), fields=parts)
    made = msgspec.structs.replace(definition, fields=(*definition.fields, origin))
    module = context.module
    assert isinstance(module, ModuleDefinition)
    types = tuple(made if one.name == type_name else one for one in module.types)
    context.modules = [msgspec.structs.replace(module, types=types)]  # type: ignore[assignment]
    return made


def test_the_menu_makes_a_record_that_says_what_it_was_made_of() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        definition = with_origin(context)
        record = session.records.get("v1")
        asked: list[tuple[str, Any]] = []
        menu = Menu(None, leaves=True)
        add_makeable(menu, context, record, lambda *told: asked.append(told))
        (entry,) = [one for one in menu.actions() if one.text()]
        assert context.label(definition.label) in entry.text()
        entry.trigger()
        ((made, begins),) = asked
        assert made == TRIP
        title = context.title(record)
        assert begins["origin"] == {"type": CAR, "id": "v1", "title": title}
        assert title in begins.values()
        assert makeable(context, besides=TRIP) == [], "nothing is made of its own kind"

    run(scene)


def test_a_type_without_an_origin_is_not_offered() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        menu = Menu(None, leaves=True)
        add_makeable(menu, context, session.records.get("t1"), lambda *_: None)
        assert not menu.actions()
        definition = context.type_of(CAR)
        assert definition is not None
        assert prefill_from(definition, source_of(context, session.records.get("t1"))) == {}

    run(scene)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tongban://IncomingDocument/0192-ab_c", ("IncomingDocument", "0192-ab_c")),
        ("tongban://conversation/c1", ("Conversation", "c1")),
        ("tongban://person/p1", ("Person", "p1")),
        ("tongban://do/evil", ("do", "evil")),
        ("https://example.org/x", None),
        ("见 tongban://Task/1", None),
        ("tongban://Task/../x", None),
        (7, None),
    ],
)
def test_links_of_ours_are_known_from_other_texts(text: object, target: tuple[str, str] | None) -> None:
    assert target_of(text) == target


def test_a_link_is_shown_under_the_name_of_what_is_there_and_leads_there() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        field = Field(name="originLink", kind=FieldKind.TEXT, label=Label(zh="来源链接", en="Link"))
        view = ValueView(context, field)
        went: list[tuple[str, str]] = []
        view.opened.connect(lambda *told: went.append(told))
        view.show_value(f"tongban://{TRIP}/t1")
        button = view.findChild(Button, "originLink")
        assert button is not None
        button.click()
        assert went == [(TRIP, "t1")]
        async with asyncio.timeout(5):
            while not context.title_of(TRIP, "t1"):
                await asyncio.sleep(0)
        view.show_value(f"tongban://{TRIP}/t1")
        again = view.findChild(Button, "originLink")
        assert again is not None
        assert again.text() == context.title_of(TRIP, "t1")

    run(scene)
