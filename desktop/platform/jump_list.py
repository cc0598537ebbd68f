"""Windows' jump list: what a right click on the task bar's button offers (ICustomDestinationList, through ctypes).

Methods are called by their place in the interface, as the Windows SDK's shobjidl_core.h and propsys.h declare them. The list
belongs to the AppUserModelID of the process. Whatever Windows refuses is logged: the menu is a convenience.
"""

import ctypes
import logging
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from ctypes import POINTER, byref, c_int32, c_uint16, c_uint32, c_void_p, c_wchar_p
from dataclasses import dataclass
from typing import Any, Final

log = logging.getLogger("tongban.jump_list")

DESTINATION_LIST: Final = "77f10cf0-3db5-4966-b520-b7c54fd35ed6"
I_DESTINATION_LIST: Final = "6332debf-87b5-4670-90c0-5e57b408a49e"
COLLECTION: Final = "2d3468c1-36a7-43b6-ac24-d3f02fd9607a"
I_COLLECTION: Final = "5632b1a4-e38a-400a-928a-d4cd63230295"
I_ARRAY: Final = "92ca9dcd-5622-4bba-a805-5e9f541bd8c9"
LINK: Final = "00021401-0000-0000-c000-000000000046"
I_LINK: Final = "000214f9-0000-0000-c000-000000000046"
I_STORE: Final = "886d8eeb-8cf2-4446-8d02-cdba1dbdcf99"
TITLE: Final = "f29f85e0-4ff9-1068-ab91-08002b27b3d9"
TITLE_ID: Final = 2
VT_LPWSTR: Final = 31
IN_PROCESS: Final = 1

QUERY, RELEASE = 0, 2  # IUnknown
SET_APP_ID, BEGIN_LIST, ADD_USER_TASKS, COMMIT_LIST = 3, 4, 7, 8  # ICustomDestinationList
ADD_OBJECT = 5  # IObjectCollection
SET_ARGUMENTS, SET_ICON, SET_PATH = 11, 17, 20  # IShellLinkW
SET_VALUE, COMMIT = 6, 7  # IPropertyStore


class Guid(ctypes.Structure):
    """A GUID in memory."""

    _fields_ = (("bytes", ctypes.c_ubyte * 16),)

    @classmethod
    def of(cls, text: str) -> "Guid":
        return cls((ctypes.c_ubyte * 16)(*uuid.UUID(text).bytes_le))


class PropertyKey(ctypes.Structure):
    """PROPERTYKEY."""

    _fields_ = (("format", Guid), ("id", c_uint32))


class PropertyText(ctypes.Structure):
    """PROPVARIANT with a text in it; 24 bytes on 64 bit systems."""

    _fields_ = (("kind", c_uint16), ("reserved", c_uint16 * 3), ("text", c_wchar_p), ("rest", c_void_p))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: its words, and the arguments the program is started with."""

    title: str
    arguments: str


Create = Callable[[str, str], int]
"""Makes an object of a class (CLSID, IID) and gives its address."""


class JumpListFailed(OSError):
    """Windows refused a call."""


def set_jump_list(entries: Sequence[Entry], program: str, app_id: str, *, create: Create | None = None) -> bool:
    """Puts `entries` into the list of `app_id`, each starting `program`. False when Windows refused."""
    try:
        with ExitStack() as stack:
            _write(entries, program, app_id, create or _create, stack)
    except OSError as error:
        log.info("no jump list: %s", error)
        return False
    return True


def _write(entries: Sequence[Entry], program: str, app_id: str, create: Create, stack: ExitStack) -> None:
    def made(class_id: str, interface: str) -> int:
        return _owned(create(class_id, interface), stack)

    target = made(DESTINATION_LIST, I_DESTINATION_LIST)
    _call(target, SET_APP_ID, (c_wchar_p, app_id))
    slots, removed = c_uint32(), c_void_p()
    array = Guid.of(I_ARRAY)
    _call(target, BEGIN_LIST, (POINTER(c_uint32), byref(slots)), (c_void_p, byref(array)), (c_void_p, byref(removed)))
    if removed.value:
        _owned(removed.value, stack)
    collection = made(COLLECTION, I_COLLECTION)
    for entry in entries:
        link = made(LINK, I_LINK)
        _call(link, SET_PATH, (c_wchar_p, program))
        _call(link, SET_ARGUMENTS, (c_wchar_p, entry.arguments))
        _call(link, SET_ICON, (c_wchar_p, program), (c_int32, 0))
        _set_title(link, entry.title, stack)
        _call(collection, ADD_OBJECT, (c_void_p, link))
    _call(target, ADD_USER_TASKS, (c_void_p, collection))
    _call(target, COMMIT_LIST)


def _set_title(link: int, title: str, stack: ExitStack) -> None:
    interface, found = Guid.of(I_STORE), c_void_p()
    _call(link, QUERY, (c_void_p, byref(interface)), (c_void_p, byref(found)))
    store = _owned(found.value or 0, stack)
    key, value = PropertyKey(Guid.of(TITLE), TITLE_ID), PropertyText(VT_LPWSTR, text=title)
    _call(store, SET_VALUE, (c_void_p, byref(key)), (c_void_p, byref(value)))
    _call(store, COMMIT)


def _owned(address: int, stack: ExitStack) -> int:
    if not address:
        raise JumpListFailed("no object")
    stack.callback(_release, address)
    return address


def _release(address: int) -> None:
    _function(address, RELEASE, c_uint32)(address)


def _call(address: int, place: int, *arguments: tuple[Any, Any]) -> None:
    result = _function(address, place, c_int32, *(kind for kind, _ in arguments))(address, *(it for _, it in arguments))
    if result < 0:
        raise JumpListFailed(f"call {place}: 0x{result & 0xFFFFFFFF:08x}")


def _function(address: int, place: int, result: Any, *kinds: Any) -> Any:
    """A method of an object by its place. Only 64 bit systems: there is one calling convention."""
    table = ctypes.cast(address, POINTER(POINTER(c_void_p))).contents
    return ctypes.CFUNCTYPE(result, c_void_p, *kinds)(table[place] or 0)


def _create(class_id: str, interface: str) -> int:
    ole: Any = ctypes.CDLL("ole32")  # Qt has called OleInitialize on this thread
    found, clsid, iid = c_void_p(), Guid.of(class_id), Guid.of(interface)
    result = c_int32(ole.CoCreateInstance(byref(clsid), None, IN_PROCESS, byref(iid), byref(found))).value
    if result < 0:
        raise JumpListFailed(f"CoCreateInstance: 0x{result & 0xFFFFFFFF:08x}")
    return found.value or 0
