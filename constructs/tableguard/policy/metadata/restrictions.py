"""Perimeters, restrictions of people, and SCPs and RCPs in metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tableguard.policy.documents import Json
from tableguard.policy.guardrails.guardrail import Guardrail
from tableguard.policy.guardrails.rendered import Control
from tableguard.policy.metadata.conditions import NetworkClaim, network_json, read_network
from tableguard.policy.metadata.permissions import read_restricted_actions, restricted_actions_json
from tableguard.policy.metadata.principals import PrincipalClaim, principal_json, read_principal
from tableguard.policy.metadata.source import Source
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import Exemption, IamPrincipal, Perimeter, RestrictedActions


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionClaim:
    """An exemption of which metadata speaks.

    Args:
        principal: Who.
        actions: For what.
        reason: Why; "" where it does not say.
    """

    principal: PrincipalClaim
    actions: RestrictedActions
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionClaim:
    """A restriction around a table of which metadata speaks: a perimeter, or one against people.

    Args:
        exemptions: Whom it lets through.
        networks: What is inside a perimeter; empty for a restriction of people.
        sign_in_roles: Roles that people sign in with, which a restriction of people denies; empty for a perimeter.
        open_replicas: Why it is not there before another deployment, by region.
        unclassified_open: Why a perimeter leaves open what AWS adds later; None where it does not say.
        not_action_at_tables: Why a perimeter denies that at tables as well; None where it does not say.
    """

    exemptions: tuple[ExemptionClaim, ...] = ()
    networks: tuple[NetworkClaim, ...] = ()
    sign_in_roles: tuple[PrincipalClaim, ...] = ()
    open_replicas: Mapping[str, str] = field(default_factory=dict, hash=False)
    unclassified_open: str | None = None
    not_action_at_tables: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailClaim:
    """A guardrail of which metadata speaks.

    Args:
        name: What it is called.
        exempt_principals: Who else may do what it protects.
        details: What else it says of it: texts, or principals, by what they are.
    """

    name: str
    exempt_principals: tuple[PrincipalClaim, ...] = ()
    details: Mapping[str, tuple[str | PrincipalClaim, ...]] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlClaim:
    """What metadata says of an SCP or RCP.

    Args:
        guardrails: Its guardrails.
        perimeter: Its perimeter; None where it has none.
        administrators: Who may do what guardrails protect.
        pass_role_principals: Who passes the administrators to services.
        excluded_accounts: The accounts that it does not bind, with the reasons.
    """

    guardrails: tuple[GuardrailClaim, ...] = ()
    perimeter: RestrictionClaim | None = None
    administrators: tuple[PrincipalClaim, ...] = ()
    pass_role_principals: tuple[PrincipalClaim, ...] = ()
    excluded_accounts: Mapping[str, str] = field(default_factory=dict, hash=False)


_REASONS: Final = ("unclassified_open", "not_action_at_tables")


def perimeter_json(
    perimeter: Perimeter, *, open_replicas: Mapping[str, str] | None = None, refer: bool = False
) -> Json:
    """A perimeter as metadata says it.

    Args:
        perimeter: The perimeter.
        open_replicas: Why replicas of its table stand open until another deployment, by region.
        refer: As in `principal_json`: True for a table, whose policies name all who are exempt.
    """
    return {
        "inside": [network_json(network) for network in perimeter.networks],
        "exemptions": [_exemption_json(exemption, refer=refer) for exemption in perimeter.exemptions],
        **{name: getattr(perimeter, name) for name in _REASONS if getattr(perimeter, name) is not None},
        **_open_json(open_replicas),
    }


def people_json(people: NoPeople, *, open_replicas: Mapping[str, str] | None = None) -> Json:
    """A restriction of people as metadata says it.

    Args:
        people: The restriction.
        open_replicas: Why replicas of its table stand open until another deployment, by region.
    """
    return {
        "sign_in_roles": [principal_json(role) for role in people.sign_in_roles],
        "exemptions": [_exemption_json(exception, refer=True) for exception in people.exceptions],
        **_open_json(open_replicas),
    }


def control_json(control: Control) -> Json:
    """What an SCP or RCP enforces, as metadata says it.

    Args:
        control: What it enforces.
    """
    said: Json = {"guardrails": [_guardrail_json(each) for each in control.guardrails]}
    if control.perimeter is not None:
        said["perimeter"] = perimeter_json(control.perimeter)
    for name, listed in (
        ("administrators", control.administrators),
        ("pass_role_principals", control.pass_role_principals),
    ):
        if listed:
            said[name] = [principal_json(each) for each in listed]
    if control.excluded_accounts:
        said["excluded_accounts"] = [
            {"account": account, "reason": why} for account, why in sorted(control.excluded_accounts.items())
        ]
    return said


def read_restriction(source: Source) -> RestrictionClaim:
    """A restriction around a table of which metadata speaks.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is neither what `perimeter_json` nor what `people_json` writes.
    """
    waiting = source.optional("open_replicas")
    return RestrictionClaim(
        exemptions=tuple(map(_read_exemption, source.objects("exemptions"))),
        networks=tuple(map(read_network, source.objects("inside"))),
        sign_in_roles=tuple(map(read_principal, source.objects("sign_in_roles"))),
        open_replicas={} if waiting is None else {region: waiting.needed(region) for region in waiting.json},
        **{name: source.text(name) for name in _REASONS},
    )


def read_control(source: Source) -> ControlClaim:
    """What metadata says of an SCP or RCP.

    Args:
        source: What it says.

    Raises:
        MalformedMetadataError: It is not what `control_json` writes.
    """
    perimeter = source.optional("perimeter")
    return ControlClaim(
        guardrails=tuple(_read_guardrail(each) for each in source.objects("guardrails")),
        perimeter=None if perimeter is None else read_restriction(perimeter),
        administrators=tuple(map(read_principal, source.objects("administrators"))),
        pass_role_principals=tuple(map(read_principal, source.objects("pass_role_principals"))),
        excluded_accounts={
            each.needed("account"): each.text("reason") or "" for each in source.objects("excluded_accounts")
        },
    )


def _guardrail_json(guardrail: Guardrail) -> Json:
    said: Json = {"guardrail": guardrail.name}
    if guardrail.exempt_principals:
        said["exempt_principals"] = [principal_json(each) for each in guardrail.exempt_principals]
    details = {name: list(map(_detail_json, values)) for name, values in guardrail.details.items() if values}
    return {**said, "details": details} if details else said


def _detail_json(value: str | IamPrincipal) -> str | Json:
    return value if isinstance(value, str) else principal_json(value)


def _read_guardrail(source: Source) -> GuardrailClaim:
    details = source.optional("details")
    found = {} if details is None else {name: tuple(_read_details(details, name)) for name in details.json}
    return GuardrailClaim(
        name=source.needed("guardrail"),
        exempt_principals=tuple(map(read_principal, source.objects("exempt_principals"))),
        details=found,
    )


def _read_details(source: Source, name: str) -> Iterator[str | PrincipalClaim]:
    for number, value in enumerate(source.listed(name)):
        if isinstance(value, str):
            yield value
        else:
            said = Source.of(value, f"{source.within(name)}/{number}")
            # A text that only the deployment knows is an object as well, of one function.
            yield read_principal(said) if "kind" in said.json else str(value)


def _open_json(open_replicas: Mapping[str, str] | None) -> Json:
    return {"open_replicas": dict(open_replicas)} if open_replicas else {}


def _exemption_json(exemption: Exemption, *, refer: bool) -> Json:
    return {
        "principal": principal_json(exemption.principal, refer=refer),
        "actions": restricted_actions_json(exemption.actions),
        "reason": exemption.reason,
    }


def _read_exemption(source: Source) -> ExemptionClaim:
    return ExemptionClaim(
        principal=read_principal(source.object("principal")),
        actions=read_restricted_actions(source.object("actions")),
        reason=source.text("reason") or "",
    )
