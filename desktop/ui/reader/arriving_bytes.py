"""The bytes of a file that is still on its way, as the formats want them: any part of it, or NotHere and a wish for that part."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import Final

from desktop.core.domain import Arriving

BLOCK: Final = 64 * 1024
KEPT_BLOCKS: Final = 32
"""Formats read a few bytes at a time, and every block comes deciphered from the disk: 2 MiB of the last ones are kept."""


class NotHere(Exception):
    """These bytes have not come yet; they are wished for."""

    def __init__(self, offset: int, length: int) -> None:
        super().__init__(offset, length)
        self.offset, self.length = offset, length


class ArrivingBytes:
    """Reads of one file; for one thread at a time."""

    def __init__(self, arriving: Arriving) -> None:
        self._arriving = arriving
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self.size = arriving.size

    def read(self, offset: int, length: int) -> bytes:
        """These bytes, fewer at the end. Raises NotHere."""
        end = min(self.size, offset + length)
        if offset >= end:
            return b""
        first, last = offset // BLOCK, (end - 1) // BLOCK
        parts = []
        for number in range(first, last + 1):
            block = self._block(number)
            if block is None:
                self._arriving.want(number * BLOCK, end - number * BLOCK)
                raise NotHere(number * BLOCK, end - number * BLOCK)
            parts.append(block)
        start = offset - first * BLOCK
        return (
            b"".join(parts)[start : start + end - offset] if len(parts) > 1 else parts[0][start : start + end - offset]
        )

    def here(self, missed: NotHere) -> bool:
        """Whether what was missed has come."""
        return self._block(missed.offset // BLOCK) is not None

    def _block(self, number: int) -> bytes | None:
        found = self._blocks.pop(number, None)
        if found is None:
            found = self._arriving.read(number * BLOCK, BLOCK)
            if found is None:
                return None
        self._blocks[number] = found
        while len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return found


class ArrivingFile(io.RawIOBase):
    """The same as a file one can seek in; `read` raises NotHere."""

    def __init__(self, held: ArrivingBytes) -> None:
        super().__init__()
        self._held = held
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Goes there. Raises OSError before the beginning."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._held.size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        data = self._held.read(self._at, self._held.size - self._at if size < 0 else size)
        self._at += len(data)
        return data
