"""Writes all policies of this library in one stack, when the app is validated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

import aws_cdk as cdk
import jsii
from constructs import Construct, IConstruct, IValidation

from tableguard.policy import TableguardError
from tableguard.policy.documents import Json
from tableguard.policy.metadata import STACK_METADATA_KEY, stack_metadata
from tableguard.policy.tokens import is_unresolved
from tableguard.tables.attachment.overlay import PropertyOverlay, properties_below
from tableguard.tables.clock import today

_CHILD_ID: Final = "TableguardPolicies"
# Before every other aspect. Once an aspect has run, the CDK rejects aspects with an earlier priority that are added
# during synthesis, such as tags.
_EARLY: Final = 0


class PolicyHolder(Protocol):
    """Holds our statements on one resource: a table or a key."""

    @property
    def resource(self) -> cdk.CfnResource:
        """The resource."""

    @property
    def overlays(self) -> Sequence[PropertyOverlay]:
        """The overlays that add our statements to the resource's properties; empty while there are no statements."""

    def refresh(self) -> None:
        """Read the present properties of the resource."""

    def whole(self, below: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """The resource's properties with our statements, and the problems of the whole policies.

        Args:
            below: The resolved properties without our statements.
        """


_Holder = TypeVar("_Holder", bound=PolicyHolder)


@jsii.implements(cdk.IAspect)
class _Uncover:
    def __init__(self, policies: StackPolicies) -> None:
        self._policies = policies

    def visit(self, node: IConstruct) -> None:
        self._policies.uncover()


@jsii.implements(IValidation)
class _Validate:
    def __init__(self, policies: StackPolicies) -> None:
        self._policies = policies

    def validate(self) -> list[str]:
        return self._policies.problems()


@jsii.implements(cdk.IAnyProducer)
class _State:
    """The metadata of the stack, which the CDK resolves last."""

    def __init__(self, policies: StackPolicies) -> None:
        self._policies = policies

    def produce(self, context: cdk.IResolveContext) -> Any:
        return self._policies.state()


@jsii.implements(cdk.IAspect)
class _PutOnTop:
    """Puts lazy overlays back before the CDK looks for references between stacks."""

    def __init__(self, holder: PolicyHolder) -> None:
        self._holder = holder

    def visit(self, node: IConstruct) -> None:
        properties_below(self._holder.resource, self._holder.overlays)
        self._holder.refresh()


class StackPolicies(Construct):
    """Writes our statements on all tables and keys of one stack. It is a child of the stack, so there is one.

    There is one for all resources, because every read of the CDK is a call to another process: the CDK calls this
    construct once for the whole stack, and it reads all properties at once.
    """

    @staticmethod
    def around(scope: Construct) -> StackPolicies:
        """Return the policies of the stack that a construct is in.

        Args:
            scope: The construct.
        """
        return StackPolicies.of(scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope))

    @staticmethod
    def of(stack: cdk.Stack) -> StackPolicies:
        """Return the policies of a stack; the first call creates them.

        Args:
            stack: The stack.
        """
        found = _KNOWN.get(stack) or stack.node.try_find_child(_CHILD_ID)
        policies = found if isinstance(found, StackPolicies) else StackPolicies(stack)
        _KNOWN[stack] = policies
        return policies

    @staticmethod
    def held(resource: cdk.CfnResource) -> PolicyHolder | None:
        """Return the holder of our statements on a resource; None if there is none. It creates nothing.

        Args:
            resource: The resource.
        """
        stack = cdk.Stack.of(resource)
        found = _KNOWN.get(stack) or stack.node.try_find_child(_CHILD_ID)
        return found.holders.get(_name(resource)) if isinstance(found, StackPolicies) else None

    def __init__(self, stack: cdk.Stack) -> None:
        super().__init__(stack, _CHILD_ID)
        self.stack = stack
        self.account = stack.account
        self.region = stack.region
        self._nested = bool(stack.nested)
        self.holders: dict[str, PolicyHolder] = {}
        self._covered = False
        self._written = False
        node = self.node
        cdk.Aspects.of(self).add(_Uncover(self), priority=_EARLY)
        node.add_validation(_Validate(self))
        node.add_metadata(STACK_METADATA_KEY, cdk.Lazy.uncached_any(_State(self)))

    @cached_property
    def today(self) -> dt.date:
        """The date of this synthesis."""
        return today(self.stack)

    def holder(self, resource: cdk.CfnResource, make: Callable[[], _Holder]) -> _Holder:
        """Return the holder of our statements on a resource. Each resource has one.

        Args:
            resource: The resource.
            make: Creates the holder on the first call.
        """
        name = _name(resource)
        found: Any = self.holders.get(name)
        if found is None:
            found = self.holders[name] = make()
        holder: _Holder = found
        return holder

    def added(self, holder: PolicyHolder, text: str) -> None:
        """Prepare for statements that were added to a resource.

        Args:
            holder: The holder of the statements.
            text: All its statements as JSON, to find values that are known only at deployment.
        """
        self._written = False
        # Such a value may refer to another stack. The CDK resolves such references, and renders nested stacks, early.
        if (self._nested or is_unresolved(text)) and not all(overlay.is_lazy for overlay in holder.overlays):
            for overlay in holder.overlays:
                overlay.make_lazy()
            if holder.resource.node.try_find_child(_CHILD_ID) is None:
                cdk.Aspects.of(Construct(holder.resource, _CHILD_ID)).add(_PutOnTop(holder), priority=_EARLY)

    def uncover(self) -> None:
        """Undo what an earlier synthesis of the same app has written."""
        self._written = False
        if self._covered:
            self._covered = False
            for holder in self.holders.values():
                for overlay in holder.overlays:
                    overlay.take_back()

    def problems(self) -> list[str]:
        """Write our statements, or return the problems of the whole policies, including statements of other code."""
        # The CDK calls this after aspects and references between stacks, just before it renders templates.
        holders = tuple(self.holders.values())
        properties = [properties_below(holder.resource, holder.overlays) for holder in holders]
        try:
            resolved = self.stack.resolve(properties)
        except RuntimeError:
            return [
                f"the properties of {holder} cannot be rendered: {problem}"
                for holder, each in zip(holders, properties, strict=True)
                if (problem := self._refused(each))
            ]
        wholes = [holder.whole(below) for holder, below in zip(holders, resolved, strict=True)]
        problems = [problem for _, found in wholes for problem in found]
        # A nested stack is already rendered: its parent refers to it by the hash of its template.
        if not problems and not self._nested:
            self._covered = True
            for holder, below, (whole, _) in zip(holders, resolved, wholes, strict=True):
                for overlay in holder.overlays:
                    overlay.write(whole, below)
        self._written = not problems
        return problems

    def _refused(self, properties: Mapping[str, Any]) -> str:
        """The CDK's error message if it cannot render the properties; empty if it can."""
        try:
            self.stack.resolve(properties)
        except RuntimeError as error:
            return str(error)
        return ""

    def state(self) -> Json:
        """The metadata of the stack.

        Raises:
            TableguardError: The policies have not been written, because the validation was skipped.
        """
        waiting = any(not overlay.is_lazy for holder in self.holders.values() for overlay in holder.overlays)
        if waiting and not self._written:
            raise TableguardError(
                f"The policies of stack {self.stack.stack_name} are checked and written when the app is validated. "
                "Synthesize without skip_validation."
            )
        return stack_metadata()


def _name(resource: cdk.CfnResource) -> str:
    # Two proxies of one resource are not equal, but their references are. A public property that identifies the
    # resource, such as the logical id's token, would be a call to the CDK's process for each resource.
    name: str = resource.__jsii_ref__.ref  # type: ignore[attr-defined]
    return name


_KNOWN: Final[WeakKeyDictionary[cdk.Stack, StackPolicies]] = WeakKeyDictionary()
