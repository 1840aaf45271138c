"""All policies that this library writes in one stack, and the last moment, when they are written."""

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
# Before every other aspect: once one of a later priority has run, the CDK refuses all aspects of earlier ones that
# somebody adds during the synthesis, tags among them.
_EARLY: Final = 0


class PolicyHolder(Protocol):
    """One resource with policies of ours: a table or a key."""

    @property
    def resource(self) -> cdk.CfnResource:
        """The resource."""

    @property
    def overlays(self) -> Sequence[PropertyOverlay]:
        """What adds our statements to its properties; none while it has no statement of ours."""

    def refresh(self) -> None:
        """Take in how the resource stands at the moment."""

    def whole(self, below: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """The resource's properties with our statements, and what is wrong with the whole documents.

        Args:
            below: The properties without our statements, resolved.
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
    """Resolved while the CDK writes what belongs to the stack, which comes after everything else."""

    def __init__(self, policies: StackPolicies) -> None:
        self._policies = policies

    def produce(self, context: cdk.IResolveContext) -> Any:
        return self._policies.state()


@jsii.implements(cdk.IAspect)
class _PutOnTop:
    """Puts lazy overlays on top before the CDK looks for references between stacks."""

    def __init__(self, holder: PolicyHolder) -> None:
        self._holder = holder

    def visit(self, node: IConstruct) -> None:
        properties_below(self._holder.resource, self._holder.overlays)
        self._holder.refresh()


class StackPolicies(Construct):
    """The tables and keys of one stack that have policies of ours. It hangs below the stack, so there is one.

    One for all of them, because every look at the CDK crosses over to another process: the CDK calls it once for the
    whole stack, and it looks at all properties at once.
    """

    @staticmethod
    def around(scope: Construct) -> StackPolicies:
        """The policies of the stack that a construct is in.

        Args:
            scope: The construct.
        """
        return StackPolicies.of(scope if isinstance(scope, cdk.Stack) else cdk.Stack.of(scope))

    @staticmethod
    def of(stack: cdk.Stack) -> StackPolicies:
        """The policies of a stack, made when first asked for.

        Args:
            stack: The stack.
        """
        found = _KNOWN.get(stack) or stack.node.try_find_child(_CHILD_ID)
        policies = found if isinstance(found, StackPolicies) else StackPolicies(stack)
        _KNOWN[stack] = policies
        return policies

    @staticmethod
    def held(resource: cdk.CfnResource) -> PolicyHolder | None:
        """What holds our statements on a resource, if anything does; it makes nothing.

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
        """What holds our statements on a resource: there is one for each.

        Args:
            resource: The resource.
            make: Makes it when it is first asked for.
        """
        name = _name(resource)
        found: Any = self.holders.get(name)
        if found is None:
            found = self.holders[name] = make()
        holder: _Holder = found
        return holder

    def added(self, holder: PolicyHolder, text: str) -> None:
        """Take in that statements were added to a resource.

        Args:
            holder: What holds them.
            text: All of its statements, for the values among them that only the deployment knows.
        """
        self._written = False
        # Such a value may refer to another stack, which the CDK looks for early; and it renders nested stacks early.
        if (self._nested or is_unresolved(text)) and not all(overlay.is_lazy for overlay in holder.overlays):
            for overlay in holder.overlays:
                overlay.make_lazy()
            if holder.resource.node.try_find_child(_CHILD_ID) is None:
                cdk.Aspects.of(Construct(holder.resource, _CHILD_ID)).add(_PutOnTop(holder), priority=_EARLY)

    def uncover(self) -> None:
        """Take back what an earlier synthesis of the same app has written."""
        self._written = False
        if self._covered:
            self._covered = False
            for holder in self.holders.values():
                for overlay in holder.overlays:
                    overlay.take_back()

    def problems(self) -> list[str]:
        """Write our statements, or say what is wrong with the whole documents, statements of others included."""
        # This is the last moment before templates are rendered, aspects and references between stacks being done.
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
        # A nested stack has been rendered: its parent names it by the hash of what it says.
        if not problems and not self._nested:
            self._covered = True
            for holder, below, (whole, _) in zip(holders, resolved, wholes, strict=True):
                for overlay in holder.overlays:
                    overlay.write(whole, below)
        self._written = not problems
        return problems

    def _refused(self, properties: Mapping[str, Any]) -> str:
        """Why the CDK cannot render properties; empty where it can."""
        try:
            self.stack.resolve(properties)
        except RuntimeError as error:
            return str(error)
        return ""

    def state(self) -> Json:
        """What the metadata of the stack says of its policies.

        Raises:
            TableguardError: They have not been written, because the validation was skipped.
        """
        waiting = any(not overlay.is_lazy for holder in self.holders.values() for overlay in holder.overlays)
        if waiting and not self._written:
            raise TableguardError(
                f"The policies of stack {self.stack.stack_name} are checked and written when the app is validated. "
                "Synthesize without skip_validation."
            )
        return stack_metadata()


def _name(resource: cdk.CfnResource) -> str:
    # Proxies of one resource differ from each other, what they stand for does not. A public property that says as
    # much, such as the logical id's token, would cross over to the CDK for each resource.
    name: str = resource.__jsii_ref__.ref  # type: ignore[attr-defined]
    return name


_KNOWN: Final[WeakKeyDictionary[cdk.Stack, StackPolicies]] = WeakKeyDictionary()
