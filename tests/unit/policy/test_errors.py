from __future__ import annotations

import tableguard as tg


def test_shows_what_was_given_as_it_was_given() -> None:
    error = tg.InvalidInputError("the size", value="a\nb", allowed="one line", fix="Cut it.")
    assert str(error) == "the size: got 'a\\nb'. Allowed: one line. Cut it."


def test_shows_the_beginning_of_a_long_value_and_keeps_all_of_it() -> None:
    value = [f"value-{number}" for number in range(1000)]
    error = tg.InvalidInputError("the list", value=value, allowed="fewer")
    assert str(error).startswith("the list: got ['value-0', 'value-1',")
    assert str(error).endswith(f"… ({len(repr(value))} characters). Allowed: fewer.")
    assert len(str(error)) < 260
    assert error.value == value
