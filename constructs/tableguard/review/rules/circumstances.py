"""In which circumstances a rule asks: contexts in which an Allow applies, or a Deny does not.

Made from the conditions of the policies themselves, so that "only through vpce-1" is tried from inside and from
outside, and every exemption of a Deny is tried as a way around it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, TypeAlias

from tableguard.aws.condition_keys import About, keys_about
from tableguard.evaluation import Document
from tableguard.evaluation.condition_tests import Test as Compiled
from tableguard.evaluation.conditions import compile_condition
from tableguard.evaluation.match import MalformedError
from tableguard.review.samples import Change, Context, failing, meeting
from tableguard.review.sentences import Shelf, Test

MOST: Final = 256
"""At most so many circumstances for one action of one caller on one resource."""

NETWORK_KEYS: Final = keys_about(About.NETWORK)
_CALLED_VIA: Final = frozenset({"aws:calledvia", "aws:calledviafirst", "aws:calledvialast"})

_DIRECT: Final[Context] = {"aws:securetransport": ("true",), "aws:viaawsservice": ("false",)}
INTERNET: Final[Context] = {**_DIRECT, "aws:sourceip": ("203.0.113.77",)}
STRANGE_VPC: Final[Context] = {
    **_DIRECT,
    "aws:sourcevpc": ("vpc-00000000000000bad",),
    "aws:sourcevpce": ("vpce-00000000000000bad",),
    "aws:vpcsourceip": ("10.99.99.99",),
}

# Who the caller is, what the resource is and what time it is: nobody chooses that for a request.
_FACTS: Final = keys_about(About.CALLER, About.RESOURCE, About.MOMENT) | {"aws:requestedregion"}
_WAYS_ROUND: Final = 2
_Tests: TypeAlias = tuple[Test, ...]
_Frozen: TypeAlias = tuple[tuple[str, tuple[str, ...] | None], ...]


def circumstances(documents: Iterable[Document], action: str, shelf: Shelf) -> tuple[tuple[Context, ...], int]:
    """The contexts to ask in, and how many were left out because there would have been more than `MOST`.

    Args:
        documents: The policies that bear on the request.
        action: The action, with its service.
        shelf: Where the statements of documents are read.
    """
    allows: list[_Tests] = []
    restrictions: list[_Tests] = []
    for document in documents:
        concerning = {statement.index for statement in document.compiled.concerning(action.lower())}
        for sentence in shelf.sentences(document) if concerning else ():
            if sentence.tests and sentence.number in concerning:
                (allows if sentence.allows else restrictions).append(sentence.tests)
    return _combined(tuple(allows), tuple(restrictions))


# The same few statements bear on most actions, callers and resources, in every rule.
@lru_cache(maxsize=1024)
def _combined(allows: tuple[_Tests, ...], restrictions: tuple[_Tests, ...]) -> tuple[tuple[Context, ...], int]:
    """The contexts that meet the conditions of Allows and those of no Deny, and how many were left out."""
    entries: dict[_Frozen, Change] = {(): {}} | {_frozen(change): change for tests in allows for change in _met(tests)}
    escapes: dict[_Frozen, Change] = {(): {}} | {_frozen(way): way for tests in restrictions for way in _unmet(tests)}
    contexts: dict[_Frozen, Context] = {}
    for escape in escapes.values():
        for base in (INTERNET, STRANGE_VPC):
            for entry in entries.values():
                context = _changed(_changed(base, entry), escape)
                contexts.setdefault(_frozen(context), context)
    found_together = (
        [_beyond(context, restrictions) for context in tuple(contexts.values())] if len(restrictions) > 1 else ()
    )
    contexts.update({_frozen(context): context for context in found_together})
    return tuple(islice(contexts.values(), MOST)), max(0, len(contexts) - MOST)


def is_forwarded(context: Context) -> bool:
    """Whether an AWS service makes the request on the caller's behalf.

    Args:
        context: The context.
    """
    return context.get("aws:viaawsservice") == ("true",) or not _CALLED_VIA.isdisjoint(context)


def _frozen(change: Change) -> _Frozen:
    return tuple(sorted(change.items()))


def _met(tests: _Tests) -> Iterator[Change]:
    """What lets every condition of an Allow hold, and the same from any network."""
    met: dict[str, tuple[str, ...] | None] = {}
    for test in tests:
        present = {key: value for key, value in met.items() if value is not None}
        for change in _suggested(meeting, test, present, 1):
            # A condition that only wants the key to be there must not replace the value that another one wants.
            met |= {key: value for key, value in change.items() if test.base != "Null" or not (value and met.get(key))}
    yield met
    for test in tests:
        # Each of several values is another way in.
        for value in test.values[1:] if test.base != "Null" and not test.negated else ():
            for change in _suggested(meeting, Test(test.operator, test.key, (value,)), {}, 1):
                yield {**met, **change}
    if not NETWORK_KEYS.isdisjoint(met):
        yield {key: value for key, value in met.items() if key not in NETWORK_KEYS}


@lru_cache(maxsize=1024)
def _unmet(tests: _Tests) -> tuple[Change, ...]:
    """What lets one condition of a Deny fail: each is a way around it."""
    return tuple(way for test in tests for part in _parts(test) for way in _suggested(failing, part, {}, _WAYS_ROUND))


def _parts(test: Test) -> tuple[Test, ...]:
    """A test that excludes values is failed by each of them."""
    return tuple(Test(test.operator, test.key, (value,)) for value in test.values) if test.negated else (test,)


def _beyond(context: Context, restrictions: Sequence[_Tests]) -> Context:
    """A context beyond as many Denies as can be got round one after the other, those already passed included."""
    for restriction in restrictions:
        if not _passed(restriction, context):
            others = [other for other in restrictions if _passed(other, context)]
            ways = (_changed(context, change) for change in _unmet(restriction))
            context = next((way for way in ways if all(_passed(each, way) for each in (restriction, *others))), context)
    return context


def _passed(restriction: _Tests, context: Context) -> bool:
    """Whether a condition of a Deny fails in a context, whoever the caller is."""
    return any(each.holds(context) is False for each in _compiled(restriction))


@lru_cache(maxsize=1024)
def _compiled(restriction: _Tests) -> tuple[Compiled, ...]:
    """Those of its tests that are understood, and are not about what nobody chooses."""
    compiled: list[Compiled] = []
    for test in restriction:
        if test.low_key not in _FACTS:
            with contextlib.suppress(MalformedError):
                compiled += compile_condition({test.operator: {test.key: list(test.values)}}, variables=True)
    return tuple(compiled)


def _suggested(
    suggest: Callable[[Test, Context], Iterator[Change]], test: Test, context: Context, most: int
) -> Iterator[Change]:
    for change in islice(suggest(test, context), most):
        chosen = {key: value for key, value in change.items() if key not in _FACTS}
        if chosen:
            yield chosen


def _changed(context: Context, change: Change) -> Context:
    changed = dict(context)
    if any(value is not None for key, value in change.items() if key in NETWORK_KEYS):
        # A request through an endpoint has no public address, and the other way round.
        changed = {key: value for key, value in changed.items() if key not in NETWORK_KEYS}
    for key, value in change.items():
        if value is None:
            changed.pop(key, None)
        else:
            changed[key] = value
    return changed
