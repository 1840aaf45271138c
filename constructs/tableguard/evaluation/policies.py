"""The policies that bear on a request, by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tableguard.evaluation.decision import Layer
from tableguard.evaluation.documents import Document
from tableguard.policy.errors import InvalidInputError

AnyDocument: TypeAlias = Document | Mapping[str, object] | object
"""A `Document`, or what JSON gave. Nothing is refused: what is no policy document is one that is not understood."""


@dataclass(frozen=True, slots=True)
class LayerDocuments:
    """One layer, or one level of an organization's policies, made ready for matching.

    Args:
        layer: The kind of policy.
        level: The level, for an organization's policies.
        documents: The documents; one Allow among them is enough.
        named: Whether policies of this kind have a Principal element.
    """

    layer: Layer
    level: int | None
    documents: tuple[Document, ...]
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policies that bear on a request. Left out means that there are none of that kind.

    Args:
        identity: The documents attached to the user or role, groups included. By default none: nothing is granted.
        resource: The resource's own policy.
        service_control: Service control policies of the caller's account, one list for each level from the root of
            the organization down to the account. Each level must allow; a level with an empty list allows nothing.
            By default the account belongs to no organization.
        resource_control: Resource control policies of the resource's account, likewise by level. They only deny:
            RCPFullAWSAccess stands on every level and cannot be taken off.
        boundary: The permissions boundary; an empty sequence means that there is none.
        session: The session policies, which together are one; an empty sequence means that there are none. The session
            of a federated user has no permissions of its own without them.
        endpoint: The policy of the VPC endpoint that the request goes through. By default it goes through none, or
            through one with full access.

    Raises:
        InvalidInputError: If a layer is no sequence of documents, or an organization's layer no sequence of those.
    """

    identity: Sequence[AnyDocument] = ()
    resource: AnyDocument | None = None
    service_control: Sequence[Sequence[AnyDocument]] = ()
    resource_control: Sequence[Sequence[AnyDocument]] = ()
    boundary: Sequence[AnyDocument] = ()
    session: Sequence[AnyDocument] = ()
    endpoint: AnyDocument | None = None
    layers: tuple[LayerDocuments, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        layers: list[LayerDocuments] = []
        for layer, levels in (
            (Layer.SERVICE_CONTROL, self.service_control),
            (Layer.RESOURCE_CONTROL, self.resource_control),
        ):
            named = layer is Layer.RESOURCE_CONTROL
            for level, documents in enumerate(_sequence(layer.value, levels)):
                layers.append(LayerDocuments(layer, level, _documents(f"a level of {layer.value}", documents), named))
        if self.endpoint is not None:
            layers.append(LayerDocuments(Layer.ENDPOINT, None, (_document(self.endpoint),), named=True))
        if self.resource is not None:
            layers.append(LayerDocuments(Layer.RESOURCE, None, (_document(self.resource),), named=True))
        for layer, documents in (
            (Layer.IDENTITY, self.identity),
            (Layer.BOUNDARY, self.boundary),
            (Layer.SESSION, self.session),
        ):
            found = _documents(layer.value, documents)
            if found:
                layers.append(LayerDocuments(layer, None, found))
        object.__setattr__(self, "layers", tuple(layers))


def _document(source: AnyDocument) -> Document:
    return source if isinstance(source, Document) else Document(source)


def _documents(what: str, sources: object) -> tuple[Document, ...]:
    return tuple(map(_document, _sequence(what, sources)))


def _sequence(what: str, value: object) -> Sequence[object]:
    if isinstance(value, (list, tuple)):
        return value
    raise InvalidInputError(
        f"{what} of Policies",
        value=type(value).__name__,
        allowed="a list or tuple",
        fix="Put a single document into a list.",
    )
