from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tableguard.backup.lambdas.errors import Rejected
from tableguard.backup.lambdas.item_digest import ItemDigest, canonical, of_effect, of_item, of_items
from tableguard.backup.lambdas.records import INCREMENTAL, from_client, parse, to_client
from tests.unit.backup.exports import change_line

TEXTS = st.text(max_size=4)
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999, max_value=999).map(str)
BINARY = st.binary(max_size=4).map(lambda raw: base64.b64encode(raw).decode())
SCALARS = st.one_of(
    st.fixed_dictionaries({"S": TEXTS}),
    st.fixed_dictionaries({"N": NUMBERS}),
    st.fixed_dictionaries({"B": BINARY}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.just({"NULL": True}),
    st.fixed_dictionaries({"SS": st.lists(TEXTS, min_size=1, max_size=3, unique=True)}),
    st.fixed_dictionaries({"NS": st.lists(NUMBERS, min_size=1, max_size=3, unique_by=Decimal)}),
    st.fixed_dictionaries({"BS": st.lists(BINARY, min_size=1, max_size=3, unique=True)}),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(TEXTS, inner, max_size=3)}),
    ),
    max_leaves=5,
)
ITEMS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
KEYS = st.sampled_from("klmn")
STATES = st.dictionaries(KEYS, ITEMS, max_size=4)


def whole(state: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "pk": {"S": key}} for key, one in state.items()]


@given(STATES, st.randoms(use_true_random=True))
def test_the_order_of_the_items_and_of_their_attributes_does_not_matter(
    state: dict[str, dict[str, Any]], random: Any
) -> None:
    items = whole(state)
    shuffled = [dict(sorted(one.items(), key=lambda _: random.random())) for one in items]
    random.shuffle(shuffled)
    assert of_items(shuffled) == of_items(items)  # type: ignore[arg-type]
    assert sum(map(of_item, shuffled), ItemDigest()) == of_items(items)  # type: ignore[arg-type]


@given(STATES, st.lists(st.tuples(KEYS, st.none() | ITEMS), max_size=12), st.integers(1, 4))
def test_a_full_export_and_its_increments_add_up_to_the_final_state(
    state: dict[str, dict[str, Any]], writes: list[tuple[str, dict[str, Any] | None]], length: int
) -> None:
    total = of_items(whole(state))  # type: ignore[arg-type]
    for start in range(0, len(writes), length):
        before = dict(state)
        for key, new in writes[start : start + length]:
            state.pop(key, None)
            if new is not None:
                state[key] = new
        for key in {key for key, _ in writes[start : start + length]}:
            old, new = ({key: at[key]} if key in at else {} for at in (before, state))
            if old or new:
                line = change_line(*(whole(one)[0] if one else None for one in (old, new)))
                total += parse(line, INCREMENTAL).effect
    final = of_items(whole(state))  # type: ignore[arg-type]
    assert (total.count, total.digest) == (final.count, final.digest)


@given(STATES.filter(bool), ITEMS)
def test_a_lost_a_doubled_and_an_altered_item_change_the_sum(
    state: dict[str, dict[str, Any]], other: dict[str, Any]
) -> None:
    items = whole(state)
    right = of_items(items)  # type: ignore[arg-type]
    altered = [{**other, "pk": items[0]["pk"], "x": {"S": "more"}}, *items[1:]]
    for wrong in (items[1:], [*items, items[0]], altered):
        found = of_items(wrong)  # type: ignore[arg-type]
        assert (found.count, found.digest) != (right.count, right.digest)
        assert found.digest != right.digest


@given(ITEMS)
def test_the_client_and_the_file_write_the_same_item(one: dict[str, Any]) -> None:
    assert from_client(to_client(one)) == one
    assert canonical(to_client(one)) == canonical(one)


@pytest.mark.parametrize(
    "spellings",
    [
        ["0", "-0", "0.0", "0E+5", "000"],
        ["1", "1.0", "1.00", "01", "10E-1", "0.1E1"],
        ["100", "1E2", "1.0E+2"],
        ["-12.5", "-12.50", "-125E-1"],
        ["1E125", "1" + "0" * 125],
        ["1E-130", "0." + "0" * 129 + "1"],
        ["12345678901234567890123456789012345678", "1234567890123456789012345678901234567.8E1"],
    ],
)
def test_one_number_has_one_text(spellings: list[str]) -> None:
    assert len({canonical({"n": {"N": one}, "s": {"NS": [one, "7"]}}) for one in spellings}) == 1


