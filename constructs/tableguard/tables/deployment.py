"""The role that deploys a stack. It must stay able to change the policies that it deploys."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

import aws_cdk as cdk

from tableguard.policy import InvalidInputError, Role
from tableguard.policy.people import NoPeople
from tableguard.policy.perimeter import (
    Exempt,
    Exemption,
    Forwarding,
    LambdaPoller,
    Perimeter,
    RestrictedActions,
    ServiceLinkedRole,
)
from tableguard.policy.perimeter.identities import arns_of
from tableguard.policy.perimeter.restricted_actions import Side
from tableguard.policy.tokens import is_unresolved

_ROLE_ARN: Final = re.compile(r"arn:[^:]+:iam::([^:]+):role(/(?:.+/)?)([^/]+)")
_BOTH: Final = (Side.TABLE, Side.STREAM)
_REASON: Final = "deploys the table and its policies"


def execution_role(stack: cdk.Stack) -> Role | None:
    """Return the role that CloudFormation deploys a stack as; None if the stack's synthesizer does not tell.

    Args:
        stack: The stack; a nested stack is deployed with its parent.
    """
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    synthesizer = stack.synthesizer
    if not isinstance(synthesizer, cdk.DefaultStackSynthesizer):
        return None
    try:
        arn = synthesizer.cloud_formation_execution_role_arn
    except RuntimeError:
        # If a synthesizer was passed to the stack, the CDK binds a copy of it, but returns the unbound original.
        return None
    placeholders = {"AWS::Partition": "aws", "AWS::AccountId": stack.account, "AWS::Region": stack.region}
    for name, value in placeholders.items():
        arn = arn.replace(f"${{{name}}}", value)
    found = _ROLE_ARN.fullmatch(arn)
    return None if found is None else Role(account=found[1], name=found[3], path=found[2])


def deployable(
    perimeter: Perimeter, stack: cdk.Stack, *, deployed_by: Exempt | None, no_deployment_role: str | None
) -> Perimeter:
    """Return the perimeter with an exemption that lets the deployment role deploy the table.

    Args:
        perimeter: The perimeter.
        stack: The stack of the table.
        deployed_by: The role that the stack is deployed as; the synthesizer's deployment role when None.
        no_deployment_role: The reason why no role may change the policies from outside; None exempts the role.

    Raises:
        InvalidInputError: Nobody could change the policies from outside and `no_deployment_role` gives no reason, or
            `deployed_by` cannot deploy the stack.
    """
    if no_deployment_role is not None:
        _check_reason(no_deployment_role, deployed_by)
        return perimeter
    if isinstance(deployed_by, Exempt) and not _of_stack(deployed_by, stack):
        raise InvalidInputError(
            f"deployed_by of the perimeter in stack {stack.stack_name}",
            value=deployed_by.label,
            allowed=f"an identity of {stack.account}, the stack's account, that deploys: nobody else could change the "
            "policies there",
            fix="With the CDK, that is the role that CloudFormation gets, not the pipeline's.",
        )
    # If the perimeter restricts settings, a deployment also has to describe, change and delete the table.
    needed = (
        RestrictedActions.DEPLOYMENT
        if perimeter.settings_too is None
        else RestrictedActions.DEPLOYMENT | RestrictedActions.SETTINGS
    )
    deploying = deployed_by if deployed_by is not None else execution_role(stack)
    if deploying is None:
        if any(_may_deploy(e, needed) and _of_stack(e.principal, stack) for e in perimeter.exemptions):
            return perimeter
        raise _nobody(stack)
    if any(_may_deploy(e, needed) and _is(e.principal, deploying, stack) for e in perimeter.exemptions):
        return perimeter
    same = next((e for e in perimeter.exemptions if e.principal == deploying), None)
    added = (
        Exemption(principal=deploying, actions=needed, reason=_REASON)
        if same is None
        else replace(same, actions=same.actions | needed, reason=f"{same.reason}; {_REASON}")
    )
    return replace(perimeter, exemptions=(*(e for e in perimeter.exemptions if e is not same), added))


def check_people(what: str, people: NoPeople, stack: cdk.Stack) -> None:
    """Check that the role that deploys the table is not denied changing its policies.

    Args:
        what: Whose restriction it is, for the message.
        people: The restriction.
        stack: The stack of the table.

    Raises:
        InvalidInputError: The stack is deployed as one of the `sign_in_roles`, which may not change the policies.
    """
    deploying = execution_role(stack)
    if deploying is None or any(
        _may_deploy(e, RestrictedActions.POLICY) and _is(e.principal, deploying, stack) for e in people.exceptions
    ):
        return
    for sign_in in people.sign_in_roles:
        if _is(sign_in, deploying, stack):
            raise InvalidInputError(
                f"a sign_in_role of {what}",
                value=sign_in.label,
                allowed=f"other roles than {deploying.name}, which deploys the table: it could never change its policy "
                "again",
                fix="Let people sign in with another role, or make an exception: Exemption(principal=…, "
                "actions=RestrictedActions.POLICY, reason=…).",
            )


def _check_reason(reason: str, deployed_by: Exempt | None) -> None:
    if not isinstance(reason, str) or not reason.strip():
        raise InvalidInputError("no_deployment_role of a perimeter", value=reason, allowed="the reason, or None")
    if deployed_by is not None:
        raise InvalidInputError(
            "deployed_by of a perimeter",
            value=deployed_by.label,
            allowed="None while no_deployment_role says that no role deploys from outside",
        )


def _may_deploy(exemption: Exemption, needed: RestrictedActions) -> bool:
    policies = all(exemption.actions.covers("PutResourcePolicy", side) for side in _BOTH)
    settings = exemption.actions.covers("UpdateTable", Side.TABLE) or not needed.covers("UpdateTable", Side.TABLE)
    return policies and settings


def _of_stack(exempt: Exempt, stack: cdk.Stack) -> bool:
    """Whether a principal can deploy a stack: PutResourcePolicy does not work from another account."""
    if isinstance(exempt, ServiceLinkedRole | LambdaPoller):
        return False
    return exempt.home in (None, stack.account) or is_unresolved(f"{exempt.home}{stack.account}")


def _is(exempt: Exempt, deploying: Exempt, stack: cdk.Stack) -> bool:
    """Whether an exemption covers the deployment role, by its name or by a pattern that the role matches."""
    if exempt == deploying:
        return True
    if isinstance(exempt, Forwarding) or isinstance(deploying, Forwarding):
        return False
    patterns = arns_of(exempt, "aws", account=stack.account)
    return any(
        fnmatchcase(arn, _literal(each))
        for arn in arns_of(deploying, "aws", account=stack.account)
        for each in patterns
    )


def _literal(pattern: str) -> str:
    # A bracket is a pattern for fnmatch but not for IAM, and tokens contain brackets.
    return pattern.replace("[", "[[]")


def _nobody(stack: cdk.Stack) -> InvalidInputError:
    return InvalidInputError(
        f"deployed_by of the perimeter in stack {stack.stack_name}",
        value=None,
        allowed="the role that the stack is deployed as, since its synthesizer does not tell: without an exemption of "
        "that role the next deployment could change neither the policy nor the table, and only the root user could",
        fix='Pass deployed_by=Role(account=…, name="cdk-…-cfn-exec-role-…"), or, where CloudFormation acts with the '
        'permissions of whoever deploys, Forwarding("cloudformation.amazonaws.com"); or '
        "no_deployment_role=… with the reason.",
    )
