"""A syrupy extension: one file for each template, as a person reviews it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syrupy.extensions.json import JSONSnapshotExtension

from tableguard.testing.definitions import with_definitions
from tableguard.testing.snapshots import scrubbed, template_snapshot

if TYPE_CHECKING:
    from syrupy.types import SerializedData


class TemplateSnapshotExtension(JSONSnapshotExtension):
    """Writes a stack's template to a JSON file of its own, hashes scrubbed in keys and values.

    Definitions of state machines are JSON in it: a change of one state is a change of its lines.

    Give it a stack, or a template that is there already:

    def test_data_stack(snapshot):
        assert DataStack(app, "Data") == snapshot.use_extension(TemplateSnapshotExtension)
    """

    def serialize(self, data: Any, **kwargs: Any) -> SerializedData:
        """The snapshot of a stack or template.

        Args:
            data: An aws_cdk Stack, which this synthesizes together with its app, or the JSON of a template.
            kwargs: What syrupy passes on.
        """
        # A stack is told by what it can do: tests of templates alone need no CDK.
        template = template_snapshot(data) if hasattr(data, "template_file") else scrubbed(with_definitions(data))
        return super().serialize(template, **kwargs)
