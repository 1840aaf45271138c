"""Streams the lines of a gzip file in constant memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from .errors import Rejected

# An item has at most 400 KB, and DynamoDB JSON writes at most nine characters for a byte of it (a list of empty
# strings); a record of an incremental export holds two images. A longer line is no record, but a decompression bomb.
LONGEST_LINE: Final = 16 * 2**20
_CHUNK: Final = 256 * 1024  # bytes that are decompressed at a time
_GZIP: Final = 31  # zlib's code for a gzip header, nothing else


def lines(chunks: Iterable[bytes], *, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines of a gzip file, without their ends. Lines that are empty are left out.

    An empty file has no lines, whether it is of zero bytes or the gzip of nothing; several gzip members in a row are
    one file (RFC 1952).

    Args:
        chunks: The compressed file, in pieces of any size.
        longest: Bytes of the longest line that is taken.

    Raises:
        Rejected: The file is cut short, is not gzip from end to end, or has a longer line.
    """
    rest = bytearray()
    for text in _decompressed(chunks):
        start = 0
        while (end := text.find(b"\n", start)) >= 0:
            rest += text[start:end]
            _check_length(rest, longest)
            if rest.strip():
                yield bytes(rest)
            rest = bytearray()
            start = end + 1
        rest += text[start:]
        _check_length(rest, longest)
    if rest.strip():
        yield bytes(rest)


def _check_length(line: bytearray, longest: int) -> None:
    if len(line) > longest:
        raise Rejected(f"A line has more than {longest} bytes, which no record of an export has.")


def _decompressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The text of the gzip members, in pieces of a bounded size however well they are compressed."""
    member = None
    for chunk in filter(None, chunks):
        waiting = chunk
        while True:
            member = member or zlib.decompressobj(_GZIP)
            try:
                text = member.decompress(waiting, _CHUNK)
            except zlib.error as error:
                raise Rejected(f"The file is not gzip from end to end: {error}.") from error
            if text:
                yield text
            if member.eof:
                waiting, member = member.unused_data, None
                if not waiting:
                    break
            else:
                waiting = member.unconsumed_tail
                if not waiting:  # what zlib holds back comes with the next piece: the member's end is still to come
                    break
    if member is not None:
        raise Rejected("The file is cut short: its last gzip member has no end.")
