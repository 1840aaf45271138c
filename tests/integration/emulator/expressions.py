"""Expressions of state machines, each parsed once: the emulator parses them whenever a state is entered."""

from __future__ import annotations

import functools

from jsonata.jsonata import Jsonata  # type: ignore[import-not-found]
from jsonata.parser import Parser  # type: ignore[import-not-found]

_TEXTS = 4096


def install() -> None:
    """Keep what the parser makes of a text, which evaluating it does not change."""
    parse = Parser.parse

    @functools.lru_cache(_TEXTS)
    def parsed(text: str, *engine: object) -> object:
        return parse(Parser(), text, *engine)

    Parser.parse = lambda _parser, *said: parsed(*said)
    one = Parser()
    Jsonata.get_parser = staticmethod(lambda: one)  # it makes one for each thread
