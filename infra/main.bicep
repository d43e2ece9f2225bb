// A thin cover for `azd` and for whoever works with Bicep: all that is deployed stands in arm/main.json.
targetScope = 'subscription'

@description('Name of the azd environment; ends in the name of the resource group.')
param environmentName string
@description('The region of all parts.')
param location string
@description('Ids of the subscriptions that are looked after, comma-separated. Empty: this one.')
param subscriptions string = ''
@description('Those of them where the writer may write.')
param writable string = ''
@description('Those of them where the writer may give and take roles.')
param narrowable string = ''
@allowed(['observe', 'approve', 'auto'])
param mode string = 'observe'
@description('Where anything may happen by itself, comma-separated.')
param autoScope string = ''
@description('Object id of AzureDatabricks in this tenant.')
param databricksPrincipalId string = ''
@description('Client id of the app registration (infra/entra/app.sh).')
param clientId string = ''
@description('Second phase: true once the code is deployed.')
param subscribe bool = false

module estate 'arm/main.json' = {
  name: 'cmkwarden-${environmentName}'
  params: {
    resourceGroup: 'rg-${environmentName}'
    location: location
    tags: { 'azd-env-name': environmentName }
    subscriptions: empty(subscriptions) ? [subscription().subscriptionId] : split(subscriptions, ',')
    writable: empty(writable) ? [] : split(writable, ',')
    narrowable: empty(narrowable) ? [] : split(narrowable, ',')
    mode: mode
    autoScope: empty(autoScope) ? [] : split(autoScope, ',')
    databricksPrincipalId: databricksPrincipalId
    clientId: clientId
    subscribe: subscribe
  }
}

output FRONT_NAME string = estate.outputs.frontName
output HAND_NAME string = estate.outputs.handName
output FRONT_URL string = estate.outputs.frontUrl
output DOOR_PRINCIPAL_ID string = estate.outputs.doorPrincipalId
output AZURE_RESOURCE_GROUP string = 'rg-${environmentName}'
