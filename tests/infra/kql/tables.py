"""The tables that queries read, as the reference of Azure Monitor Logs lists them.

AZKVAuditLogs is complete (AZURE 8.2). AppTraces has the columns of its reference page but those of clients' devices.
AzureDiagnostics is made of whatever services have ever sent: here are the columns of Key Vault, with the types that a
template of such a workspace has; the names of claims are partly UNVERIFIED, which is why queries ask for each by
`column_ifexists`.
"""

from collections.abc import Mapping

type Columns = Mapping[str, str]


def _columns(**types: str) -> Columns:
    return {name: kind for kind, names in types.items() for name in names.split()}


TABLES: Mapping[str, Columns] = {
    "AppTraces": _columns(
        datetime="TimeGenerated",
        dynamic="Measurements Properties",
        int="ItemCount SeverityLevel",
        real="_BilledSize",
        string=(
            "AppRoleInstance AppRoleName AppVersion IKey Message OperationId OperationName ParentId ReferencedItemId "
            "ReferencedType ResourceGUID SDKVersion SessionId SourceSystem SyntheticSource TenantId Type UserId "
            "_IsBillable _ResourceId _SubscriptionId"
        ),
    ),
    "AZKVAuditLogs": _columns(
        datetime="TimeGenerated",
        bool=(
            "EnabledForDeployment EnabledForDiskEncryption EnabledForTemplateDeployment EnablePurgeProtection "
            "EnableRbacAuthorization EnableSoftDelete IsAccessPolicyMatch IsAddressAuthorized IsRbacAuthorized"
        ),
        dynamic=(
            "CertificateIssuerProperties CertificatePolicyProperties CertificateProperties CertificateRequestProperties "
            "Identity KeyProperties NetworkAcls Properties SecretProperties Sku StorageAccountProperties "
            "StorageSasDefinitionProperties VaultProperties"
        ),
        int="DurationMs HttpStatusCode SoftDeleteRetentionInDays",
        real="_BilledSize",
        string=(
            "AddressAuthorizationType Algorithm AppliedAssignmentId CallerIpAddress ClientInfo CorrelationId "
            "HsmPoolResourceId Id Nsp OperationName OperationVersion RequestUri ResultDescription ResultSignature "
            "ResultType SourceSystem SubnetId TenantId Tlsversion TrustedService Type _IsBillable _ResourceId "
            "_SubscriptionId"
        ),
    ),
    "AzureDiagnostics": _columns(
        datetime="TimeGenerated",
        bool="keyProperties_attributes_enabled_b isRbacAuthorized_b",
        guid=(
            "identity_claim_appid_g identity_claim_oid_g "
            "identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g"
        ),
        long="DurationMs",
        real="httpStatusCode_d",
        string=(
            "CallerIPAddress Category CorrelationId OperationName OperationVersion Resource ResourceGroup ResourceId "
            "ResourceProvider ResourceType ResultDescription ResultSignature ResultType SubscriptionId Type "
            "_ResourceId clientInfo_s id_s requestUri_s tlsVersion_s"
        ),
    ),
}
