"""One backend for each file of tests of chat; every test makes conversations of its own in it."""

from collections.abc import Iterator

import pytest

from tests.helpers.chat_room import Room, chat_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Five people and their backend."""
    with chat_room(tmp_path_factory.mktemp("room")) as opened:
        yield opened
