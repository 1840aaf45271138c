from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, strategies as st

from tableguard.backup.lambdas.errors import Rejected
from tableguard.backup.lambdas.records import lines


def pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


@given(
    st.lists(st.lists(st.binary(max_size=9).filter(lambda line: line.strip() and b"\n" not in line))),
    st.integers(1, 50),
)
def test_gives_the_lines_whatever_the_members_and_the_pieces(members: list[list[bytes]], size: int) -> None:
    body = b"".join(gzip.compress(b"".join(line + b"\n" for line in member)) for member in members)
    assert list(lines(pieces(body, size))) == [line for member in members for line in member]


@given(st.integers(0, 1_200_000), st.integers(1, 999), st.integers(0, 3))
def test_gives_long_lines_in_full(length: int, size: int, ends: int) -> None:
    text = b"x" * length
    found = list(lines(pieces(gzip.compress(text + b"\n" * ends), size)))
    assert found == ([text] if text else [])


@pytest.mark.parametrize(
    "body",
    [b"", gzip.compress(b""), gzip.compress(b"") * 3, gzip.compress(b"\n\n \n")],
    ids=["no bytes", "gzip of nothing", "three of them", "empty lines"],
)
def test_an_empty_file_has_no_lines(body: bytes) -> None:
    assert list(lines([body, b""])) == []


WHOLE = gzip.compress(b"one\ntwo\n", mtime=0)


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
def test_a_file_that_is_cut_short_is_rejected(cut: int) -> None:
    with pytest.raises(Rejected, match="cut short"):
        list(lines([WHOLE[:cut]]))


@pytest.mark.parametrize(
    "body",
    [WHOLE + b"x", WHOLE + b"\0" * 9, b"one\n", WHOLE[:-8] + b"\0" * 8],
    ids=["garbage", "zeros", "plain", "checksum"],
)
def test_what_is_not_gzip_from_end_to_end_is_rejected(body: bytes) -> None:
    with pytest.raises(Rejected, match=r"not gzip|cut short"):
        list(lines([body]))


def test_a_line_that_no_record_has_is_rejected_before_it_is_held() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    def read() -> None:
        with pytest.raises(Rejected, match="more than 1000000 bytes"):
            list(lines([bomb], longest=1_000_000))

    assert peak_of(read) < 10_000_000


def test_a_file_ten_times_as_long_takes_no_more_memory() -> None:
    def read(count: int) -> Callable[[], None]:
        body = b"".join(gzip.compress(b'{"Item": {"pk": {"S": "0123456789"}}}\n' * 1000) for _ in range(count))

        def consume() -> None:
            assert sum(1 for _ in lines(pieces(body, 65536))) == 1000 * count

        return consume

    small, large = peak_of(read(10)), peak_of(read(100))
    assert large < small + 200_000


def peak_of(do: Callable[[], object]) -> int:
    tracemalloc.start()
    do()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
