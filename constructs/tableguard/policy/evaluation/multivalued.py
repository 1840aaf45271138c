"""Condition keys that can have several values in one request.

Sources: IAM User Guide, "AWS global condition context keys" (value type multivalued); Service Authorization Reference,
DynamoDB, AWS Backup, KMS and STS (types that begin with ArrayOf).
"""

from __future__ import annotations

from typing import Final

MULTIVALUED: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
        "backup:copytargetorgpaths",
        "backup:copytargets",
        "dynamodb:attributes",
        "dynamodb:firstpartitionkeyvalues",
        "dynamodb:fourthpartitionkeyvalues",
        "dynamodb:leadingkeys",
        "dynamodb:secondpartitionkeyvalues",
        "dynamodb:thirdpartitionkeyvalues",
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "kms:resourcealiases",
        "sts:transitivetagkeys",
    }
)
"""In lower case. A key that is missing here counts as multivalued only where a request gives it several values."""
