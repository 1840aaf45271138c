"""A syrupy extension that writes each template to a JSON file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syrupy.extensions.json import JSONSnapshotExtension

from tableguard.testing.definitions import with_definitions
from tableguard.testing.snapshots import scrubbed, template_snapshot

if TYPE_CHECKING:
    from syrupy.types import SerializedData


class TemplateSnapshotExtension(JSONSnapshotExtension):
    """Writes a stack's template to a JSON file of its own, with hashes replaced in keys and values.

    Definitions of state machines are JSON in it, so a change of one state shows as a change of its lines.

    Compare a stack, or the JSON of a template, with the snapshot:

    def test_data_stack(snapshot):
        assert DataStack(app, "Data") == snapshot.use_extension(TemplateSnapshotExtension)
    """

    def serialize(self, data: Any, **kwargs: Any) -> SerializedData:
        """Return the snapshot of a stack or template.

        Args:
            data: An aws_cdk Stack, whose app is then synthesized, or the JSON of a template.
            kwargs: Further arguments from syrupy.
        """
        # A stack is recognized by its methods, so that tests of plain templates do not need the CDK.
        template = template_snapshot(data) if hasattr(data, "template_file") else scrubbed(with_definitions(data))
        return super().serialize(template, **kwargs)