@pytest.mark.parametrize("values", [{"SS": ["b", "a"]}, {"NS": ["10", "9"]}, {"BS": ["Ag==", "AQ=="]}])
def test_the_order_of_a_set_does_not_matter_and_that_of_a_list_does(values: dict[str, list[str]]) -> None:
    ((kind, inner),) = values.items()
    assert canonical({"a": {kind: inner}}) == canonical({"a": {kind: inner[::-1]}})
    rows = [{kind[0]: one} for one in inner]
    assert canonical({"a": {"L": rows}}) != canonical({"a": {"L": rows[::-1]}})


@given(NUMBERS, NUMBERS)
def test_two_numbers_have_the_same_text_if_they_are_equal_and_only_then(one: str, other: str) -> None:
    assert (canonical({"n": {"N": one}}) == canonical({"n": {"N": other}})) == (Decimal(one) == Decimal(other))


def test_the_last_of_38_digits_counts() -> None:
    digits = "1234567890123456789012345678901234567"
    assert canonical({"n": {"N": digits + "8"}}) != canonical({"n": {"N": digits + "9"}})


def test_types_are_told_apart() -> None:
    values: list[dict[str, Any]] = [
        {"S": "1"}, {"N": "1"}, {"B": "MQ=="}, {"SS": ["1"]}, {"NS": ["1"]}, {"BS": ["MQ=="]}, {"L": [{"S": "1"}]},
        {"M": {"1": {"S": "1"}}}, {"BOOL": True}, {"BOOL": False}, {"NULL": True}, {"S": ""}, {"M": {}}, {"L": []},
    ]  # fmt: skip
    assert len({canonical({"a": value}) for value in values}) == len(values)


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": ""}
    for _ in range(levels):
        value = {"L": [value]}
    return value


@pytest.mark.parametrize(
    "value",
    [
        {}, {"S": 1}, {"S": "a", "N": "1"}, {"N": "one"}, {"N": "NaN"}, {"N": "Infinity"}, {"N": 1}, {"N": "1" * 39},
        {"N": "0" * 999}, {"B": "not base64"}, {"B": 7}, {"BOOL": "true"}, {"NULL": False}, {"SS": []},
        {"SS": ["a", "a"]},
        {"NS": ["1", "1.0"]}, {"SS": [1]}, {"L": {}}, {"M": []}, {"X": "a"}, "text", None, deep(40),
    ],
)  # fmt: skip
def test_what_is_no_value_is_rejected(value: Any) -> None:
    with pytest.raises(Rejected):
        canonical({"a": value})
    with pytest.raises(Rejected):
        canonical({"a": {"M": {"b": value}}})


def test_items_of_32_levels_are_taken() -> None:
    assert canonical({"a": deep(32)})


def test_a_tally_is_written_and_read() -> None:
    one = of_effect({"a": {"S": "1"}}, None)
    assert ItemDigest.read({"count": one.count, "digest": one.hex}) == one
    assert (of_effect(None, {"a": {"S": "1"}}) + one) == ItemDigest()
    for wrong in ({}, {"count": 1}, {"count": "1", "digest": "0" * 64}, {"count": 1, "digest": "0"}):
        with pytest.raises(ValueError, match="digest of 64"):
            ItemDigest.read(wrong)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{", b'{"Keys": {"pk": {"S": "a"}}}', b'{"NewImage": {"pk": {"S": "a"}}}', b"[" * 100_000,
        json.dumps({"Keys": {"pk": {"S": "a"}}, "NewImage": {"pk": {"S": "b"}}}).encode(),
        json.dumps({"Keys": {"pk": {"S": "a"}}, "OldImage": {"x": {"S": "a"}}}).encode(),
        json.dumps({"Keys": {"pk": {"S": "a"}}, "NewImage": {"pk": {"S": "a"}}, "Item": {}}).encode(),
        json.dumps({"Keys": {"pk": {"S": "a"}}, "NewImage": []}).encode(), b'{"Item": {"pk": {"S": "a"}}}',
    ],
)  # fmt: skip
def test_what_is_no_record_of_an_increment_is_rejected(line: bytes) -> None:
    with pytest.raises(Rejected):
        parse(line, INCREMENTAL)


def test_the_time_of_a_change_may_be_written_either_way() -> None:
    bare = b'{"Metadata": {"WriteTimestampMicros": "1"}, "Keys": {"n": {"N": "1"}}, "OldImage": {"n": {"N": "1.0"}}}'
    assert parse(bare, INCREMENTAL).effect.count == -1
