"""Rules that fail a synth: a validation plugin of the CDK around `tableguard.review`.

What the CDK makes of a plugin, observed with aws-cdk-lib 2.275 and 2.262, and what follows from it here:

- `cdk synth` lets an exception in a plugin, and a report without a violation, pass in silence. So whatever goes wrong
  becomes a violation.
- Any developer can acknowledge a violation away, `Validations.of(app).acknowledge(…)` for the whole app at once, unless
  its severity is "fatal". So it is, except for the rules that `acknowledgeable` names; of those, only a single finding
  can be acknowledged, since its id ends in a digest of what was found: "Tableguard::every-grant-ends[1a2b3c4d]".
- A violation that names no resource is not shown, and if there is no other, the synth passes. So each names one, if
  only the app.
- Acknowledging one violation makes the CDK count all others of the plugin by their severity, and one without a
  severity as none. So each has one.
- The list of templates that a plugin is given leaves nested stacks out, and 2.262 calls it once for each environment.
  The manifest and every template are on disk by then, so the whole assembly is read from there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import aws_cdk as cdk
import jsii

from tableguard.policy import InvalidInputError
from tableguard.review.acknowledgements import PLUGIN
from tableguard.review.assembly import SynthesizedStack, UnusableAssemblyError, read_assembly
from tableguard.review.collect import collect
from tableguard.review.rules import MOST_REQUESTS, Failure, Results, Rule, check
from tableguard.review.sentences import Shelf
from tableguard.tables.clock import today as today_of

_FAILED: Final = "could-not-check"
_SHOWN: Final = 5
_NOWHERE: Final = cdk.PolicyViolatingResource(construct_path="", locations=[])


@jsii.implements(cdk.IPolicyValidationPlugin)
class TableguardRules:
    """Fails the synth of an app in which one of its rules does not hold.

    cdk.Validations.of(app).add_plugins(tg.TableguardRules([tg.OnlyAccounts(accounts=["111122223333"])]))

    The rules are tried on every stack of the app, those of its stages and nested stacks included.

    Args:
        rules: The rules.
        acknowledgeable: Ids of the rules whose findings a developer may acknowledge, one by one, with
            `cdk.Validations.of(construct).acknowledge(…)`. None when left out: acknowledging has no effect then.
        today: The day that grants are compared with. When left out, what the context `tableguard:today` says, or
            today's date in UTC.
        most_requests: How many requests to try at most; a rule that would take more fails.

    Raises:
        InvalidInputError: No rule, an id twice, or one in `acknowledgeable` that no rule has.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        acknowledgeable: Iterable[str] = (),
        today: dt.date | None = None,
        most_requests: int = MOST_REQUESTS,
    ) -> None:
        self._rules = tuple(rules)
        self._acknowledgeable = frozenset(acknowledgeable)
        self._today = today
        self._most_requests = most_requests
        self._results: Results | None = None
        self._reported: tuple[str, int] | None = None
        ids = [rule.id for rule in self._rules]
        if not ids or len(ids) != len(set(ids)):
            raise InvalidInputError(
                "the rules of TableguardRules", value=ids, allowed="at least one rule, with an id for each"
            )
        if not self._acknowledgeable <= set(ids):
            raise InvalidInputError(
                "`acknowledgeable` of TableguardRules",
                value=min(self._acknowledgeable - set(ids)),
                allowed=f"ids of its rules: {', '.join(ids)}",
            )

    @property
    def results(self) -> Results | None:
        """What came of the rules at the last synth; None before, and when they could not be checked."""
        return self._results

    @property
    def name(self) -> str:
        """The plugin's name: "Tableguard"."""
        return PLUGIN

    @property
    def version(self) -> str | None:
        """The plugin's version: not told, so that an upgrade of tableguard changes no template."""
        return None

    @property
    def rule_ids(self) -> list[str]:
        """The ids of its rules."""
        return [rule.id for rule in self._rules]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Try the rules on what was synthesized. The CDK calls this.

        Args:
            context: What the CDK tells a plugin.
        """
        try:
            return self._report(context)
        except Exception as error:  # noqa: BLE001 - `cdk synth` would take no notice of it
            self._results = None
            what = f"The rules could not be checked: {type(error).__name__}: {error}"
            violation = cdk.PolicyViolation(
                rule_name=_FAILED, description=what, severity="fatal", violating_resources=[_NOWHERE]
            )
            return cdk.PolicyValidationPluginReport(success=False, violations=[violation])

    def _report(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        folder = Path(_outdir(context))
        manifest = (str(folder), (folder / "manifest.json").stat().st_mtime_ns)
        if manifest == self._reported:
            # The call for another environment of the same synth: the first one has reported everything.
            return cdk.PolicyValidationPluginReport(success=True, violations=[])
        stacks = read_assembly(folder)
        _check_complete(stacks, context.template_paths)
        today = self._today or today_of(context.app_construct)
        results = check(collect(stacks), self._rules, today, most_requests=self._most_requests)
        files = {stack.name: str(stack.file) for stack in stacks}
        violations = [self._violation(failure, results, files) for failure in results.failures]
        report = cdk.PolicyValidationPluginReport(
            success=not violations, violations=violations, metadata={"summary": results.summary}
        )
        self._results, self._reported = results, manifest
        return report

    def _violation(self, failure: Failure, results: Results, files: Mapping[str, str]) -> cdk.PolicyViolation:
        rule = failure.rule
        acknowledgeable = rule.id in self._acknowledgeable
        return cdk.PolicyViolation(
            rule_name=f"{rule.id}[{_digest(failure)}]" if acknowledgeable else rule.id,
            description=_described(failure, results),
            severity="error" if acknowledgeable else "fatal",
            violating_resources=[_violating(failure, files)],
        )


def _outdir(context: cdk.IPolicyValidationContext) -> str:
    app = context.app_construct
    if not isinstance(app, cdk.Stage):
        raise UnusableAssemblyError("the root of the construct tree is no app.")
    return app.outdir


def _check_complete(stacks: Iterable[SynthesizedStack], templates: Iterable[str]) -> None:
    read = {stack.file.resolve() for stack in stacks if stack.file is not None}
    for template in templates:
        if Path(template).resolve() not in read:
            raise UnusableAssemblyError(f"{template} is not in the assembly's manifest, so it was not read.")


def _described(failure: Failure, results: Results) -> str:
    rule = failure.rule
    lines = f"{rule.description}\n{failure.what}".split("\n")
    if failure.question is not None:
        lines.append(f"{failure.requests:,} of {results.tried[rule.id]:,} requests tried were decided so")
    for what, others in (("principals", failure.principals), ("actions", failure.actions)):
        if len(others) > 1:
            more = f", and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            lines.append(f"{what}: {', '.join(others[:_SHOWN])}{more}")
    return "\n   ".join(lines)


def _violating(failure: Failure, files: Mapping[str, str]) -> cdk.PolicyViolatingResource:
    place = failure.place
    if place is None or place.stack is None:
        return _NOWHERE
    if place.logical_id is None:
        return cdk.PolicyViolatingResource(construct_path=place.stack, locations=[])
    within = (place.path or "").removeprefix(f"Resources/{place.logical_id}").strip("/")
    return cdk.PolicyViolatingResource(
        resource_logical_id=place.logical_id,
        template_path=files.get(place.stack),
        locations=[within.replace("/", ".")] if within else [],
    )


def _digest(failure: Failure) -> str:
    """What tells a finding from others of its rule: who may do what, and what the policies say. Not today's date.

    A statement that grants more than the one that was acknowledged is another finding, and so is one behind a Deny, a
    boundary or an organization's policy that says something else than when it was acknowledged.
    """
    parts = [failure.rule.description, *failure.principals, *failure.actions, *failure.rests_on]
    if failure.question is None or failure.verdict is None:
        parts.append(failure.what)
    else:
        parts.append(failure.question.table.arn)
        verdict, shelf = failure.verdict, Shelf()
        for reason in verdict.because:
            at = reason.place
            parts += [reason.layer.value, reason.sid or "", f"{at.stack} {at.path}" if at else ""]
            sentences = (shelf.deciding(reason, each) for each in (verdict.policies, verdict.key_policies) if each)
            parts += [json.dumps(each.source, sort_keys=True, default=str) for each in sentences if each]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
