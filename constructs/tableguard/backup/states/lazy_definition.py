"""A definition of a machine that is rendered when the template is written."""

from __future__ import annotations

import json
from collections.abc import Callable

import aws_cdk as cdk
import jsii
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct, IValidation

from tableguard.policy import TableguardError
from tableguard.policy.documents import Json


@jsii.implements(cdk.IStringProducer)
class _Definition:
    """Rendered when the template is written: by then everything has been granted on the table that it is like."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def produce(self, context: cdk.IResolveContext) -> str:
        # Not by the CDK, which leaves out what is null, and null says something to a state.
        return json.dumps(self._definition())


@jsii.implements(IValidation)
class _Validate:
    """Says what is wrong with a definition in words: an error in a lazy value would come out with a trace around it."""

    def __init__(self, definition: Callable[[], Json]) -> None:
        self._definition = definition

    def validate(self) -> list[str]:
        try:
            self._definition()
        except TableguardError as error:
            return [str(error)]
        return []


def lazy_definition(scope: Construct, definition: Callable[[], Json]) -> sfn.DefinitionBody:
    """A body that says what is so when the template is written.

    Args:
        scope: The construct whose validation says what is wrong with it.
        definition: Makes the definition.
    """
    scope.node.add_validation(_Validate(definition))
    return sfn.DefinitionBody.from_string(cdk.Lazy.uncached_string(_Definition(definition)))
