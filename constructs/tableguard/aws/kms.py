"""Every KMS action: what it is for, what it can do to clear text and to keys, which resource it goes to.

"Items" are clear text. Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and
condition keys for AWS Key Management Service") and the KMS developer guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "kms"

_REVEALS, _MOVES, _COPIES = Effect.REVEALS_ITEMS, Effect.MOVES_ITEMS_OUT, Effect.MAKES_COPY
_ACCESS, _PROTECTION, _NOTHING = Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, Effect.HARMLESS
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    # Clear text, or a secret that decrypts what others encrypted.
    *_actions("Decapsulate Decrypt DeriveSharedSecret", Category.READ, _REVEALS, on="key"),
    # Puts what a key protects under another key, which the caller names.
    *_actions("ReEncryptFrom", Category.READ, _MOVES, on="key"),
    # Cipher text from clear text that the caller has, and keys that are new: neither tells of what is there.
    *_actions("Encapsulate Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext "
              "GenerateDataKeyWithoutPlaintext ReEncryptTo",
              Category.WRITE, _NOTHING, on="key"),
    # Signatures and codes protect no item from being read.
    *_actions("GenerateMac GetPublicKey Sign Verify VerifyMac", Category.OTHER, _NOTHING, on="key"),
    *_actions("GenerateRandom", Category.OTHER, _NOTHING),
    # A key policy can lock its own account out, and everything that is encrypted with the key with it.
    *_actions("PutKeyPolicy", Category.POLICY, _ACCESS, _PROTECTION, on="key"),
    # A grant lets somebody use a key; services ask for one as whoever makes their resource.
    *_actions("CreateGrant", Category.POLICY, _ACCESS, on="key"),
    # Without its grant a service can no longer use the key. RetireGrant is for those whom the grant itself names:
    # policies alone do not decide. Source: KMS developer guide, "Retiring and revoking grants".
    *_actions("RevokeGrant", Category.POLICY, _ACCESS, _PROTECTION, on="key"),
    *_actions("RetireGrant", Category.POLICY, _ACCESS, on="key"),
    # Without its key, what is encrypted is lost. UpdatePrimaryRegion changes which key the others depend on.
    *_actions("DeleteImportedKeyMaterial ScheduleKeyDeletion", Category.DELETE, _PROTECTION, on="key"),
    *_actions("DisableKey UpdatePrimaryRegion", Category.SETTINGS, _PROTECTION, on="key"),
    # Ways back. Imported material may be given an end, by whoever has that very material.
    *_actions("CancelKeyDeletion", Category.RESTORE, _NOTHING, on="key"),
    *_actions("ConnectCustomKeyStore", Category.RESTORE, _NOTHING),
    *_actions("EnableKey", Category.RESTORE, _ACCESS, on="key"),
    *_actions("ImportKeyMaterial", Category.RESTORE, _PROTECTION, on="key"),
    # The same key material in another region, under a policy of its own.
    *_actions("ReplicateKey SynchronizeMultiRegionKey", Category.REPLICATE, _COPIES, on="key"),
    # An old key material stays with its key, so rotation loses nothing, and leaving it off does not either.
    *_actions("DisableKeyRotation EnableKeyRotation RotateKeyOnDemand UpdateKeyDescription",
              Category.SETTINGS, _NOTHING, on="key"),
    # Policies may go by aliases (kms:ResourceAliases), and what names an alias uses the key behind it.
    *_actions("CreateAlias DeleteAlias UpdateAlias", Category.SETTINGS, _ACCESS, on="alias key", on_all=True),
    # Policies may go by tags.
    *_actions("TagResource UntagResource", Category.TAGS, _ACCESS, on="key"),
    *_actions("ListResourceTags", Category.TAGS, _NOTHING, on="key"),
    # The store that a key is kept in.
    *_actions("DeleteCustomKeyStore", Category.DELETE, _PROTECTION),
    *_actions("DisconnectCustomKeyStore UpdateCustomKeyStore", Category.SETTINGS, _PROTECTION),
    *_actions("DescribeKey GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus GetParametersForImport "
              "ListGrants ListKeyPolicies ListKeyRotations",
              Category.SETTINGS, _NOTHING, on="key"),
    *_actions("CreateCustomKeyStore CreateKey DescribeCustomKeyStores ListAliases ListKeys "
              "ListRetirableGrants",
              Category.OTHER, _NOTHING),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of KMS by its name without the service prefix."""
