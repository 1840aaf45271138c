"""What a machine calls, in the partition where it stands. Free of aws_cdk.

A definition names an integration as the partition aws does, such as `arn:aws:states:::lambda:invoke`. In another one,
Step Functions ends an execution that comes to such a state: the resource belongs to a different partition. So whatever
makes a machine of a definition says where it is.
"""

from __future__ import annotations

from typing import Any, Final

_AWS: Final = "arn:aws:states:::"


def in_partition(definition: Any, partition: str) -> Any:
    """A definition, with its integrations those of a partition.

    Args:
        definition: The definition, or a part of it.
        partition: The partition, such as "aws-cn".
    """
    if isinstance(definition, dict):
        return {name: in_partition(value, partition) for name, value in definition.items()}
    if isinstance(definition, list):
        return [in_partition(value, partition) for value in definition]
    if isinstance(definition, str) and definition.startswith(_AWS):
        return f"arn:{partition}:states:::{definition.removeprefix(_AWS)}"
    return definition
