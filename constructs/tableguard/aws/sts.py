"""Every STS action: what it is for, and whether it gives somebody credentials.

STS holds no items. Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and condition
keys for AWS Security Token Service") and the STS API reference; for GetScopedCredentials, which the first does not
carry yet, the API model.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "sts"

_ACCESS, _NOTHING = Effect.CHANGES_ACCESS, Effect.HARMLESS
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    # Credentials of somebody else, or for longer, or in a form that others take.
    *_actions("AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity", Category.POLICY, _ACCESS, on="role"),
    *_actions("AssumeRoot", Category.POLICY, _ACCESS, on="root-user"),
    *_actions("GetDelegatedAccessToken GetScopedCredentials GetServiceBearerToken GetSessionToken GetWebIdentityToken",
              Category.POLICY, _ACCESS),
    *_actions("GetFederationToken", Category.POLICY, _ACCESS, on="federated-user"),
    # What goes with a session: policies go by its context, its source identity and its tags.
    *_actions("SetContext", Category.POLICY, _ACCESS, on="role self-session"),
    *_actions("SetSourceIdentity", Category.POLICY, _ACCESS, on="role"),
    *_actions("TagGetWebIdentityToken", Category.TAGS, _ACCESS),
    *_actions("TagSession", Category.TAGS, _ACCESS, on="role"),
    *_actions("DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity", Category.OTHER, _NOTHING),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of STS by its name without the service prefix."""
