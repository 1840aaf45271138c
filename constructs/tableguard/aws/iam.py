"""Every IAM action: what it is for, whether it changes who may do what, which resource it goes to.

IAM holds no items. Sources, as of 2026-11-30: the service authorization reference ("Actions, resources, and condition
keys for AWS Identity and Access Management"), and the API model for what that list does not carry yet: AcquireRole,
which makes a role from a template, UpdateDelegationRequest and UpdateOpenIDConnectProvider. Which resources and keys of
conditions those have is open.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from tableguard.aws.actions import Category, Effect, ServiceAction, by_name, classified

SERVICE: Final = "iam"

_ACCESS, _PROTECTION, _NOTHING = Effect.CHANGES_ACCESS, Effect.CHANGES_PROTECTION, Effect.HARMLESS
_actions: Final = partial(classified, SERVICE)

_ALL: Final = (
    # Roles: trust, permissions, boundary, how long a session lasts. UpdateRoleDescription is what UpdateRole came
    # from; the two go together.
    *_actions("AcquireRole", Category.POLICY, _ACCESS, on="role role-template"),
    *_actions("AttachRolePolicy CreateRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy "
              "PutRolePermissionsBoundary PutRolePolicy UpdateAssumeRolePolicy UpdateRole "
              "UpdateRoleDescription",
              Category.POLICY, _ACCESS, on="role"),
    *_actions("DeleteRole", Category.DELETE, _ACCESS, on="role"),
    *_actions("TagRole UntagRole", Category.TAGS, _ACCESS, on="role"),
    # Lends a role to a service.
    *_actions("PassRole", Category.POLICY, _ACCESS, on="role"),
    # Roles of services, whose permissions AWS writes. Without its role a service no longer does its work.
    *_actions("CreateServiceLinkedRole", Category.OTHER, _ACCESS, on="role"),
    *_actions("DeleteServiceLinkedRole", Category.OTHER, _PROTECTION, on="role"),
    # Users, and every way to credentials of theirs that DynamoDB takes.
    *_actions("AttachUserPolicy CreateAccessKey CreateLoginProfile CreateUser DeactivateMFADevice "
              "DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy EnableMFADevice "
              "PutUserPermissionsBoundary PutUserPolicy ResyncMFADevice UpdateAccessKey UpdateLoginProfile "
              "UpdateUser",
              Category.POLICY, _ACCESS, on="user"),
    *_actions("DeleteUser", Category.DELETE, _ACCESS, on="user"),
    *_actions("TagUser UntagUser", Category.TAGS, _ACCESS, on="user"),
    # They take a credential away and give nobody one: the answer to a leak. Who changes his own password knows it.
    *_actions("ChangePassword DeleteAccessKey DeleteLoginProfile", Category.SETTINGS, _NOTHING, on="user"),
    # Credentials for other services, which DynamoDB does not take.
    *_actions("CreateServiceSpecificCredential ResetServiceSpecificCredential UpdateSSHPublicKey "
              "UpdateServiceSpecificCredential UpdateSigningCertificate UploadSSHPublicKey "
              "UploadSigningCertificate",
              Category.OTHER, _ACCESS, on="user"),
    *_actions("UpdateCloudFrontPublicKey UploadCloudFrontPublicKey", Category.OTHER, _ACCESS),
    *_actions("DeleteCloudFrontPublicKey", Category.OTHER, _NOTHING),
    *_actions("DeleteSSHPublicKey DeleteServiceSpecificCredential DeleteSigningCertificate",
              Category.OTHER, _NOTHING, on="user"),
    # Groups. A group can deny as well as allow, so that to leave one can widen.
    *_actions("AddUserToGroup AttachGroupPolicy CreateGroup DeleteGroupPolicy DetachGroupPolicy "
              "PutGroupPolicy RemoveUserFromGroup UpdateGroup",
              Category.POLICY, _ACCESS, on="group"),
    *_actions("DeleteGroup", Category.DELETE, _ACCESS, on="group"),
    # Policies that others carry.
    *_actions("CreatePolicy CreatePolicyVersion DeletePolicyVersion SetDefaultPolicyVersion",
              Category.POLICY, _ACCESS, on="policy"),
    *_actions("DeletePolicy", Category.DELETE, _ACCESS, on="policy"),
    *_actions("TagPolicy UntagPolicy", Category.TAGS, _ACCESS, on="policy"),
    # Whom a trust policy means that names a provider.
    *_actions("AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider "
              "RemoveClientIDFromOpenIDConnectProvider UpdateOpenIDConnectProvider "
              "UpdateOpenIDConnectProviderThumbprint",
              Category.POLICY, _ACCESS, on="oidc-provider"),
    *_actions("CreateSAMLProvider UpdateSAMLProvider", Category.POLICY, _ACCESS, on="saml-provider"),
    *_actions("DeleteOpenIDConnectProvider", Category.DELETE, _ACCESS, on="oidc-provider"),
    *_actions("DeleteSAMLProvider", Category.DELETE, _ACCESS, on="saml-provider"),
    *_actions("TagOpenIDConnectProvider UntagOpenIDConnectProvider", Category.TAGS, _ACCESS, on="oidc-provider"),
    *_actions("TagSAMLProvider UntagSAMLProvider", Category.TAGS, _ACCESS, on="saml-provider"),
    # The role that a machine works as.
    *_actions("AddRoleToInstanceProfile RemoveRoleFromInstanceProfile",
              Category.POLICY, _ACCESS, on="instance-profile"),
    # Without a role, as they begin and end, they give nobody anything.
    *_actions("CreateInstanceProfile DeleteInstanceProfile", Category.OTHER, _NOTHING, on="instance-profile"),
    *_actions("TagInstanceProfile UntagInstanceProfile", Category.TAGS, _ACCESS, on="instance-profile"),
    # A device counts once it is enabled for a user, and not before it was deactivated can it be deleted.
    *_actions("CreateVirtualMFADevice", Category.OTHER, _NOTHING, on="mfa"),
    *_actions("DeleteVirtualMFADevice", Category.OTHER, _NOTHING, on="mfa sms-mfa"),
    *_actions("TagMFADevice UntagMFADevice", Category.TAGS, _ACCESS, on="mfa"),
    # Access that is lent to a partner of AWS for a while.
    *_actions("AcceptDelegationRequest AssociateDelegationRequest CreateDelegationRequest SendDelegationToken "
              "UpdateDelegationRequest",
              Category.POLICY, _ACCESS, on="delegation-request"),
    *_actions("RejectDelegationRequest", Category.POLICY, _NOTHING, on="delegation-request"),
    # The account as a whole: who manages root, who gets tokens for the world outside, where STS works, and whose
    # address a new root password goes to.
    *_actions("DeleteAccountPasswordPolicy DisableOrganizationsRootCredentialsManagement "
              "DisableOrganizationsRootSessions DisableOutboundWebIdentityFederation "
              "EnableOrganizationsRootCredentialsManagement EnableOrganizationsRootSessions "
              "EnableOutboundWebIdentityFederation PutAccountProperties SetSTSRegionalEndpointStatus "
              "SetSecurityTokenServicePreferences UpdateAccountEmailAddress UpdateAccountPasswordPolicy",
              Category.POLICY, _ACCESS),
    *_actions("CreateAccountAlias DeleteAccountAlias UpdateAccountName", Category.OTHER, _NOTHING),
    # Certificates of web servers.
    *_actions("DeleteServerCertificate TagServerCertificate UntagServerCertificate UpdateServerCertificate "
              "UploadServerCertificate",
              Category.OTHER, _NOTHING, on="server-certificate"),
    *_actions("GenerateCredentialReport GetAccountAuthorizationDetails GetAccountEmailAddress GetAccountName "
              "GetAccountPasswordPolicy GetAccountProperties GetAccountSummary GetCloudFrontPublicKey "
              "GetContextKeysForCustomPolicy GetCredentialReport GetOrganizationsAccessReport "
              "GetOutboundWebIdentityFederationInfo GetServiceLastAccessedDetails "
              "GetServiceLastAccessedDetailsWithEntities ListAccountAliases ListCloudFrontPublicKeys "
              "ListDelegationRequests ListGroups ListInstanceProfiles ListOpenIDConnectProviders "
              "ListOrganizationsFeatures ListPolicies ListRoles ListSAMLProviders "
              "ListSTSRegionalEndpointsStatus ListServerCertificates ListUsers ListVirtualMFADevices "
              "SimulateCustomPolicy",
              Category.OTHER, _NOTHING),
    *_actions("GenerateOrganizationsAccessReport", Category.OTHER, _NOTHING, on="access-report"),
    *_actions("GenerateServiceLastAccessedDetails", Category.OTHER, _NOTHING, on="group policy role user"),
    *_actions("GetAccessKeyLastUsed GetLoginProfile GetMFADevice GetSSHPublicKey GetUser GetUserPolicy "
              "ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListMFADevices ListSSHPublicKeys "
              "ListServiceSpecificCredentials ListSigningCertificates ListUserPolicies ListUserTags",
              Category.OTHER, _NOTHING, on="user"),
    *_actions("GetContextKeysForPrincipalPolicy ListPoliciesGrantingServiceAccess SimulatePrincipalPolicy",
              Category.OTHER, _NOTHING, on="group role user"),
    *_actions("GetDelegationRequest GetHumanReadableSummary", Category.OTHER, _NOTHING, on="delegation-request"),
    *_actions("GetGroup GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies",
              Category.OTHER, _NOTHING, on="group"),
    *_actions("GetInstanceProfile ListInstanceProfileTags", Category.OTHER, _NOTHING, on="instance-profile"),
    *_actions("GetOpenIDConnectProvider ListOpenIDConnectProviderTags", Category.OTHER, _NOTHING, on="oidc-provider"),
    *_actions("GetPolicy GetPolicyVersion ListEntitiesForPolicy ListPolicyTags ListPolicyVersions",
              Category.OTHER, _NOTHING, on="policy"),
    *_actions("GetRole GetRolePolicy GetServiceLinkedRoleDeletionStatus ListAttachedRolePolicies "
              "ListInstanceProfilesForRole ListRolePolicies ListRoleTags",
              Category.OTHER, _NOTHING, on="role"),
    *_actions("GetRoleTemplateVersion", Category.OTHER, _NOTHING, on="role-template"),
    *_actions("GetSAMLProvider ListSAMLProviderTags", Category.OTHER, _NOTHING, on="saml-provider"),
    *_actions("GetServerCertificate ListServerCertificateTags", Category.OTHER, _NOTHING, on="server-certificate"),
    *_actions("ListMFADeviceTags", Category.OTHER, _NOTHING, on="mfa"),
)  # fmt: skip

ACTIONS: Final[Mapping[str, ServiceAction]] = by_name(_ALL)
"""Every action of IAM by its name without the service prefix."""
