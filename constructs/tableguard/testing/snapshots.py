"""Templates for snapshots: without hashes of content, and without what the CDK adds to every stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tableguard.testing.definitions import with_definitions

if TYPE_CHECKING:
    import aws_cdk as cdk

# Digests of content: of assets (64 digits), and in the logical ids of function versions (32 to 40). The 8 digits at the
# end of every logical id stay: they are a hash of the construct's path, and a change of them replaces a table.
_HASH: Final = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{32,40})(?![0-9a-f])")

_BOILERPLATE: Final = (
    ("Parameters", "BootstrapVersion"),
    ("Rules", "CheckBootstrapVersion"),
    ("Resources", "CDKMetadata"),
    ("Conditions", "CDKMetadataAvailable"),
)


def template_snapshot(stack: cdk.Stack) -> dict[str, Any]:
    """Return the template of a stack for a snapshot: without hashes, and without what the CDK adds to every stack.

    Definitions of state machines are JSON in it, not text; see `with_definitions`.

    Args:
        stack: The stack. Its app is synthesized, so nothing can be added to it afterwards.
    """
    # Imported here, since `scrubbed` also works without the CDK.
    from aws_cdk.assertions import Template  # noqa: PLC0415

    template: dict[str, Any] = dict(Template.from_stack(stack).to_json())
    for section, name in _BOILERPLATE:
        if name in template.get(section, {}):
            template[section] = {key: value for key, value in template[section].items() if key != name}
    found: dict[str, Any] = scrubbed(with_definitions({name: value for name, value in template.items() if value}))
    return found


def scrubbed(template: Any) -> Any:
    """Return a copy of a template in which the hashes of content are replaced, in keys as well as in values.

    The hashes become HASH1, HASH2 and so on, in the order in which they first appear. Equal hashes get the same number
    and different hashes get different numbers, so no two keys become equal.

    Args:
        template: A template, or any other JSON. It is not changed.
    """
    names: dict[str, str] = {}

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return _HASH.sub(lambda found: names.setdefault(found[0], f"HASH{len(names) + 1}"), value)
        if isinstance(value, dict):
            return {replaced(key): replaced(inner) for key, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    return replaced(template)
