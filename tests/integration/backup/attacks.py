"""Every attack on backups, and what comes of it: the tests carry each row out, and docs/backup-attacks.md prints them."""

from __future__ import annotations

from typing import Final

from tests.integration.backup.attack_rows import PAGE, Group, groups, printed

ATTACKS: Final[dict[str, Group]] = groups("""
# On what is sealed, in compliance mode
who | tries | as deployed | the bucket policy lets everybody | nothing is locked, either
root of the data account | deletes a sealed version | ? | ? | ?
the replication role | deletes a sealed version | ? | ? | ?
root of the vault account | deletes a sealed version | ? | ? | ?
the sealing role | deletes a sealed version | ? | ? | ?
the restore reader | deletes a sealed version | ? | ? | ?
root of the data account | deletes it, bypassing governance | ? | ? | ?
root of the vault account | deletes it, bypassing governance | ? | ? | ?
the sealing role | deletes it, bypassing governance | ? | ? | ?
root of the vault account | deletes it among many, bypassing governance | ? | ? | ?
root of the data account | hides it under a delete marker | ? | ? | ?
root of the vault account | hides it under a delete marker | ? | ? | ?
the sealing role | hides it under a delete marker | ? | ? | ?
root of the data account | shortens its retention to a day | ? | ? | ?
the replication role | shortens its retention to a day | ? | ? | ?
root of the vault account | shortens its retention to a day | ? | ? | ?
the sealing role | shortens its retention to a day | ? | ? | ?
the restore reader | shortens its retention to a day | ? | ? | ?
root of the data account | makes it governance for a day, bypassing governance | ? | ? | ?
root of the vault account | makes it governance for a day, bypassing governance | ? | ? | ?
the sealing role | makes it governance for a day, bypassing governance | ? | ? | ?
root of the vault account | extends its retention to a hundred years | ? | ? | ?
the sealing role | extends its retention to a hundred years | ? | ? | ?
root of the vault account | puts a legal hold on it | ? | ? | ?
the sealing role | puts a legal hold on it | ? | ? | ?
root of the data account | writes over it | ? | ? | ?
the replication role | writes over it | ? | ? | ?
root of the vault account | writes over it | ? | ? | ?
the sealing role | writes over it | ? | ? | ?
the sealing role | writes without If-None-Match | ? | ? | ?
the sealing role | writes a file locked for a day | ? | ? | ?
root of the data account | puts an entry into the catalogue | ? | ? | ?
the replication role | puts an entry into the catalogue | ? | ? | ?
root of the vault account | puts an entry into the catalogue | ? | ? | ?
the restore reader | puts an entry into the catalogue | ? | ? | ?
the sealing role | puts an entry into the catalogue | ? | ? | ?
a reader in the data account (Athena) | reads it | ? | ? | ?
root of the data account | reads it | ? | ? | ?
root of the vault account | reads it | ? | ? | ?
the restore reader | reads it | ? | ? | ?
a reader in the data account (Athena) | lists what is sealed | ? | ? | ?
root of the vault account | puts it under a KMS key (UpdateObjectEncryption) | ? | ? | ?
the sealing role | puts it under a KMS key (UpdateObjectEncryption) | ? | ? | ?
root of the data account | makes the default retention governance for a day | ? | ? | ?
root of the vault account | makes the default retention governance for a day | ? | ? | ?
the sealing role | makes the default retention governance for a day | ? | ? | ?
root of the data account | adds a lifecycle that expires all | ? | ? | ?
root of the vault account | adds a lifecycle that expires all | ? | ? | ?
the sealing role | adds a lifecycle that expires all | ? | ? | ?
root of the vault account | replicates it away | ? | ? | ?
root of the data account | replaces the bucket policy | ? | ? | ?
the sealing role | replaces the bucket policy | ? | ? | ?
the sealing role | deletes the bucket policy | ? | ? | ?
root of the data account | suspends versioning | ? | ? | ?
root of the vault account | suspends versioning | ? | ? | ?
the sealing role | suspends versioning | ? | ? | ?
a deployment of the vault | suspends versioning | ? | ? | ?
a deployment of the vault | shortens its retention to a day | ? | ? | ?
a deployment of the vault | deletes a sealed version | ? | ? | ?
# On what is sealed, in governance mode
who | tries | as deployed | the bucket policy lets everybody
root of the data account | deletes a sealed version | ? | ?
the replication role | deletes a sealed version | ? | ?
the restore reader | deletes a sealed version | ? | ?
root of the vault account | deletes a sealed version | ? | ?
the sealing role | deletes a sealed version | ? | ?
a deployment of the vault | deletes a sealed version | ? | ?
the break-glass role | deletes a sealed version | ? | ?
root of the data account | deletes it, bypassing governance | ? | ?
the replication role | deletes it, bypassing governance | ? | ?
the restore reader | deletes it, bypassing governance | ? | ?
root of the vault account | deletes it, bypassing governance | ? | ?
the sealing role | deletes it, bypassing governance | ? | ?
a deployment of the vault | deletes it, bypassing governance | ? | ?
the break-glass role | deletes it, bypassing governance | ? | ?
root of the data account | makes it governance for a day, bypassing governance | ? | ?
the replication role | makes it governance for a day, bypassing governance | ? | ?
the restore reader | makes it governance for a day, bypassing governance | ? | ?
root of the vault account | makes it governance for a day, bypassing governance | ? | ?
the sealing role | makes it governance for a day, bypassing governance | ? | ?
a deployment of the vault | makes it governance for a day, bypassing governance | ? | ?
the break-glass role | makes it governance for a day, bypassing governance | ? | ?
# With VaultGuardrail on the vault account
who | tries | as deployed, and guarded | not guarded
root of the vault account | replaces the bucket policy | ? | ?
root of the vault account | deletes the bucket policy | ? | ?
root of the vault account | adds a lifecycle that expires all | ? | ?
root of the vault account | suspends versioning | ? | ?
root of the vault account | replicates it away | ? | ?
root of the vault account | stops the events | ? | ?
root of the vault account | puts it under a KMS key (UpdateObjectEncryption) | ? | ?
root of the vault account | deletes a sealed version | ? | ?
root of the vault account | shortens its retention to a day | ? | ?
the sealing role | replaces the bucket policy | ? | ?
the sealing role | deletes the bucket policy | ? | ?
the sealing role | adds a lifecycle that expires all | ? | ?
the sealing role | suspends versioning | ? | ?
the sealing role | replicates it away | ? | ?
the sealing role | stops the events | ? | ?
the sealing role | puts it under a KMS key (UpdateObjectEncryption) | ? | ?
the sealing role | deletes a sealed version | ? | ?
the sealing role | shortens its retention to a day | ? | ?
a deployment of the vault | replaces the bucket policy | ? | ?
a deployment of the vault | deletes the bucket policy | ? | ?
a deployment of the vault | adds a lifecycle that expires all | ? | ?
a deployment of the vault | suspends versioning | ? | ?
a deployment of the vault | replicates it away | ? | ?
a deployment of the vault | stops the events | ? | ?
a deployment of the vault | puts it under a KMS key (UpdateObjectEncryption) | ? | ?
a deployment of the vault | deletes a sealed version | ? | ?
a deployment of the vault | shortens its retention to a day | ? | ?
""")  # noqa: E501 - one row, one line

if __name__ == "__main__":
    PAGE.write_text(printed(ATTACKS), encoding="utf-8")
