"""Adds to a property of a resource without taking it over from whoever else sets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aws_cdk as cdk
import jsii

from tableguard.policy import minified
from tableguard.policy.tokens import is_unresolved


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
        first, *others = name.split("_")
        self._key = first + "".join(map(str.title, others))
        self._resource = resource
        self._name = name
        self._edit = edit
        self._below: Any = None
        # Uncached: what lies below may still change after somebody has resolved it once.
        self._lazy = cdk.Lazy.uncached_any(_Edited(self))
        self._token = cdk.Token.as_string(self._lazy)
        self.lift_off(dict(properties_of(resource)))

    def edited(self, context: cdk.IResolveContext) -> Any:
        """The edited value, in the given context."""
        return self._edit(None if self._below is None else context.resolve(self._below))

    def lift_off(self, properties: dict[str, Any]) -> None:
        """Put what lies below into the resource's properties, and the overlay on top of the resource.

        On top again, that is, in case somebody has assigned the property since.

        Args:
            properties: The resource's properties at the moment, which this changes.
        """
        current = properties.get(self._key)
        if not self._is_ours(current):
            self._below = current
            setattr(self._resource, self._name, self._lazy)
        properties[self._key] = self._below

    def lay_on(self, properties: dict[str, Any]) -> None:
        """Edit the property in the resource's resolved properties.

        Args:
            properties: The properties, which this changes.
        """
        edited = self._edit(properties.get(self._key))
        # Crossing over to the CDK once more is for tokens alone.
        properties[self._key] = self._resolve(edited) if is_unresolved(minified(edited)) else edited

    def _resolve(self, value: Any) -> Any:
        return cdk.Stack.of(self._resource).resolve(value)

    def _is_ours(self, value: Any) -> bool:
        # Proxies of one object differ from each other, the text of its token does not.
        plain = value is None or isinstance(value, Mapping | list)
        return not plain and cdk.Token.as_string(value) == self._token


def properties_below(resource: cdk.CfnResource, overlays: Iterable[PropertyOverlay]) -> dict[str, Any]:
    """The properties of an L1 resource without the overlays, all of which are on top of it afterwards.

    Args:
        resource: The resource.
        overlays: The overlays on its properties.
    """
    properties = dict(properties_of(resource))
    for overlay in overlays:
        overlay.lift_off(properties)
    return properties


def resolved_properties(
    stack: cdk.Stack, resource: cdk.CfnResource, overlays: Iterable[PropertyOverlay]
) -> dict[str, Any]:
    """The properties of an L1 resource as they would stand in the template now, as plain JSON.

    The overlays edit here, and are not called back by the CDK, which would cross over once more for each.

    Args:
        stack: The resource's stack.
        resource: The resource.
        overlays: The overlays on its properties.
    """
    known: dict[str, Any] = stack.resolve(properties_below(resource, overlays)) or {}
    for overlay in overlays:
        overlay.lay_on(known)
    return known


def properties_of(resource: cdk.CfnResource) -> Mapping[str, Any]:
    """The properties of an L1 resource under their names in the L1 ("keySchema"), lazy values unresolved.

    Args:
        resource: The resource.
    """
    # The typed getters of jsii cannot hand out a lazy value where "lazy or struct" is declared; this one can, and it
    # crosses over to the CDK once instead of once per property.
    properties: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001
    return properties
