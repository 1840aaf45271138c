"""Adds to a property of a resource without taking it over from whoever else sets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import jsii


@jsii.implements(cdk.IAnyProducer)
class _Edited:
    """Produces the value that lies below, resolved and edited."""

    def __init__(self, overlay: PropertyOverlay) -> None:
        self._overlay = overlay

    def produce(self, context: cdk.IResolveContext) -> Any:
        return self._overlay.edited(context)


class PropertyOverlay:
    """Edits what a property of an L1 resource renders, at the moment when it is rendered.

    An L2 construct keeps adding to its policies after we have looked, and `Table` even assigns the property anew each
    time. So the property becomes a lazy value that resolves what lies below and edits the result: statements of
    others stay as they were, in whatever order they come, and so do property overrides, which apply afterwards.

    Args:
        resource: The resource.
        name: The property's name in Python, such as "resource_policy".
        edit: Given the resolved value below, as the L1 property is spelled ("policyDocument", not "PolicyDocument"),
            returns the value to render. It may change its argument.
    """

    def __init__(self, resource: cdk.CfnResource, name: str, edit: Callable[[Any], Any]) -> None:
        self._resource = resource
        self._name = name
        self._edit = edit
        self._below: Any = None
        # Uncached: what lies below may still change after somebody has resolved it once.
        self._lazy = cdk.Lazy.uncached_any(_Edited(self))
        self._token = cdk.Token.as_string(self._lazy)
        self.reassert()

    def reassert(self) -> None:
        """Lay the overlay on top again, in case somebody has assigned the property since."""
        first, *others = self._name.split("_")
        current = properties_of(self._resource).get(first + "".join(map(str.title, others)))
        if not self._is_ours(current):
            self._below = current
            setattr(self._resource, self._name, self._lazy)

    def edited(self, context: cdk.IResolveContext) -> Any:
        """The edited value, in the given context."""
        return self._edit(None if self._below is None else context.resolve(self._below))

    def resolved(self) -> Any:
        """The edited value as it would stand in the template now, as plain JSON."""
        return cdk.Stack.of(self._resource).resolve(self._lazy)

    def _is_ours(self, value: Any) -> bool:
        # Proxies of one object differ from each other, the text of its token does not.
        return value is not None and cdk.Tokenization.is_resolvable(value) and cdk.Token.as_string(value) == self._token


def properties_of(resource: cdk.CfnResource) -> Mapping[str, Any]:
    """The properties of an L1 resource under their names in the L1 ("keySchema"), lazy values unresolved.

    Args:
        resource: The resource.
    """
    # The typed getters of jsii cannot hand out a lazy value where "lazy or struct" is declared; this one can, and it
    # crosses over to the CDK once instead of once per property.
    properties: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001
    return properties
