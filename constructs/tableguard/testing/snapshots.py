"""Templates as a person reviews them: without what changes by itself, and without what every stack has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tableguard.testing.definitions import with_definitions

if TYPE_CHECKING:
    import aws_cdk as cdk

# Digests of content: of assets (64 digits), and in the logical ids of function versions (32 to 40). Not the 8 digits
# at the end of every logical id: they stand for the path of the construct, and when they change a table is replaced.
_HASH: Final = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{32,40})(?![0-9a-f])")

_BOILERPLATE: Final = (
    ("Parameters", "BootstrapVersion"),
    ("Rules", "CheckBootstrapVersion"),
    ("Resources", "CDKMetadata"),
    ("Conditions", "CDKMetadataAvailable"),
)


def template_snapshot(stack: cdk.Stack) -> dict[str, Any]:
    """The template of a stack for a snapshot: hashes scrubbed, and without what the CDK adds to every stack.

    Definitions of state machines are JSON in it, not text, see `with_definitions`.

    Args:
        stack: A stack, which this synthesizes together with its app: nothing can be added afterwards.
    """
    # Here, since `scrubbed` is of use where there is no CDK.
    from aws_cdk.assertions import Template  # noqa: PLC0415

    template: dict[str, Any] = dict(Template.from_stack(stack).to_json())
    for section, name in _BOILERPLATE:
        if name in template.get(section, {}):
            template[section] = {key: value for key, value in template[section].items() if key != name}
    found: dict[str, Any] = scrubbed(with_definitions({name: value for name, value in template.items() if value}))
    return found


def scrubbed(template: Any) -> Any:
    """JSON with the hashes of content replaced, in keys as well as in values.

    Each hash becomes HASH1, HASH2 and so on, in the order in which they first appear, so that what was the same stays
    the same, and what was different stays different: no two keys can fall together.

    Args:
        template: A template, or any other JSON. It stays as it is.
    """
    names: dict[str, str] = {}

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return _HASH.sub(lambda found: names.setdefault(found[0], f"HASH{len(names) + 1}"), value)
        if isinstance(value, dict):
            return {replaced(key): replaced(inner) for key, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    return replaced(template)
