"""Adds to a property of a resource, and keeps what other code sets there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import aws_cdk as cdk
import jsii

from tableguard.policy import minified
from tableguard.policy.tokens import is_unresolved


@jsii.implements(cdk.IAnyProducer)
class _Edited:
    """Resolves the property's own value and edits it."""

    def __init__(self, overlay: PropertyOverlay) -> None:
        self._overlay = overlay

    def produce(self, context: cdk.IResolveContext) -> Any:
        return self._overlay.edited(context)


class PropertyOverlay:
    """Edits the rendered value of a property of an L1 resource, even if other code changes the property later.

    An L2 construct may add to its policies after we have read them, and `Table` assigns the property anew each time.
    So the property keeps its own value (the value below) until the app is validated; then the edited value is written
    over it, once. Where that is too late, the property becomes a lazy value that is edited whenever the CDK resolves
    it; each time, the CDK calls Python. In both cases, property overrides apply afterwards.

    Args:
        resource: The resource.
        name: The property's name in Python, such as "resource_policy".
        edit: Takes the resolved value below, spelled as in the L1 property ("policyDocument", not "PolicyDocument"),
            and returns the value to render. It must not change its argument.
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
        """The edited value, resolved in the given context."""
        return self._edit(None if self._below is None else context.resolve(self._below))

    def make_lazy(self) -> None:
        """From now on, edit the property whenever it is resolved."""
        if self._lazy is None:
            # Uncached: the value below may still change after it has been resolved once.
            self._lazy = cdk.Lazy.uncached_any(_Edited(self))
            self.lift_off(dict(properties_of(self._resource)))

    def lift_off(self, properties: dict[str, Any]) -> None:
        """Put the value below into `properties`. If other code has assigned the property, put a lazy overlay back.

        Args:
            properties: The present properties of the resource; this method changes them.
        """
        current = properties.get(self._key)
        if not self._is_ours(current):
            self._below = current
            if self._lazy is not None:
                self._put(self._lazy)
        properties[self._key] = self._below

    def laid_on(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Return the resource's resolved properties with this property edited.

        Args:
            properties: The properties without the overlay.
        """
        edited = self._edit(properties.get(self._key))
        # Only tokens need another call to the CDK's process.
        resolved = self._resolve(edited) if is_unresolved(minified(edited)) else edited
        return {**properties, self._key: resolved}

    def write(self, whole: Mapping[str, Any], below: Mapping[str, Any]) -> None:
        """Write the edited value over the value below, unless the two are equal.

        Args:
            whole: The resource's resolved properties with all overlays.
            below: The resource's resolved properties without overlays.
        """
        if whole[self._key] != below.get(self._key):
            self._put(cdk.Token.as_any(whole[self._key]))

    def take_back(self) -> None:
        """Undo `write`, unless other code has assigned the property since."""
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
        # Two proxies of one object are not equal, but the texts of their tokens are.
        return cdk.Token.as_string(value) == cdk.Token.as_string(self._on_top)


def properties_below(resource: cdk.CfnResource, overlays: Iterable[PropertyOverlay]) -> dict[str, Any]:
    """Return the properties of an L1 resource without the overlays, and put lazy overlays back on the resource.

    Args:
        resource: The resource.
        overlays: The overlays on its properties.
    """
    properties = dict(properties_of(resource))
    for overlay in overlays:
        overlay.lift_off(properties)
    return properties


def laid_on(properties: Mapping[str, Any], overlays: Iterable[PropertyOverlay]) -> Mapping[str, Any]:
    """Return the properties of an L1 resource as the template would contain them, as plain JSON.

    The overlays are applied here in Python: if the CDK called them, that would be one more call for each.

    Args:
        properties: The resource's resolved properties without the overlays.
        overlays: The overlays on its properties.
    """
    for overlay in overlays:
        properties = overlay.laid_on(properties)
    return properties


def properties_of(resource: cdk.CfnResource) -> Mapping[str, Any]:
    """Return the properties of an L1 resource under their L1 names ("keySchema"), with lazy values unresolved.

    Args:
        resource: The resource.
    """
    # jsii's typed getters fail on a lazy value that is declared as "lazy or struct"; this getter works, and needs one
    # call to the CDK's process instead of one per property.
    properties: Mapping[str, Any] = resource._cfn_properties  # noqa: SLF001
    return properties
