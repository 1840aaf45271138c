"""Up to when what was sealed is trusted, where somebody has said so for drills."""

from __future__ import annotations

from datetime import UTC, datetime

import aws_cdk as cdk
from constructs import Construct

from tableguard.backup.restore.origin import Origin
from tableguard.policy import InvalidInputError


def trusted_moment(drill: Construct, sealed_by: datetime | None, *, origin: Origin) -> str | None:
    """The moment in ISO 8601, and a warning that nothing newer is proved; None where everything is looked at.

    Args:
        drill: The drill.
        sealed_by: Its argument of that name.
        origin: Where its restore takes items from.

    Raises:
        InvalidInputError: It is no moment, or the restore takes no sealed exports.
    """
    if sealed_by is None:
        return None
    what = f"sealed_by of {drill.node.path}"
    if not isinstance(sealed_by, datetime) or sealed_by.tzinfo is None:
        raise InvalidInputError(what, value=sealed_by, allowed="a datetime with its offset from UTC")
    if origin.sealed is None:
        raise InvalidInputError(what, value=sealed_by, allowed="none, since the restore takes no sealed exports")
    moment = sealed_by.astimezone(UTC).isoformat().replace("+00:00", "Z")
    cdk.Annotations.of(drill).add_warning_v2(
        "tableguard:drill-leaves-out",
        f"The drills of {drill.node.path} leave out what was sealed after {moment}: nothing newer is proved. Take "
        "sealed_by away when no false export is left in the vault.",
    )
    return moment
