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
    """Edits what a property of an L1 resource renders, whoever else adds to that property, and whenever.

    An L2 construct keeps adding to its policies after we have looked, and `Table` even assigns the property anew each
    time. So what lies below stays in place until the last moment, when the edited value is written over it, once. Where
    the last moment comes too late, the property becomes a lazy value that does the same whenever it is resolved: each
    time, the CDK crosses over to Python and back. Property overrides apply afterwards, in both cases.

    Args:
        resource: The resource.
        name: The property's name in Python, such as "resource_policy".
        edit: Given the resolved value below, as the L1 property is spelled ("policyDocument", not "PolicyDocument"),
            returns the value to render. It must not change its argument.
    """

    def __init__(self, resource: cdk.CfnResource, name: str, edit: Callable[[Any], Any]) -> None:
        first, *others = name.split("_")
        self._key = first + "".join(map(str.title, others))
        self._resource = resource
        self._name = name
        self._edit = edit
        self._below: Any = None
        self._lazy: Any = None
        self._on_top: Any = None

    @property
    def is_lazy(self) -> bool:
        """Whether the property is edited whenever it is resolved."""
        return self._lazy is not None

    def edited(self, context: cdk.IResolveContext) -> Any:
        """The edited value, in the given context."""
        return self._edit(None if self._below is None else context.resolve(self._below))

    def make_lazy(self) -> None:
        """Edit the property whenever it is resolved, from now on."""
        if self._lazy is None:
            # Uncached: what lies below may still change after somebody has resolved it once.
            self._lazy = cdk.Lazy.uncached_any(_Edited(self))
            self.lift_off(dict(properties_of(self._resource)))

    def lift_off(self, properties: dict[str, Any]) -> None:
        """Put what lies below into the resource's properties, and a lazy overlay on top of the resource.

        On top again, that is, in case somebody has assigned the property since.

        Args:
            properties: The resource's properties at the moment, which this changes.
        """
        current = properties.get(self._key)
        if not self._is_ours(current):
            self._below = current
            if self._lazy is not None:
                self._put(self._lazy)
        properties[self._key] = self._below

    def laid_on(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The resource's resolved properties with the property edited.

        Args:
            properties: The properties without the overlay.
        """
        edited = self._edit(properties.get(self._key))
        # Crossing over to the CDK once more is for tokens alone.
        resolved = self._resolve(edited) if is_unresolved(minified(edited)) else edited
        return {**properties, self._key: resolved}

    def write(self, whole: Mapping[str, Any], below: Mapping[str, Any]) -> None:
        """Write the edited property over what lies below, unless the two are the same.

        Args:
            whole: The resource's resolved properties with all overlays on.
            below: Those without any.
        """
        if whole[self._key] != below.get(self._key):
            self._put(cdk.Token.as_any(whole[self._key]))

    def take_back(self) -> None:
        """Take back what was written, unless somebody has assigned the property since."""
        if self._is_ours(properties_of(self._resource).get(self._key)):
            setattr(self._resource, self._name, self._below if self._lazy is None else self._lazy)
            self._on_top = self._lazy

    def _put(self, value: Any) -> None:
        setattr(self._resource, self._name, value)
        self._on_top = value

    def _resolve(self, value: Any) -> Any:
        return cdk.Stack.of(self._resource).resolve(value)

    def _is_ours(self, value: Any) -> bool:
        plain = value is None or isinstance(value, Mapping | list)
        if plain or self._on_top is None:
            return False
        # Proxies of one object differ from each other, the text of its token does not.
        return cdk.Token.as_string(value) == cdk.Token.as_string(self._on_top)


def properties_below(resource: cdk.CfnResource, overlays: Iterable[PropertyOverlay]) -> dict[str, Any]:
    """The properties of an L1 resource without the overlays; lazy ones are on top of it afterwards.

    Args:
        resource: The resource.
        overlays: The overlays on its properties.
    """
    properties = dict(properties_of(resource))
    for overlay in overlays:
        overlay.lift_off(properties)
    return properties


def laid_on(properties: Mapping[str, Any], overlays: Iterable[PropertyOverlay]) -> Mapping[str, Any]:
    """The properties of an L1 resource as they would stand in the template, as plain JSON.

    The overlays edit here, and are not called back by the CDK, which would cross over once more for each.

    Args:
        properties: The resource's properties without the overlays, resolved.
        overlays: The overlays on its properties.
    """
    for overlay in overlays:
        properties = overlay.laid_on(properties)
    return properties


def properties_of(resource: cdk.CfnResource) -> Mapping[str, Any]:
    """The properties of an L1 resource under their names in the L1 ("keySchema"), lazy values unresolved.

    Args:
        resource: The resource.
    """
    # The typed getters of jsii cannot hand out a lazy value where "lazy or struct" is declared; this one can, and it
    # crosses over to the CDK once instead of once per property.
    properties: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001
    return properties
