"""How much of their limits the policies of templates use; inline policies summed for each role, user and group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tableguard.evaluation import DocumentLocation
from tableguard.policy import Limit, Limits, measured
from tableguard.review.assembly import SynthesizedStack
from tableguard.review.functions import has_unknown
from tableguard.review.intrinsics import Resolver

TABLES: Final = ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
_LIMITS: Final = Limits()
_QUOTAS: Final = "IAM user guide, IAM and STS quotas"
# "You can add as many inline policies as you want to an IAM user, role, or group. But the total aggregate policy size
# (the sum size of all inline policies) per entity can't exceed" these; IAM does not count white space.
_INLINE: Final[Mapping[str, Limit]] = {
    "role": _LIMITS.inline,
    "user": Limit("inline policy", 2_048, "characters", _QUOTAS),
    "group": Limit("inline policy", 5_120, "characters", _QUOTAS),
}
_OF_IAM: Final = (_LIMITS.managed, *_INLINE.values())
_UNKNOWN_OWNER: Final = "role"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """A policy, or all inline policies of somebody, and the limit.

    Args:
        what: What it is, in words.
        size: The size; a lower bound where the template leaves values to the deployment.
        limit: The limit.
        place: Where it stands, or the first of them.
    """

    what: str
    size: int
    limit: Limit
    place: DocumentLocation

    @property
    def share(self) -> float:
        """How much of the limit it uses: 1 is all."""
        return self.size / self.limit.size

    @property
    def words(self) -> str:
        """It with its size beside the limit."""
        percent = self.size * 100 // self.limit.size
        return f"{self.what}: {self.size:,} of {self.limit.size:,} {self.limit.unit} ({percent} %)"


def sized(stacks: Sequence[SynthesizedStack]) -> Iterator[Sized]:
    """The sizes of everything that has a limit.

    Args:
        stacks: The stacks. Inline policies count together with those that another of these stacks attaches.
    """
    resolver = Resolver(stacks)
    inline = _Inline(resolver)
    for stack in stacks:
        for logical_id, resource in stack.resources():
            if resolver.exists(stack, logical_id) is False:
                continue
            place = DocumentLocation(stack=stack.name, logical_id=logical_id, path=f"Resources/{logical_id}")
            inline.read(stack, logical_id, resource, place)
            for document, limit in _whole(resource):
                what = f"the {limit.kind} of {stack.name}/{logical_id}"
                yield Sized(what=what, size=_size(document, limit), limit=limit, place=place)
    yield from inline.sums()


class _Inline:
    """Adds up the inline policies of roles, users and groups."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._sizes: dict[tuple[str, str, str], list[int]] = {}
        self._places: dict[tuple[str, str, str], DocumentLocation] = {}

    def read(
        self, stack: SynthesizedStack, logical_id: str, resource: Mapping[str, Any], place: DocumentLocation
    ) -> None:
        """Add what a resource holds."""
        properties = _mapping(resource.get("Properties"))
        service, _, kind = str(resource.get("Type")).rpartition("::")
        if service != "AWS::IAM":
            return
        owner = kind.removesuffix("Policy").lower()
        if kind == "Policy":
            for each, name in self._owners(stack, logical_id, properties):
                self._add(stack, each, name, properties.get("PolicyDocument"), place)
        elif kind.endswith("Policy") and owner in _INLINE:
            name = self._resolver.resolve(stack, properties.get(f"{kind.removesuffix('Policy')}Name"))
            self._add(stack, owner, _name(name, place), properties.get("PolicyDocument"), place)
        elif owner in _INLINE:
            policies = properties.get("Policies")
            for each in policies if isinstance(policies, list) else ():
                name = self._resolver.name(stack, logical_id)
                self._add(stack, owner, name, _mapping(each).get("PolicyDocument"), place, own=True)

    def sums(self) -> Iterator[Sized]:
        """The sum of each owner."""
        for (account, kind, name), sizes in self._sizes.items():
            limit = _INLINE[kind]
            several = f"{len(sizes)} inline policies" if len(sizes) > 1 else "inline policy"
            place = self._places[account, kind, name]
            whose = f"{kind} {name} of {account}" if "/" not in name else name
            yield Sized(what=f"the {several} of {whose}", size=sum(sizes), limit=limit, place=place)

    def _owners(
        self, stack: SynthesizedStack, logical_id: str, properties: Mapping[str, Any]
    ) -> Iterator[tuple[str, str]]:
        place = DocumentLocation(stack=stack.name, logical_id=logical_id)
        known = False
        for kind in _INLINE:
            names = self._resolver.resolve(stack, properties.get(f"{kind.title()}s"))
            for name in names if isinstance(names, list) else ():
                known = True
                yield kind, _name(name, place)
        if not known:
            yield _UNKNOWN_OWNER, _name(None, place)

    def _add(
        self,
        stack: SynthesizedStack,
        kind: str,
        name: str,
        document: object,
        place: DocumentLocation,
        *,
        own: bool = False,
    ) -> None:
        if not isinstance(document, Mapping):
            return
        key = (stack.account or stack.name, kind, name)
        self._sizes.setdefault(key, []).append(_size(document, _INLINE[kind]))
        if own or key not in self._places:
            self._places[key] = place


def _name(value: object, place: DocumentLocation) -> str:
    """The name of an owner; where it is not known, the policy's place stands for it."""
    known = isinstance(value, str) and not has_unknown(value)
    return str(value) if known else f"{place.stack}/{place.logical_id}"


def _size(document: Mapping[str, Any], limit: Limit) -> int:
    size = measured(document, limit).size
    return size - _white(document) if limit in _OF_IAM else size


def _white(value: object) -> int:
    """The white space within texts, which IAM leaves out. What CloudFormation puts into them counts as none."""
    if isinstance(value, str):
        return sum(map(str.isspace, value))
    if isinstance(value, Mapping):
        return 0 if "Fn::Sub" in value else sum(_white(key) + _white(inner) for key, inner in value.items())
    return sum(map(_white, value)) if isinstance(value, (list, tuple)) else 0


def _whole(resource: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Limit]]:
    """The policies of a resource that have a limit each."""
    properties = _mapping(resource.get("Properties"))
    kind = resource.get("Type")
    if kind in TABLES:
        replicas = properties.get("Replicas")
        for holder in (properties, *map(_mapping, replicas if isinstance(replicas, list) else ())):
            stream = holder.get("StreamSpecification", holder.get("ReplicaStreamSpecification"))
            yield from _document(holder.get("ResourcePolicy"), "PolicyDocument", _LIMITS.table)
            yield from _document(_mapping(stream).get("ResourcePolicy"), "PolicyDocument", _LIMITS.stream)
    elif kind == "AWS::KMS::Key":
        yield from _document(properties, "KeyPolicy", _LIMITS.key)
    elif kind == "AWS::IAM::ManagedPolicy":
        yield from _document(properties, "PolicyDocument", _LIMITS.managed)
    elif kind == "AWS::Organizations::Policy":
        control = properties.get("Type") == "RESOURCE_CONTROL_POLICY"
        yield from _document(properties, "Content", _LIMITS.resource_control if control else _LIMITS.service_control)


def _document(holder: object, key: str, limit: Limit) -> Iterator[tuple[Mapping[str, Any], Limit]]:
    document = _mapping(holder).get(key)
    if isinstance(document, Mapping):
        yield document, limit


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
