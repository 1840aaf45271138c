"""The condition keys that this library writes or reads, and all of DynamoDB's.

Sources, as of 2026-11-30: IAM user guide, "AWS global condition context keys" (what a key is about, whether it is
multivalued, when it is present), and the service authorization reference for the keys of services: which of their
actions carry one. That reference names no action for the values of the further attributes of a partition key; the
DynamoDB developer guide has them go with LeadingKeys.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from tableguard.aws import dynamodb, kms, s3
from tableguard.aws.actions import ServiceAction


class KeyType(enum.Enum):
    """What the values of a key are, as the service authorization reference calls it."""

    STRING = "String"
    BOOL = "Bool"
    NUMERIC = "Numeric"
    DATE = "Date"
    ARN = "ARN"
    IP_ADDRESS = "IPAddress"


class About(enum.Enum):
    """What a key tells of."""

    CALLER = "who asks"
    SESSION = "how the caller's credentials came about"
    NETWORK = "the network that the request came from; lost when a service goes on for the caller"
    ROUTE = "the services between the caller and the resource"
    RESOURCE = "what it is about, and whose that is"
    MOMENT = "when it is made"
    REQUEST = "what is asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionKey:
    """One condition key.

    Args:
        name: Its name, as AWS spells it, though IAM does not tell cases apart. After a final "/" or ":" comes a name.
        type: What its values are.
        about: What it tells of.
        multivalued: Whether a request can carry several values, so that conditions need ForAllValues or ForAnyValue.
        always: Whether every request carries it that has what it is about: a signed one, one for a resource.
        actions: The actions that carry it, with their service prefix; empty for a key of all services.
    """

    name: str
    type: KeyType
    about: About
    multivalued: bool = False
    always: bool = False
    actions: frozenset[str] = frozenset()

    @property
    def low(self) -> str:
        """Its name in lower case."""
        return self.name.lower()


def _global(
    names: str, type_: KeyType, about: About, *, multivalued: bool = False, always: bool = False
) -> Iterable[ConditionKey]:
    return (
        ConditionKey(name=f"aws:{name}", type=type_, about=about, multivalued=multivalued, always=always)
        for name in names.split()
    )


def _of(
    service: str, names: str, type_: KeyType, actions: str | Iterable[str], *, multivalued: bool = False,
    about: About = About.REQUEST, always: bool = False,
) -> Iterable[ConditionKey]:  # fmt: skip
    listed = actions.split() if isinstance(actions, str) else actions
    qualified = frozenset(f"{service}:{action}" for action in listed)
    return (
        ConditionKey(
            name=f"{service}:{name}", type=type_, about=about, multivalued=multivalued, always=always, actions=qualified
        )
        for name in names.split()
    )


def _but(table: Mapping[str, ServiceAction], names: str) -> Iterable[str]:
    return (name for name in table if name not in names.split())


_STRING, _BOOL, _NUMERIC, _ARN = KeyType.STRING, KeyType.BOOL, KeyType.NUMERIC, KeyType.ARN
_BY_KEY: Final = tuple(name for name, action in dynamodb.ACTIONS.items() if action.by_key)
_BY_ATTRIBUTE: Final = tuple(name for name, action in dynamodb.ACTIONS.items() if action.by_attribute)
_ENCRYPTING: Final = (
    "CreateGrant Decrypt Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext "
    "GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo RetireGrant"
)
_ASSUMING: Final = "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity"

_ALL: Final = (
    # The caller. Services and anonymous callers have no ARN; only members of an organization have one of its paths.
    *_global("PrincipalArn", _ARN, About.CALLER, always=True),
    *_global("PrincipalAccount PrincipalType userid", _STRING, About.CALLER, always=True),
    *_global("PrincipalIsAWSService", _BOOL, About.CALLER, always=True),
    *_global("PrincipalOrgID PrincipalServiceName username", _STRING, About.CALLER),
    *_global("PrincipalOrgPaths PrincipalServiceNamesList", _STRING, About.CALLER, multivalued=True),
    *_global("PrincipalTag/", _STRING, About.CALLER),
    # The session. No MFA key in that of an identity provider, nor with a long-term access key.
    *_global("FederatedProvider SourceIdentity", _STRING, About.SESSION),
    *_global("MultiFactorAuthPresent", _BOOL, About.SESSION),
    *_global("MultiFactorAuthAge", _NUMERIC, About.SESSION),
    *_global("TokenIssueTime", KeyType.DATE, About.SESSION),
    # Where the credentials of a machine were given out; no network that a request comes from.
    *_global("Ec2InstanceSourceVpc", _STRING, About.SESSION),
    # The network. A request through a VPC endpoint has the endpoint's keys, any other an address.
    *_global("SourceIp VpcSourceIp", KeyType.IP_ADDRESS, About.NETWORK),
    *_global("SourceVpc SourceVpce VpceAccount VpceOrgID", _STRING, About.NETWORK),
    *_global("SourceVpcArn", _ARN, About.NETWORK),
    *_global("VpceOrgPaths", _STRING, About.NETWORK, multivalued=True),
    # The services between.
    *_global("ViaAWSService", _BOOL, About.ROUTE, always=True),
    *_global("CalledVia", _STRING, About.ROUTE, multivalued=True),
    *_global("CalledViaFirst CalledViaLast", _STRING, About.ROUTE),
    *_global("SourceArn", _ARN, About.ROUTE),
    *_global("SourceAccount SourceOrgID", _STRING, About.ROUTE),
    *_global("SourceOrgPaths", _STRING, About.ROUTE, multivalued=True),
    # The resource. Only resources of an organization's member have its keys.
    *_global("ResourceAccount", _STRING, About.RESOURCE, always=True),
    *_global("ResourceOrgID", _STRING, About.RESOURCE),
    *_global("ResourceOrgPaths", _STRING, About.RESOURCE, multivalued=True),
    *_global("ResourceTag/", _STRING, About.RESOURCE),
    *_global("CurrentTime EpochTime", KeyType.DATE, About.MOMENT, always=True),
    *_global("RequestedRegion", _STRING, About.REQUEST, always=True),
    *_global("SecureTransport", _BOOL, About.REQUEST, always=True),
    *_global("RequestTag/", _STRING, About.REQUEST),
    *_global("TagKeys", _STRING, About.REQUEST, multivalued=True),
    # DynamoDB.
    *_of("dynamodb", "LeadingKeys", _STRING, _BY_KEY, multivalued=True),
    *_of("dynamodb", "FirstPartitionKeyValues SecondPartitionKeyValues ThirdPartitionKeyValues "
         "FourthPartitionKeyValues", _STRING, _BY_KEY, multivalued=True),
    *_of("dynamodb", "Attributes", _STRING, _BY_ATTRIBUTE, multivalued=True),
    *_of("dynamodb", "Select", _STRING, "BatchGetItem GetItem PartiQLSelect Query Scan"),
    *_of("dynamodb", "ReturnValues", _STRING,
         "ConditionCheckItem DeleteItem PartiQLDelete PartiQLUpdate PutItem Query Scan UpdateItem"),
    *_of("dynamodb", "ReturnConsumedCapacity", _STRING,
         "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem GetItem PutItem Query Scan UpdateItem"),
    *_of("dynamodb", "EnclosingOperation", _STRING,
         "DeleteItem GetItem PartiQLDelete PartiQLInsert PartiQLSelect PartiQLUpdate PutItem UpdateItem"),
    *_of("dynamodb", "FullTableScan", _BOOL, "PartiQLSelect"),
    *_of("dynamodb", "FisActionId", _STRING, "InjectError"),
    *_of("dynamodb", "FisTargetArns", _ARN, "InjectError", multivalued=True),
    # S3. An upload without the keys of a lock gets the bucket's own; a replica has the source's, and no key tells its
    # retention.
    *_of("s3", "TlsVersion", _NUMERIC, always=True, actions=_but(
        s3.ACTIONS, "AllowVendedLogDeliveryForResource InitiateReplication PutAccessPointPublicAccessBlock")),
    *_of("s3", "x-amz-server-side-encryption", _STRING,
         "BypassGovernanceRetention PutObject ReplicateObject UpdateObjectEncryption"),
    *_of("s3", "x-amz-server-side-encryption-aws-kms-key-id", _ARN,
         "BypassGovernanceRetention PutObject ReplicateObject UpdateObjectEncryption"),
    *_of("s3", "x-amz-server-side-encryption-customer-algorithm", _STRING,
         "BypassGovernanceRetention PutObject ReplicateObject"),
    *_of("s3", "object-lock-mode", _STRING, "PutObject PutObjectRetention"),
    *_of("s3", "object-lock-remaining-retention-days", _NUMERIC, "PutObject PutObjectRetention"),
    *_of("s3", "object-lock-legal-hold", _STRING, "PutObject PutObjectLegalHold"),
    *_of("s3", "object-lock-event-hold", _STRING, "PutObject PutObjectRetention ReplicateObject"),
    *_of("s3", "object-lock-event-hold-duration-days", _NUMERIC, "PutObject PutObjectRetention ReplicateObject"),
    *_of("s3", "if-none-match", _STRING, "PutObject"),
    *_of("s3", "ObjectCreationOperation", _BOOL, "PutObject"),
    *_of("s3", "prefix", _STRING, "ListBucket ListBucketVersions"),
    # KMS.
    *_of("kms", "ViaService", _STRING, about=About.ROUTE, actions=_but(
        kms.ACTIONS, "ConnectCustomKeyStore CreateCustomKeyStore DeleteCustomKeyStore DescribeCustomKeyStores "
        "DisconnectCustomKeyStore GenerateRandom ListRetirableGrants SynchronizeMultiRegionKey UpdateCustomKeyStore")),
    *_of("kms", "CallerAccount", _STRING, about=About.CALLER, always=True, actions=_but(
        kms.ACTIONS, "ListRetirableGrants SynchronizeMultiRegionKey")),
    *_of("kms", "EncryptionContext:", _STRING, _ENCRYPTING),
    *_of("kms", "EncryptionContextKeys", _STRING, _ENCRYPTING, multivalued=True),
    *_of("kms", "GrantIsForAWSResource", _BOOL, "CreateGrant ListGrants RevokeGrant"),
    # AWS Backup, IAM, STS, and two of other services.
    *_of("backup", "CopyTargets", _ARN, "CopyFromBackupVault", multivalued=True),
    *_of("iam", "PermissionsBoundary", _ARN,
         "AttachRolePolicy AttachUserPolicy CreateRole CreateUser DeleteRole DeleteRolePermissionsBoundary "
         "DeleteRolePolicy DeleteUserPermissionsBoundary DeleteUserPolicy DetachRolePolicy DetachUserPolicy GetRole "
         "PutRolePermissionsBoundary PutRolePolicy PutUserPermissionsBoundary PutUserPolicy UpdateAssumeRolePolicy "
         "UpdateRole UpdateRoleDescription"),
    *_of("iam", "PassedToService", _STRING, "PassRole"),
    *_of("sts", "RoleSessionName", _STRING, _ASSUMING, about=About.SESSION),
    *_of("sts", "SourceIdentity", _STRING, f"{_ASSUMING} SetSourceIdentity", about=About.SESSION),
    *_of("cloudwatch", "namespace", _STRING, "PutMetricData", always=True),
    # On what the code of a function calls itself, whatever that is.
    ConditionKey(name="lambda:SourceFunctionArn", type=_ARN, about=About.SESSION),
)  # fmt: skip

CONDITION_KEYS: Final[Mapping[str, ConditionKey]] = MappingProxyType({key.low: key for key in _ALL})
"""Every key by its name in lower case."""
if len(CONDITION_KEYS) != len(_ALL):
    raise AssertionError("a condition key stands twice in constructs/tableguard/aws/condition_keys.py")


def keys_about(*about: About) -> frozenset[str]:
    """The keys of all services that tell of one of these, in lower case.

    Args:
        about: What they tell of.
    """
    return frozenset(low for low, key in CONDITION_KEYS.items() if key.about in about and not key.actions)
