"""What can be wrong with a backup. The state machines match on the names of these classes."""

from __future__ import annotations


class BackupError(Exception):
    """The base of every error that the functions raise on purpose; the message says what is missing or wrong."""


class NotYetComplete(BackupError):  # noqa: N818 - a state machine matches on the name
    """Something of the export has not arrived yet: try again later."""


class Rejected(BackupError):  # noqa: N818
    """The export is not what its manifest says, or not what may be sealed. Trying again changes nothing."""


class QuotaExceeded(BackupError):  # noqa: N818
    """The source account has sent more exports, or more bytes, in 24 hours than the vault takes."""


class Unfinished(BackupError):  # noqa: N818
    """The time of this invocation is up and what was reached is stored: the next one goes on from there."""


class NoBackup(BackupError):  # noqa: N818
    """There is no sealed full export of the table at or before the moment."""


class BrokenChain(BackupError):  # noqa: N818
    """The sealed exports do not join up to the moment: the message says which window is missing."""


class Damaged(BackupError):  # noqa: N818
    """A sealed object is not there, or is not what was sealed."""


class Throttled(BackupError):  # noqa: N818
    """The table took no write during a whole invocation."""


class NotAllowed(BackupError):  # noqa: N818
    """DynamoDB does not let the function: what a table was just tagged with is not known everywhere at once."""


class Different(BackupError):  # noqa: N818
    """The restored table does not hold what the sealed exports say."""


class Shrunk(BackupError):  # noqa: N818
    """The restored table is smaller than the one before by more than was allowed."""


class Stale(BackupError):  # noqa: N818
    """The backup ends too long before the drill: exports, their replication or their sealing have stopped."""


class CanaryMissing(BackupError):  # noqa: N818
    """The item that is written independently of the backups did not come back, or came back too old or too new."""
