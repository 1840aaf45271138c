"""Compiled documents: shared between equal ones, cut loose from their source, and within fixed memory."""

from __future__ import annotations

import collections
import tracemalloc
import types
from typing import Any

from tableguard.evaluation import Document, Policies, Request, evaluate
from tableguard.evaluation.cache import ContentCache
from tableguard.evaluation.documents import _compile

REQUEST = Request(
    principal="arn:aws:iam::111122223333:role/reader",
    action="dynamodb:GetItem",
    resource="arn:aws:dynamodb:us-east-1:111122223333:table/orders",
)


def document(number: int = 0) -> dict[str, Any]:
    statement = {"Sid": f"S{number}", "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_changing_the_source_later_changes_no_decision() -> None:
    source = document()
    held = Document(source)
    source["Statement"][0].update(Effect="Deny", Action="s3:GetObject", Resource="x")
    source["Statement"].clear()
    assert evaluate(REQUEST, Policies(identity=[held])).allowed
    assert not evaluate(REQUEST, Policies(identity=[source])).allowed


def test_equal_documents_share_their_compiled_form() -> None:
    assert Document(document(1)).compiled is Document(document(1)).compiled
    assert Document(document(1)).compiled is not Document(document(2)).compiled


def test_other_mappings_and_texts_than_those_of_json_are_read_alike() -> None:
    class Text(str):
        __slots__ = ()

    source = document()
    source["Statement"][0]["Effect"] = Text("Allow")
    for wrapped in (types.MappingProxyType(source), collections.UserDict(source)):
        assert evaluate(REQUEST, Policies(identity=[wrapped])).allowed


def test_the_cache_keeps_to_its_limit_however_many_documents_come() -> None:
    cache = ContentCache(_compile, generation_bytes=20_000)
    for number in range(200):
        cache.of(document(number))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200, 4_000):
            cache.of(document(number))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    # 3,800 documents take some 4 MB; two generations of 20 kB of source hold about 300 of them.
    assert grown < 1_000_000


def test_the_cache_finds_a_document_again_after_a_generation() -> None:
    cache = ContentCache(_compile, generation_bytes=20_000)
    first = cache.of(document(0))
    for number in range(1, 200):
        cache.of(document(number))
    assert cache.of(document(0)) is first


def test_a_statement_answers_for_any_number_of_actions() -> None:
    held = Document(document())
    for number in range(500):
        assert held.compiled.concerning(f"dynamodb:invented{number}") == ()
    assert len(held.compiled._by_action) <= 100
    assert len(held.compiled.concerning("dynamodb:getitem")) == 1
