"""What CloudFormation's functions come to, as far as the templates of an assembly tell.

A name that CloudFormation chooses has a placeholder (see `naming`). Whatever else cannot be known stays the function
that it was, and is reported as unknown; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tableguard.aws.partitions import dns_suffix_of, partition_of
from tableguard.review.assembly import NESTED, SynthesizedStack
from tableguard.review.functions import function_of, has_unknown, is_function, is_generator
from tableguard.review.naming import ANYTHING, ARNS, NAMES, REF_IS_ARN, REF_TOO, placeholder

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")

_EXPORT_READER: Final = "Custom::CrossRegionExportReader"
_EXPORT_WRITER: Final = "Custom::CrossRegionExportWriter"
# Longer than any policy. Functions that refer to each other could otherwise double a text again and again.
_LONGEST: Final = 200_000


class _UnknownError(Exception):
    """The value is known at deployment only."""


NO_VALUE: Final = object()
_UNKNOWN: Final = object()


class Resolver:
    """Resolves the values of all stacks of an assembly.

    Args:
        stacks: The stacks.
        parameters: Values for template parameters, by "STACK.PARAMETER".
    """

    def __init__(self, stacks: Sequence[SynthesizedStack], parameters: Mapping[str, str] | None = None) -> None:
        self._stacks = stacks
        self._parameters = parameters or {}
        self._resolving: set[tuple[int, str]] = set()
        self._resolved: dict[tuple[int, str], Any] = {}
        self._exports: dict[tuple[str | None, str | None, str], tuple[SynthesizedStack, Any]] | None = None
        self._functions: Mapping[str, Callable[[SynthesizedStack, Any], Any]] = {
            "Ref": self._ref,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::GetStackOutput": self._stack_output,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }

    def resolve(self, stack: SynthesizedStack, value: Any) -> Any:
        """The value with every function resolved that can be; the others stand in it as they were.

        Args:
            stack: The stack that the value stands in.
            value: JSON of a template.
        """
        if isinstance(value, Mapping):
            function = function_of(value)
            if function is not None:
                try:
                    return self._apply(stack, *function)
                except _UnknownError:
                    return value
            resolved = {key: self.resolve(stack, inner) for key, inner in value.items()}
            return {key: inner for key, inner in resolved.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            items = [self.resolve(stack, item) for item in value]
            return [item for item in items if item is not NO_VALUE]
        return value

    def text(self, stack: SynthesizedStack, value: Any) -> str | None:
        """The value as text; None where it is not known, or no text."""
        resolved = self.resolve(stack, value)
        return resolved if isinstance(resolved, str) and not has_unknown(resolved) else None

    def properties(self, stack: SynthesizedStack, logical_id: str) -> Mapping[str, Any]:
        """The properties of a resource, resolved; empty where they are no object, or nothing of them is known."""
        resolved = self.resolve(stack, stack.template["Resources"][logical_id].get("Properties"))
        return resolved if isinstance(resolved, Mapping) and function_of(resolved) is None else {}

    def exists(self, stack: SynthesizedStack, logical_id: str) -> bool | None:
        """Whether a resource is made at all: its condition's value, or None where that is not known."""
        condition = stack.template["Resources"][logical_id].get("Condition")
        if condition is None:
            return True
        decided = self.resolve(stack, {"Fn::If": [condition, True, False]})
        return decided if isinstance(decided, bool) else None

    def arn(self, stack: SynthesizedStack, logical_id: str) -> str | None:
        """The ARN of a resource; None where its account or region is not known."""
        return self.text(stack, {"Fn::GetAtt": [logical_id, "Arn"]})

    def name(self, stack: SynthesizedStack, logical_id: str) -> str:
        """The physical name of a resource, or the placeholder for it."""
        resource = _resource(stack, logical_id)
        stated = _properties(resource).get(NAMES.get(str(resource.get("Type")), ""))
        known = self.text(stack, stated) if stated is not None else None
        return known if known is not None else placeholder(stack, logical_id)

    def _known(self, stack: SynthesizedStack, value: Any) -> Any:
        """The value, resolved whole.

        Raises:
            _UnknownError: A part of it cannot be.
        """
        resolved = self.resolve(stack, value)
        if has_unknown(resolved):
            raise _UnknownError
        return resolved

    def _text(self, stack: SynthesizedStack, value: Any) -> str:
        known = self._known(stack, value)
        if isinstance(known, bool) or not isinstance(known, str | int | float):
            raise _UnknownError
        return str(known)

    def _apply(self, stack: SynthesizedStack, name: str, argument: Any) -> Any:
        handler = self._functions.get(name)
        if handler is None:
            raise _UnknownError
        # Not by its name: nothing keeps two stacks of a foreign assembly from having the same one.
        key = (id(stack), repr((name, argument)))
        if key in self._resolved:
            return _unless_unknown(self._resolved[key])
        if key in self._resolving:
            # A value that refers to itself comes to nothing.
            raise _UnknownError
        self._resolving.add(key)
        found: Any = _UNKNOWN
        try:
            found = handler(stack, argument)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError, _UnknownError):
            # Not known, or a function with arguments that CloudFormation would refuse.
            pass
        finally:
            self._resolving.discard(key)
        self._resolved[key] = found
        return _unless_unknown(found)

    def _ref(self, stack: SynthesizedStack, name: str) -> Any:
        if name.startswith("AWS::"):
            return self._pseudo(stack, name)
        parameters = stack.template.get("Parameters")
        if isinstance(parameters, Mapping) and name in parameters:
            return self._parameter(stack, name)
        resource = _resource(stack, name)
        kind = str(resource.get("Type"))
        if kind in REF_IS_ARN:
            return self._get_att(stack, [name, "Arn"])
        if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
            # Its provider returns whatever it likes.
            raise _UnknownError
        return self.name(stack, name)

    def _pseudo(self, stack: SynthesizedStack, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        known = {
            "AWS::AccountId": stack.account,
            "AWS::Region": stack.region,
            "AWS::StackName": stack.stack_name,
            "AWS::Partition": partition_of(stack.region) if stack.region else None,
            "AWS::URLSuffix": dns_suffix_of(partition_of(stack.region)) if stack.region else None,
        }.get(name)
        if known is None:
            raise _UnknownError
        return known

    def _parameter(self, stack: SynthesizedStack, name: str) -> Any:
        declared = stack.template["Parameters"][name]
        kind = str(declared.get("Type"))
        given = self._parameters.get(f"{stack.name}.{name}")
        if given is not None:
            return _of_kind(given, kind)
        if stack.parent is None or stack.nested_as is None or kind.startswith("AWS::SSM::"):
            # A default is what a deployment uses unless somebody says otherwise: not known. Nor is the value of a
            # parameter of Systems Manager.
            raise _UnknownError
        given = self._passed(stack.parent, stack.nested_as, name)
        return _of_kind(declared["Default"] if given is NO_VALUE else given, kind)

    def _passed(self, parent: SynthesizedStack, logical_id: str, name: str) -> Any:
        """What a stack passes to one nested in it as a parameter's value; `NO_VALUE` where it passes none."""
        holder: Any = _resource(parent, logical_id).get("Properties", {})
        for step in ("Properties", "Parameters"):
            holder = self.resolve(parent, holder) if is_function(holder) else holder
            if holder is NO_VALUE:
                return NO_VALUE
            if not isinstance(holder, Mapping) or is_function(holder) or any(map(is_generator, holder)):
                raise _UnknownError
            if step == "Properties":
                holder = holder.get("Parameters", {})
        return self._known(parent, holder[name]) if name in holder else NO_VALUE

    def _get_att(self, stack: SynthesizedStack, argument: Any) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        resource = _resource(stack, logical_id)
        kind = str(resource.get("Type"))
        if kind == NESTED and attribute.startswith("Outputs."):
            nested = self._nested(stack, logical_id)
            return self._known(nested, nested.template["Outputs"][attribute.removeprefix("Outputs.")]["Value"])
        if kind in ARNS and attribute in ("Arn", "StreamArn", "PolicyArn"):
            arn = self._arn(stack, logical_id, kind)
            return f"{arn}/stream/{placeholder(stack, logical_id)}" if attribute == "StreamArn" else arn
        if kind == "AWS::S3::Bucket" and attribute == "Arn":
            return f"arn:{self._pseudo(stack, 'AWS::Partition')}:s3:::{self.name(stack, logical_id)}"
        if (kind, attribute) in REF_TOO:
            return self.name(stack, logical_id)
        if kind == _EXPORT_READER:
            return self._read_export(stack, attribute)
        if kind.startswith(ANYTHING):
            raise _UnknownError
        return placeholder(stack, logical_id, attribute)

    def _read_export(self, stack: SynthesizedStack, name: str) -> Any:
        """A value that the CDK carries from one region to another, through parameters of Systems Manager."""
        for other in self._stacks:
            for _, writer in other.resources(_EXPORT_WRITER) if other.account == stack.account else ():
                props = _properties(writer)["WriterProps"]
                if props["region"] == stack.region and name in props["exports"]:
                    return self._known(other, props["exports"][name])
        raise _UnknownError

    def _arn(self, stack: SynthesizedStack, logical_id: str, kind: str) -> str:
        service, regional, prefix = ARNS[kind]
        if service == "iam":
            stated = self.resolve(stack, _properties(_resource(stack, logical_id)).get("Path", "/"))
            prefix += "/" if stated is NO_VALUE else self._text(stack, stated)
        region = self._pseudo(stack, "AWS::Region") if regional else ""
        account = self._pseudo(stack, "AWS::AccountId")
        partition = self._pseudo(stack, "AWS::Partition")
        return f"arn:{partition}:{service}:{region}:{account}:{prefix}{self.name(stack, logical_id)}"

    def _nested(self, stack: SynthesizedStack, logical_id: str) -> SynthesizedStack:
        for other in self._stacks:
            if other.parent is stack and other.nested_as == logical_id:
                return other
        raise _UnknownError

    def _join(self, stack: SynthesizedStack, argument: Any) -> str:
        separator, parts = argument
        return _short_enough(str(separator).join(self._text(stack, part) for part in self._list(stack, parts)))

    def _list(self, stack: SynthesizedStack, value: Any) -> list[Any]:
        resolved = self.resolve(stack, value)
        if not isinstance(resolved, list):
            raise _UnknownError
        return resolved

    def _select(self, stack: SynthesizedStack, argument: Any) -> Any:
        index, values = argument
        position = int(self._text(stack, index))
        if position < 0:
            raise _UnknownError
        return self._known(stack, self._list(stack, values)[position])

    def _split(self, stack: SynthesizedStack, argument: Any) -> list[str]:
        separator, text = argument
        return self._text(stack, text).split(separator)

    def _sub(self, stack: SynthesizedStack, argument: Any) -> str:
        text, values = argument if isinstance(argument, list) else (argument, {})

        def value_of(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in values:
                return self._text(stack, values[name])
            reference = {"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name}
            return self._text(stack, reference)

        return _short_enough(_VARIABLE.sub(value_of, text))

    def _if(self, stack: SynthesizedStack, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.resolve(stack, then if self._holds(stack, {"Condition": condition}) else otherwise)

    def _holds(self, stack: SynthesizedStack, condition: Any) -> bool:
        ((name, argument),) = condition.items()
        if name == "Condition":
            return self._holds(stack, stack.template["Conditions"][argument])
        if name == "Fn::Equals":
            one, other = argument
            return self._text(stack, one) == self._text(stack, other)
        if name == "Fn::Not":
            return not self._holds(stack, argument[0])
        if name == "Fn::And":
            return all(self._holds(stack, each) for each in argument)
        if name == "Fn::Or":
            return any(self._holds(stack, each) for each in argument)
        raise _UnknownError

    def _find_in_map(self, stack: SynthesizedStack, argument: Any) -> Any:
        name, first, second = (self._text(stack, part) for part in argument[:3])
        return stack.template["Mappings"][name][first][second]

    def _import_value(self, stack: SynthesizedStack, argument: Any) -> Any:
        if self._exports is None:
            self._exports = dict(self._exported())
        other, value = self._exports[(stack.account, stack.region, self._text(stack, argument))]
        return self._known(other, value)

    def _exported(self) -> Iterator[tuple[tuple[str | None, str | None, str], tuple[SynthesizedStack, Any]]]:
        for stack in self._stacks:
            for output in _outputs(stack).values():
                export = output.get("Export") if isinstance(output, Mapping) else None
                name = self.text(stack, export.get("Name")) if isinstance(export, Mapping) else None
                if name is not None:
                    yield (stack.account, stack.region, name), (stack, output.get("Value"))

    def _stack_output(self, stack: SynthesizedStack, argument: Any) -> Any:
        said = self._text(stack, argument["StackName"])
        # A stack of another account is named by its ARN: arn:aws:cloudformation:REGION:ACCOUNT:stack/NAME/….
        parts = said.split(":")
        name = parts[5].split("/")[1] if said.startswith("arn:") else said
        account = parts[4] if said.startswith("arn:") else self._producer(stack, argument)
        region = parts[3] if said.startswith("arn:") else self.text(stack, argument.get("Region")) or stack.region
        for other in self._stacks:
            if (other.stack_name, other.account, other.region) == (name, account, region):
                return self._known(other, _outputs(other)[argument["OutputName"]]["Value"])
        raise _UnknownError

    def _producer(self, stack: SynthesizedStack, argument: Mapping[str, Any]) -> str | None:
        """The account of a stack whose output is read: that of the role it is read with, where one is named."""
        if argument.get("RoleArn") is None:
            return stack.account
        role = self._text(stack, argument["RoleArn"]).split(":")
        return role[4] if role[0] == "arn" else None


def _resource(stack: SynthesizedStack, logical_id: str) -> Mapping[str, Any]:
    resource = stack.template["Resources"][logical_id]
    if not isinstance(resource, Mapping):
        raise _UnknownError
    return resource


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = resource.get("Properties")
    return properties if isinstance(properties, Mapping) else {}


def _outputs(stack: SynthesizedStack) -> Mapping[str, Any]:
    outputs = stack.template.get("Outputs")
    return outputs if isinstance(outputs, Mapping) else {}


def _unless_unknown(found: Any) -> Any:
    if found is _UNKNOWN:
        raise _UnknownError
    return found


def _of_kind(value: Any, kind: str) -> Any:
    """A parameter's value: lists are passed as text with commas."""
    if isinstance(value, str) and (kind == "CommaDelimitedList" or kind.startswith("List<")):
        return [part.strip() for part in value.split(",")]
    return value


def _short_enough(text: str) -> str:
    if len(text) > _LONGEST:
        raise _UnknownError
    return text
