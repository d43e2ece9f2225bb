"""What Azure says each built-in role is for (role_definitions.jsonl, the newest recording of each)."""

DESCRIPTIONS = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",  # Owner
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.",  # Contributor
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "View all resources, but does not allow you to make any changes.",  # Reader
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "Lets you manage user access to Azure resources.",  # User Access Administrator
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.",  # Role Based Access Control Administrator
    "f1a07417-d97a-45cb-824c-7a7467783830": "Read and Assign User Assigned Identity",  # Managed Identity Operator
    "e40ec5ca-96e0-45a2-b4ff-59039f2c2b59": "Create, Read, Update, and Delete User Assigned Identity",  # Managed Identity Contributor
    "f25e0fa2-a7c8-4377-a976-54943a77a395": "Lets you manage key vaults, but not access to them.",  # Key Vault Contributor
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Perform all data plane operations on a key vault and all objects in it, including certificates, keys, and secrets. Cannot manage key vault resources or manage role assignments. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Administrator
    "21090545-7ca7-4776-b22c-e363652d74d2": "Read metadata of key vaults and its certificates, keys, and secrets. Cannot read sensitive values such as secret contents or key material. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Reader
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": "Read metadata of keys and perform wrap/unwrap operations. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Crypto Service Encryption User
    "12338af0-0e69-4776-bea7-57ae8d297424": "Perform cryptographic operations using keys. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Crypto User
    "14b46e9e-c2b7-41b4-b07b-48a6ebf60603": "Perform any action on the keys of a key vault, except manage permissions. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Crypto Officer
    "08bbd89e-9f13-488c-ac41-acfcb10c90ab": "Release keys. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Crypto Service Release User
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Perform any action on the secrets of a key vault, except manage permissions. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Secrets Officer
    "4633458b-17de-408a-b874-0445c86b69e6": "Read secret contents. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Secrets User
    "a4417e6f-fecd-4de8-b567-7b0420556985": "Perform any action on the certificates of a key vault, except manage permissions. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Certificates Officer
    "db79e9a7-68ee-4b58-9aeb-b90e7c24fcba": "Read certificate contents. Only works for key vaults that use the 'Azure role-based access control' permission model.",  # Key Vault Certificate User
    "8b54135c-b56d-4d72-a534-26097cfdc8d8": "Manage access to Azure Key Vault by adding or removing role assignments for the Key Vault Administrator, Key Vault Certificates Officer, Key Vault Crypto Officer, Key Vault Crypto Service Encryption User, Key Vault Crypto User, Key Vault Reader, Key Vault Secrets Officer, or Key Vault Secrets User roles. Includes an ABAC condition to constrain role assignments.",  # Key Vault Data Access Administrator
    "a68e7c17-0ab2-4c09-9a58-125dae29748c": "Allows permanent deletion of soft-deleted vaults.",  # Key Vault Purge Operator
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Allows for read, write, and delete access to Azure Storage queues and queue messages",  # Storage Queue Data Contributor
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": "Allows for peek, receive, and delete access to Azure Storage queue messages",  # Storage Queue Data Message Processor
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Allows for sending of Azure Storage queue messages",  # Storage Queue Data Message Sender
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Allows for read, write and delete access to Azure Storage tables and entities",  # Storage Table Data Contributor
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Allows for full access to Azure Storage blob containers and data, including assigning POSIX access control.",  # Storage Blob Data Owner
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Allows for read, write and delete access to Azure Storage blob containers and data",  # Storage Blob Data Contributor
    "43d0d8ad-25c7-4714-9337-8ba259a9fe05": "Can read all monitoring data.",  # Monitoring Reader
    "73c42c96-874c-492b-b04d-ab87d138a893": "Log Analytics Reader can view and search all monitoring data as well as and view monitoring settings, including viewing the configuration of Azure diagnostics on all Azure resources.",  # Log Analytics Reader
    "92aaf0da-9dab-42b6-94a3-d43ce8d16293": "Log Analytics Contributor can read all monitoring data and edit monitoring settings. Editing monitoring settings includes adding the VM extension to VMs; reading storage account keys to be able to configure collection of logs from Azure Storage; adding solutions; and configuring Azure diagnostics on all Azure resources.",  # Log Analytics Contributor
    "428e0ff0-5e57-4d9c-a221-2c70d0e0a443": "Lets you manage EventGrid event subscription operations.",  # EventGrid EventSubscription Contributor
}
