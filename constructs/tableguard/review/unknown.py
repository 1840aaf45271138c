"""What the templates do not tell: of which kind each of it is, and the English of each kind."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final, Self

from tableguard.evaluation import DocumentLocation

_LATER: Final = "is known at deployment only"
_LEFT_OUT: Final = (
    "the stack has no account or region, so its resources are left out: give it an env, or say --account and --region"
)


class UnknownKind(enum.Enum):
    """What kind of thing is not known.

    Attributes:
        words: What readers are told; each `{}` stands for something that it is about.
    """

    words: str

    def __new__(cls, slug: str, words: str) -> Self:
        """A kind of this name, with its words."""
        made = object.__new__(cls)
        made._value_ = slug
        made.words = words
        return made

    # Of any resource.
    CONDITION = "condition", f"whether its condition holds {_LATER}"
    PROPERTIES = "properties", "its properties are known at deployment only"
    PROPERTIES_NO_OBJECT = "properties-no-object", "its Properties are no object"
    PROPERTY_GENERATED = "property-generated", "a macro or a loop writes properties when it is deployed"
    PROPERTY_MISSPELT = "property-misspelt", "{} is no property that CloudFormation knows: {} is"
    VALUE = "value", f"{{}} {_LATER}"
    LIST_ENTRY = "list-entry", f"an entry of {{}} {_LATER}"
    # Of policies.
    POLICY_VALUE = "policy-value", f"a value in a policy ({{}}) {_LATER}"
    POLICY_ENTRY = "policy-entry", f"an entry of {{}} {_LATER}"
    POLICY_NO_OBJECT = "policy-no-object", "{} is no object"
    POLICY_MISSING = "policy-missing", "{} holds no {}"
    POLICY_HOLDER = "policy-holder", f"the {{}} that a policy is attached to {_LATER}"
    POLICY_ELSEWHERE = "policy-elsewhere", "what {} allows {}"
    LETS_IN_AS = "lets-in-as", "whom statement {} lets in as {}"
    LETS_IN = "lets-in", "whether statement {} lets {} in: no request was found that it allows"
    OTHER_SIDE = "other-side", "what account {} allows {}"
    # Of tables.
    TABLE_KEY = "table-key", f"the key of the table {_LATER}"
    REPLICAS = "replicas", f"the list of its replicas {_LATER}"
    REPLICA_REGION = "replica-region", f"the region of a replica {_LATER}"
    RECOVERY = "recovery", f"its point-in-time recovery {_LATER}"
    NAMESAKE = "namesake", "which table has the name: {}: {} has it, too"
    TABLE_ELSEWHERE = "table-elsewhere", "the table {} of {}, which {} has a policy for: {}"
    # Of identities.
    IDENTITY_PATH = "identity-path", f"the path of a {{}} {_LATER}"
    TAG = "tag", f"a tag, which conditions may ask for {_LATER}"
    BOUNDARY = "boundary", f"the permissions boundary {_LATER}"
    BOUNDARY_ELSEWHERE = "boundary-elsewhere", f"what the permissions boundary {{}} allows {_LATER}"
    # Of endpoints and of the organization.
    ENDPOINT_SERVICE = "endpoint-service", f"the service of a VPC endpoint {_LATER}"
    TARGETS = "targets", f"{{}} {_LATER}"
    TARGET_ENTRY = "target-entry", f"an entry of {{}} {_LATER}"
    TARGET_ACCOUNTS = "target-accounts", f"which accounts are in {{}} {_LATER}"
    # Of metadata.
    METADATA = "metadata", "what its metadata says is not compared, since it cannot be read: {}"
    METADATA_OLDER = "metadata-older", "what its metadata says is not compared: an older release of tableguard wrote it"
    METADATA_NEWER = "metadata-newer", "what its metadata says is not compared: its version {} is newer than {}"
    # Of what no template shows.
    STACK_LEFT_OUT = "stack-left-out", _LEFT_OUT
    MACRO = "macro", "a macro changes the template when it is deployed"
    RESOURCES_GENERATED = "resources-generated", "resources that are made when it is deployed"
    RESOURCE_NO_OBJECT = "resource-no-object", "a resource that is no object"
    RESOURCE_GENERATED = "resource-generated", "a macro makes a resource when it is deployed"
    RESOURCE_TYPE = "resource-type", "a resource whose type is not known"
    TYPE_MISSPELT = "type-misspelt", "{} is no type that CloudFormation knows"
    MODULE = "module", "what a module makes"
    STACK_SET = "stack-set", "what the stacks of a stack set make"
    PRODUCT = "product", "what a product of Service Catalog makes"
    NESTED_STACK = "nested-stack", "the template of a nested stack is not in the assembly"
    REPLICA_POLICY = "replica-policy", "the policy of a replica that a custom resource makes"
    CUSTOM_RESOURCE = "custom-resource", "what a custom resource does to policies"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the templates do not tell, and what follows from that.

    Args:
        place: Where it stands.
        kind: What kind of thing is not known.
        about: What it is about: one text for each gap in the words of its kind.
        account: The account of its stack; None where that is not known.
        anything: Whether anything at all may come of it when it is deployed, policies of any table included.
        source: A digest of what the template says there, so that a changed one can be told; "" where it says nothing.
    """

    place: DocumentLocation
    kind: UnknownKind
    about: tuple[str, ...] = ()
    account: str | None = None
    anything: bool = False
    source: str = ""

    @property
    def what(self) -> str:
        """What is not known, in words."""
        return self.kind.words.format(*self.about)
