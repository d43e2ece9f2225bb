#!/usr/bin/env bash
# The app registration that people sign in to. Its objects are Entra's, not Azure's: no template can make them.
#
#   infra/entra/app.sh create [NAME]                       before the first deployment; prints the client id
#   infra/entra/app.sh update CLIENT_ID                    the same for a registration that is there already
#   infra/entra/app.sh connect CLIENT_ID FRONT_URL DOOR    after it; FRONT_URL and DOOR (doorPrincipalId) are its outputs
#
# Needs `az login` as somebody who may register applications. `update` and `connect` can be run again. `create` takes nothing that
# it did not make: in most tenants anybody may register an application under any name, and whoever owns it gives its roles.
set -euo pipefail
cd "$(dirname "$0")"

AZURE_CLI=04b07795-8ddb-461a-bbee-02f9e1bf7b46   # Microsoft's own id of Azure CLI: cmkwarden signs in through it
SCOPE=5b0f7d52-6a0b-4f4e-9d0a-2f0c1d6e8a10       # our own id of the one permission that people give

usage() { sed -n '2,8p' "app.sh" >&2; exit 2; }

create() {
  local name=${1:-cmkwarden} there client
  # Azure CLI lists whatever begins with the name.
  there=$(az ad app list --display-name "$name" --query "[?displayName=='$name'].appId" --output tsv)
  if [ -n "$there" ]; then
    printf '%s\n' "There is a registration '$name' already:" "$there" "Look who owns it (az ad app owner list --id ...," \
      "az ad sp owner list --id ...). If it is yours: infra/entra/app.sh update CLIENT_ID" >&2
    exit 1
  fi
  client=$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)
  update "$client"
}

update() {
  local client=$1
  az ad app update --id "$client" --app-roles @approles.json --identifier-uris "api://$client"
  local object
  object=$(az ad app show --id "$client" --query id --output tsv)
  # Version 2 of tokens; one permission for people, which Azure CLI has without asking them.
  az rest --method patch --url "https://graph.microsoft.com/v1.0/applications/$object" --body '{"api": {
    "requestedAccessTokenVersion": 2,
    "oauth2PermissionScopes": [{"id": "'$SCOPE'", "value": "access", "type": "User", "isEnabled": true,
      "adminConsentDisplayName": "Use cmkwarden", "adminConsentDescription": "Use cmkwarden as the person who is signed in",
      "userConsentDisplayName": "Use cmkwarden", "userConsentDescription": "Use cmkwarden as yourself"}]}}'
  az rest --method patch --url "https://graph.microsoft.com/v1.0/applications/$object" --body '{"api": {
    "preAuthorizedApplications": [{"appId": "'$AZURE_CLI'", "delegatedPermissionIds": ["'$SCOPE'"]}]}}'
  # Nobody enters without one of the roles.
  az ad sp show --id "$client" --output none 2>/dev/null || az ad sp create --id "$client" --output none
  az ad sp update --id "$client" --set appRoleAssignmentRequired=true
  echo "$client"
}

connect() {
  local client=$1 front=$2 door=$3 tenant there with
  tenant=$(az account show --query tenantId --output tsv)
  az ad app update --id "$client" --enable-id-token-issuance true \
    --web-redirect-uris "$front/.auth/login/aad/callback"
  # The identity `door` of front signs in for the registration: there is no secret to keep or to renew.
  # There is one such credential: where the identity was made anew, the old one is trusted no more.
  there=$(az ad app federated-credential list --id "$client" --query "[?name=='cmkwarden-door'].id" --output tsv)
  if [ -n "$there" ]; then with=(update --federated-credential-id "$there"); else with=(create); fi
  az ad app federated-credential "${with[@]}" --id "$client" --parameters '{"name": "cmkwarden-door",
    "issuer": "https://login.microsoftonline.com/'"$tenant"'/v2.0", "subject": "'"$door"'",
    "audiences": ["api://AzureADTokenExchange"]}'
}

case ${1:-} in
  create) create "${@:2}" ;;
  update) [ $# -eq 2 ] || usage; update "$2" ;;
  connect) [ $# -eq 4 ] || usage; connect "${@:2}" ;;
  *) usage ;;
esac
