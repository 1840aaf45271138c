"""What the export machine reckons with, as JSONata: the windows, the item in the ledger, the client token.

The expressions use the machine's variables: `$table`, `$bucket`, `$vault` (where they are replicated to) and `$target`
(where exports go, with all that a request and the replication say of it), `$table_id`, `$recovery`, `$chain`,
`$pending`, `$revision`. Times are texts, as `$fromMillis` writes them.
"""

from __future__ import annotations

from typing import Final

SHORTEST_MINUTES: Final = 15
"""The shortest window of an incremental export. Source: DynamoDB API reference, IncrementalExportSpecification."""
LONGEST_HOURS: Final = 24
"""The longest one. Source: the same."""
MARGIN_MINUTES: Final = 5
"""How far behind the machine's clock the newest data of a window is. `LatestRestorableDateTime` typically is as far
behind, and is obeyed besides. Source: DynamoDB API reference, PointInTimeRecoveryDescription."""

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE

NOW: Final = "$toMillis($states.context.State.EnteredTime)"
NEXT_REVISION: Final = "$string($number($revision) + 1)"

PREFIX: Final = (
    "($parts := $split($table, ':'); $parts[4] & '/' & $parts[3] & '/' & $substringAfter($parts[5], 'table/'))"
)
"""Where the exports of a table stand in the bucket: account, region, name."""

RECOVERY: Final = (
    "($found := $states.result.ContinuousBackupsDescription.PointInTimeRecoveryDescription;"
    " $found.PointInTimeRecoveryStatus = 'ENABLED'"
    " and $exists($found.EarliestRestorableDateTime) and $exists($found.LatestRestorableDateTime)"
    " ? {'earliest': $toMillis($found.EarliestRestorableDateTime),"
    " 'latest': $toMillis($found.LatestRestorableDateTime)} : null)"
)
"""What point-in-time recovery can restore, in milliseconds; null while it is off."""

LONGER_CHAIN: Final = (
    "{'table_id': $pending.table_id, 'bucket': $pending.bucket, 'vault': $pending.vault, 'covered_to': $pending.to,"
    " 'full_at': $pending.type = 'FULL' ? $pending.to : $chain.full_at, 'last_export': $pending.export}"
)
"""The chain with the pending export at its end."""

_KNOWN_BY: Final = (
    "$substring($hash($join([$table, $id, $target, $type, $from, $to, $attempt], '|'), 'SHA-256'), 0, 32)"
)
# Of everything that the request says: with other parameters DynamoDB refuses a token that it knows. And of the vault:
# what went to the one before is not taken for what goes to this one.
_EXPORT: Final = (
    "$export := function($type, $from, $to, $id, $attempt) {{'type': $type, 'from': $from, 'to': $to, 'table_id': $id,"
    f" 'bucket': $bucket, 'vault': $vault, 'attempt': $attempt, 'token': {_KNOWN_BY}}}}};"
)

ANOTHER_ATTEMPT: Final = (
    f"({_EXPORT} $merge([$export($pending.type, $pending.from, $pending.to, $pending.table_id,"
    " $string($number($pending.attempt) + 1)), {'bucket': $pending.bucket, 'vault': $pending.vault}]))"
)
"""The same window once more, with a token that has not failed yet. It stays a claim for where it was meant to go."""

COVERED_SECONDS_AGO: Final = f"$max([0, $round(({NOW} - $toMillis($chain.covered_to)) / 1000)])"
"""How old the newest data of the chain is."""


def stored(value: str) -> str:
    """An object of texts as an item's attribute holds it.

    Args:
        value: An expression for the object.
    """
    return f"$merge($each({value}, function($text, $name) {{ {{$name: {{'S': $text}}}} }}))"


def read(attribute: str) -> str:
    """An object of texts out of the item that was read; null where it has none.

    Args:
        attribute: The item's attribute.
    """
    held = f"$states.result.Item.{attribute}.M"
    return f"$exists({held}) ? $merge($each({held}, function($value, $name) {{ {{$name: $value.S}} }})) : null"


def plan(*, full_every_minutes: int) -> str:
    """What to do next (`do`), and the export to claim (`pending`) if that is it.

    The newest moment of a window is a whole minute that DynamoDB can restore by its own clock, and that is past by the
    machine's: with either of them ahead nothing is exported that is not there yet.

    Args:
        full_every_minutes: How far the chain may go on from its last full export before another one is due.
    """
    return f"""(
      {_EXPORT}
      $claim := function($type, $from, $to) {{
        {{'do': 'claim', 'pending': $export($type, $from, $to, $table_id, '1')}}
      }};
      $newest := $floor($min([$recovery.latest, {NOW} - {MARGIN_MINUTES * _MINUTE}]) / {_MINUTE}) * {_MINUTE};
      $covered := $exists($chain.covered_to) ? $toMillis($chain.covered_to) : -1;
      $here := function($known) {{
        $known.table_id = $table_id and $known.bucket = $bucket and $known.vault = $vault
      }};
      $unbroken := $here($chain) and $covered >= $recovery.earliest;
      $end := $min([$newest, $covered + {LONGEST_HOURS * _HOUR}]);
      $exists($pending.export) ? {{'do': 'poll'}}
      : $recovery = null ? {{'do': 'off'}}
      : $exists($pending.token) ? (
          $here($pending) and $toMillis($pending.from) >= $recovery.earliest
          ? {{'do': 'start'}} : {{'do': 'forget'}})
      : $not($unbroken) ? (
          $newest >= $recovery.earliest ? $claim('FULL', $fromMillis($newest), $fromMillis($newest)) : {{'do': 'idle'}})
      : $covered - $toMillis($chain.full_at) >= {full_every_minutes * _MINUTE}
      ? $claim('FULL', $chain.covered_to, $chain.covered_to)
      : $end - $covered >= {SHORTEST_MINUTES * _MINUTE}
      ? $claim('INCREMENTAL', $chain.covered_to, $fromMillis($end)) : {{'do': 'idle'}}
    )"""
