"""Reads what the assertions are about: the synthesized templates, and the ARNs of principals and resources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tableguard.aws.dynamodb import ACTIONS, Resource
from tableguard.policy import AwsService, InvalidInputError, Principal, TableReference
from tableguard.policy.access import STREAM
from tableguard.policy.collectives import Organization, OrganizationalUnit
from tableguard.policy.principals import Account, PermissionSet
from tableguard.policy.tokens import is_unresolved
from tableguard.review.assembly import SynthesizedStack, read_assembly
from tableguard.review.collect import collect
from tableguard.review.intrinsics import Resolver
from tableguard.review.picture import Picture

_GROUPS: Final = (Account, Organization, OrganizationalUnit, PermissionSet)
_TABLES: Final = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")
_ARN_NAMES: Final = ("table_arn", "key_arn", "role_arn", "user_arn", "attr_arn", "arn")


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A `Picture` and the stacks that it was made of.

    Args:
        picture: The picture.
        stacks: The stacks; none if the caller passed a picture.
    """

    picture: Picture
    stacks: tuple[SynthesizedStack, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """The stacks that are not in the picture, since their account and region are not known."""
        return tuple(each.name for each in self.stacks if each.account is None or each.region is None)

    def principal(self, said: Any, resource: str) -> str:
        """Return the ARN of a principal, or the host name of a service.

        Args:
            said: An ARN, a principal of this library, or an `iam.IGrantable`.
            resource: The ARN of the resource, for the partition.

        Raises:
            InvalidInputError: `said` is not a single principal, or its ARN is known only at deployment.
        """
        if isinstance(said, str):
            return said
        if isinstance(said, AwsService):
            return said.service
        if isinstance(said, _GROUPS) or not (isinstance(said, Principal) or hasattr(said, "grant_principal")):
            raise InvalidInputError(
                "the principal of a decision",
                value=getattr(said, "label", said),
                allowed="a principal that makes requests: an ARN, Role, User, session, AwsService or an IAM role",
            )
        if isinstance(said, Principal):
            return said.trust(partition=resource.split(":")[1], owner="", named=True).value
        named = any(hasattr(said, name) for name in _ARN_NAMES)
        return self._arn("the principal of a decision", said if named else said.grant_principal)

    def resource(self, said: Any, action: str) -> str:
        """Return the ARN of a resource.

        Args:
            said: An ARN, a `TableReference`, or a table.
            action: The action; for an action on streams, the ARN is that of the table's stream.

        Raises:
            InvalidInputError: `said` is not a table, or its ARN is known only at deployment.
        """
        if isinstance(said, str):
            return said
        if isinstance(said, TableReference) and not is_unresolved(said.arn):
            arn = said.arn
        elif isinstance(said, TableReference):
            raise InvalidInputError(
                "the resource of a decision",
                value="a TableReference whose values are known at deployment only",
                allowed="the table itself",
            )
        else:
            arn = self._arn("the resource of a decision", getattr(said, "table", said))
        known = ACTIONS.get(action.rpartition(":")[2])
        if known is None or known.resources != {Resource.STREAM}:
            return arn
        table = self.picture.table_of(arn)
        return table.stream_arn if table is not None else f"{arn}{STREAM.replace('*', '{label}')}"

    def _arn(self, what: str, construct: Any) -> str:
        """The ARN of a construct, as in the picture."""
        import aws_cdk as cdk  # noqa: PLC0415 - what was given is the CDK's

        arn = next((getattr(construct, name) for name in _ARN_NAMES if hasattr(construct, name)), None)
        if not isinstance(arn, str):
            raise InvalidInputError(what, value=construct, allowed="an ARN, or a construct that has one")
        if not cdk.Token.is_unresolved(arn):
            return arn
        stack = cdk.Stack.of(construct)
        if cdk.Token.is_unresolved(stack.account) or cdk.Token.is_unresolved(stack.region):
            raise InvalidInputError(
                what,
                value=f"{construct.node.path}, in a stack without an env",
                allowed="a construct of a stack that says its account and region",
                fix=f"Make the stack {stack.node.path} with env=cdk.Environment(account=…, region=…).",
            )
        resolved = stack.resolve(arn)
        file = stack.template_file
        for each in self.stacks:
            if each.file is not None and each.file.name == file:
                text = Resolver(self.stacks).text(each, resolved)
                if text is not None:
                    return text
        raise InvalidInputError(
            what,
            value=construct,
            allowed="a construct of the synthesized app, with an ARN that its templates tell",
            fix="Pass the ARN.",
        )


def whereabouts(where: Any, *, principal: Any, resource: Any) -> Whereabouts:
    """Read what was synthesized.

    Args:
        where: A stack, a stage, an app, a `Template`, a folder or a picture.
        principal: The caller. It tells the account of a `Template`, which names none.
        resource: The resource. It tells the account and region of a `Template`.

    Raises:
        InvalidInputError: `where` is none of these.
        UnusableAssemblyError: The folder is not a cloud assembly.
    """
    if isinstance(where, Picture):
        return Whereabouts(where)
    if isinstance(where, str | Path):
        return _of_folder(Path(where))
    if hasattr(where, "to_json") and hasattr(where, "has_resource_properties"):
        return _of_template(where, *_side(where, principal, resource))
    return _of_folder(Path(_synthesized(where)))


@lru_cache(maxsize=32)
def _synthesized(where: Any) -> str:
    """The output folder of an app or stage. It is cached, since the CDK also synthesizes only once."""
    import aws_cdk as cdk  # noqa: PLC0415 - as above

    stage = where if isinstance(where, cdk.Stage) else cdk.Stage.of(where) if isinstance(where, cdk.Stack) else None
    if stage is None:
        raise InvalidInputError(
            "where a decision is made",
            value=where,
            allowed="a Stack, a Stage, an App, a Template, the folder of a cloud assembly, or a Picture",
        )
    return str(stage.synth().directory)


def _of_folder(folder: Path) -> Whereabouts:
    manifest = folder / "manifest.json"
    return _read(folder, manifest.stat().st_mtime_ns if manifest.exists() else 0)


@lru_cache(maxsize=32)
def _read(folder: Path, written: int) -> Whereabouts:
    # `written` is part of the cache's key: an assembly that is written again is read again.
    stacks = read_assembly(folder)
    return Whereabouts(collect(stacks), stacks)


def _side(template: Any, principal: Any, resource: Any) -> tuple[str, str]:
    """The account and region of a template, taken from the resource or the principal."""
    arn = resource.arn if isinstance(resource, TableReference) else resource
    if not isinstance(arn, str):
        raise InvalidInputError(
            "the resource of a decision over a Template",
            value=arn,
            allowed="an ARN or a TableReference, for its account",
        )
    _, _, _, region, account, _ = arn.split(":", 5)
    return (account if _holds_tables(template) else _account_of(principal) or account), region


@lru_cache(maxsize=32)
def _holds_tables(template: Any) -> bool:
    return any(each.get("Type") in _TABLES for each in template.to_json().get("Resources", {}).values())


@lru_cache(maxsize=32)
def _of_template(template: Any, account: str, region: str) -> Whereabouts:
    # A Template never changes, so it is read once for all assertions on it.
    stacks = (SynthesizedStack("Template", account, region, template.to_json()),)
    return Whereabouts(collect(stacks), stacks)


def _account_of(principal: Any) -> str | None:
    if isinstance(principal, Principal):
        return principal.home
    return principal.split(":")[4] if isinstance(principal, str) and principal.startswith("arn:") else None
