"""Every attack on backups, and what comes of it: the tests carry it out, docs/backup-attacks.md prints it."""

from __future__ import annotations

from typing import Final

from tests.integration.backup.attack_rows import PAGE, Group, groups, printed

ATTACKS: Final[dict[str, Group]] = groups("""
# On what is sealed, in compliance mode
who | tries | as deployed | the bucket policy lets everybody | nothing is locked, either
root of the data account | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
the replication role | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
root of the vault account | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
the sealing role | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
the restore reader | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
root of the data account | deletes it, bypassing governance | bucket policy: NobodyDeletes | S3 AccessDenied | works
root of the vault account | deletes it, bypassing governance | bucket policy: NobodyDeletes | S3 AccessDenied | works
the sealing role | deletes it, bypassing governance | bucket policy: NobodyDeletes | S3 AccessDenied | works
root of the vault account | deletes it among many, bypassing governance | bucket policy: NobodyDeletes | S3 AccessDenied | works
root of the data account | hides it under a delete marker | bucket policy: NobodyDeletes | works | works
root of the vault account | hides it under a delete marker | bucket policy: NobodyDeletes | works | works
the sealing role | hides it under a delete marker | bucket policy: NobodyDeletes | works | works
root of the data account | shortens its retention to a day | bucket policy: OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
the replication role | shortens its retention to a day | bucket policy: OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
root of the vault account | shortens its retention to a day | bucket policy: OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
the sealing role | shortens its retention to a day | bucket policy: RetainNoShorter | S3 AccessDenied | works
the restore reader | shortens its retention to a day | bucket policy: OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
root of the data account | makes it governance for a day, bypassing governance | bucket policy: OnlyOwnMode OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
root of the vault account | makes it governance for a day, bypassing governance | bucket policy: OnlyOwnMode OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
the sealing role | makes it governance for a day, bypassing governance | bucket policy: OnlyOwnMode RetainNoShorter | S3 AccessDenied | works
root of the vault account | extends its retention to a hundred years | bucket policy: OnlyWritersRetain RetainNoLonger | works | works
the sealing role | extends its retention to a hundred years | bucket policy: RetainNoLonger | works | works
root of the vault account | puts a legal hold on it | bucket policy: NobodyHolds | works | works
the sealing role | puts a legal hold on it | bucket policy: NobodyHolds | works | works
root of the data account | writes over it | bucket policy: OnlyWritersWrite WriteOnce | works | works
the replication role | writes over it | bucket policy: OnlyWritersWrite WriteOnce | works | works
root of the vault account | writes over it | bucket policy: OnlyWritersWrite WriteOnce | works | works
the sealing role | writes over it | bucket policy: WriteOnce | works | works
the sealing role | writes without If-None-Match | bucket policy: WriteOnce | works | works
the sealing role | writes a file locked for a day | bucket policy: RetainNoShorterWritten | works | works
root of the data account | puts an entry into the catalogue | bucket policy: OnlyWritersWrite | works | works
the replication role | puts an entry into the catalogue | bucket policy: OnlyWritersWrite | works | works
root of the vault account | puts an entry into the catalogue | bucket policy: OnlyWritersWrite | works | works
the restore reader | puts an entry into the catalogue | bucket policy: OnlyWritersWrite | works | works
the sealing role | puts an entry into the catalogue | works | works | works
a reader in the data account (Athena) | reads it | bucket policy: OnlyReadersRead | works | works
root of the data account | reads it | bucket policy: OnlyReadersRead | works | works
root of the vault account | reads it | bucket policy: OnlyReadersRead | works | works
the restore reader | reads it | works | works | works
a reader in the data account (Athena) | lists what is sealed | bucket policy: OnlyReadersList | works | works
root of the vault account | puts it under a KMS key (UpdateObjectEncryption) | bucket policy: NoOtherKeyLater | S3 NotImplemented | S3 NotImplemented
the sealing role | puts it under a KMS key (UpdateObjectEncryption) | bucket policy: NoOtherKeyLater | S3 NotImplemented | S3 NotImplemented
root of the data account | makes the default retention governance for a day | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the vault account | makes the default retention governance for a day | bucket policy: OnlyDeploymentsChangeSettings | works | works
the sealing role | makes the default retention governance for a day | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the data account | adds a lifecycle that expires all | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the vault account | adds a lifecycle that expires all | bucket policy: OnlyDeploymentsChangeSettings | works | works
the sealing role | adds a lifecycle that expires all | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the vault account | replicates it away | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the data account | replaces the bucket policy | bucket policy: OnlyDeploymentsChangeSettings | S3's rule: nothing allows it | S3's rule: nothing allows it
the sealing role | replaces the bucket policy | bucket policy: OnlyDeploymentsChangeSettings | works | works
the sealing role | deletes the bucket policy | bucket policy: OnlyDeploymentsChangeSettings | works | works
root of the data account | suspends versioning | bucket policy: OnlyDeploymentsChangeSettings | S3 InvalidBucketState | works
root of the vault account | suspends versioning | bucket policy: OnlyDeploymentsChangeSettings | S3 InvalidBucketState | works
the sealing role | suspends versioning | bucket policy: OnlyDeploymentsChangeSettings | S3 InvalidBucketState | works
a deployment of the vault | suspends versioning | S3 InvalidBucketState | S3 InvalidBucketState | works
a deployment of the vault | shortens its retention to a day | bucket policy: OnlyWritersRetain RetainNoShorter | S3 AccessDenied | works
a deployment of the vault | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied | works
# On what is sealed, in governance mode
who | tries | as deployed | the bucket policy lets everybody
root of the data account | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
the replication role | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
the restore reader | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
root of the vault account | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
the sealing role | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
a deployment of the vault | deletes a sealed version | bucket policy: NobodyDeletes | S3 AccessDenied
the break-glass role | deletes a sealed version | S3 AccessDenied | S3 AccessDenied
root of the data account | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
the replication role | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
the restore reader | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
root of the vault account | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
the sealing role | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
a deployment of the vault | deletes it, bypassing governance | bucket policy: NobodyDeletes | works
the break-glass role | deletes it, bypassing governance | works | works
root of the data account | makes it governance for a day, bypassing governance | bucket policy: OnlyWritersRetain RetainNoShorter | works
the replication role | makes it governance for a day, bypassing governance | bucket policy: OnlyWritersRetain RetainNoShorter | works
the restore reader | makes it governance for a day, bypassing governance | bucket policy: OnlyWritersRetain RetainNoShorter | works
root of the vault account | makes it governance for a day, bypassing governance | bucket policy: OnlyWritersRetain RetainNoShorter | works
the sealing role | makes it governance for a day, bypassing governance | bucket policy: RetainNoShorter | works
a deployment of the vault | makes it governance for a day, bypassing governance | bucket policy: OnlyWritersRetain RetainNoShorter | works
the break-glass role | makes it governance for a day, bypassing governance | works | works
# With VaultGuardrail on the vault account
who | tries | as deployed, and guarded | not guarded
root of the vault account | replaces the bucket policy | SCP: VaultBuckets | works
root of the vault account | deletes the bucket policy | SCP: VaultBuckets | works
root of the vault account | adds a lifecycle that expires all | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
root of the vault account | suspends versioning | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
root of the vault account | replicates it away | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
root of the vault account | stops the events | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
root of the vault account | puts it under a KMS key (UpdateObjectEncryption) | bucket policy, SCP: NoOtherKeyLater VaultBuckets | bucket policy: NoOtherKeyLater
root of the vault account | deletes a sealed version | bucket policy, SCP: NobodyDeletes VaultLocks | bucket policy: NobodyDeletes
root of the vault account | shortens its retention to a day | bucket policy, SCP: OnlyWritersRetain RetainNoShorter VaultRetentions | bucket policy: OnlyWritersRetain RetainNoShorter
the sealing role | replaces the bucket policy | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | deletes the bucket policy | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | adds a lifecycle that expires all | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | suspends versioning | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | replicates it away | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | stops the events | bucket policy, SCP: OnlyDeploymentsChangeSettings VaultBuckets | bucket policy: OnlyDeploymentsChangeSettings
the sealing role | puts it under a KMS key (UpdateObjectEncryption) | bucket policy, SCP: NoOtherKeyLater VaultBuckets | bucket policy: NoOtherKeyLater
the sealing role | deletes a sealed version | bucket policy, SCP: NobodyDeletes VaultLocks | bucket policy: NobodyDeletes
the sealing role | shortens its retention to a day | bucket policy: RetainNoShorter | bucket policy: RetainNoShorter
a deployment of the vault | replaces the bucket policy | works | works
a deployment of the vault | deletes the bucket policy | works | works
a deployment of the vault | adds a lifecycle that expires all | works | works
a deployment of the vault | suspends versioning | S3 InvalidBucketState | S3 InvalidBucketState
a deployment of the vault | replicates it away | works | works
a deployment of the vault | stops the events | works | works
a deployment of the vault | puts it under a KMS key (UpdateObjectEncryption) | bucket policy: NoOtherKeyLater | bucket policy: NoOtherKeyLater
a deployment of the vault | deletes a sealed version | bucket policy, SCP: NobodyDeletes VaultLocks | bucket policy: NobodyDeletes
a deployment of the vault | shortens its retention to a day | bucket policy, SCP: OnlyWritersRetain RetainNoShorter VaultRetentions | bucket policy: OnlyWritersRetain RetainNoShorter
# From a source that is taken over
tries | what comes of it | without what refuses it
overwrites every file of a sealed export | sealing SUCCEEDED, nothing changes | works on the latest version in the intake
overwrites the files of an export before it is sealed | sealed, as the manifest says | works on the latest version in the intake
hides the files under delete markers | nothing: no markers are replicated | works
hides them, with delete markers replicated | bucket policy: NoPutsAndNoDeletes | works
locks what it sends for a day | sealed for 35 days | works with one stage: locked for 1 days
locks what it sends for a hundred years | sealed for 35 days | works with one stage: locked for 36500 days
sends an export that is dated before it | no restore believes it: BrokenChain, or what was sealed before, if sealed_by says so | works if sealed_by says that it is to be trusted
sends an export under a key of its own (SSE-C) | bucket policy: NoCustomerKeys | works
sends an export below another account's prefix | bucket policy: nothing allows it | works
deletes what has arrived in the intake | bucket policy: NoPutsAndNoDeletes | works
sends the manifest of another table | sealing Rejected | works
names a data file of another table | sealing Rejected | works
names a data file by a path that climbs | sealing Rejected | works
names a data file of another export | sealing Rejected | works
sends a line that is a decompression bomb | sealing Rejected | works
sends more exports than its quota | sealing QuotaExceeded; another source's is sealed | works with a larger quota
empties the table, and lets it be exported | the drill fails: Shrunk | works on a first drill
""")  # noqa: E501 - one row, one line

if __name__ == "__main__":
    PAGE.write_text(printed(ATTACKS), encoding="utf-8")
