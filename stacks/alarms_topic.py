"""Where the alarms of backups ring."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.findings import skip_checks


class AlarmsTopic(Construct):
    """A topic that alarms of this account publish to. Subscribe whoever is on call: nobody is, so far."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        skip_checks(
            self.topic,
            {"CKV_AWS_26": "A message names a table and an alarm. A key of its own is one more thing to lose it by."},
        )
