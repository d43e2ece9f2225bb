"""The sign-in of front in a browser (Easy Auth). The app checks every token itself; this only fetches them.

A browser without a sign-in is let through and answered 401 or a page by the app. What Event Grid sends has no token of
Entra but a key of the host: its path is kept out of it (azure-functions-eventgrid-extension#103).
"""

from infra.assemble import names
from infra.assemble.arm import Json, guarded, identify, resource

WEBHOOKS = "/runtime/webhooks/*"


def resources() -> list[Json]:
    """Return the sign-in, where an app registration is named; without one the app answers 401 to everybody."""
    issuer = "format('{0}{1}/v2.0', environment().authentication.loginEndpoint, subscription().tenantId)"
    entra = {
        "enabled": True,
        "registration": {
            "clientId": "[parameters('clientId')]",
            # The identity `door` signs in for the registration: there is no secret that could leak or run out.
            "clientSecretSettingName": "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID",
            "openIdIssuer": f"[{issuer}]",
        },
        "validation": {"allowedAudiences": "[variables('audiences')]"},
    }
    properties = {
        "platform": {"enabled": True},
        "globalValidation": {
            "requireAuthentication": False,
            "unauthenticatedClientAction": "AllowAnonymous",
            "excludedPaths": [WEBHOOKS],
        },
        "httpSettings": {"requireHttps": True},
        "identityProviders": {"azureActiveDirectory": entra},
        "login": {"tokenStore": {"enabled": True}},
    }
    settings = identify("Microsoft.Web/sites/config", names.FRONT, "'appsettings'")
    return [
        resource(
            "Microsoft.Web/sites/config",
            f"[format('{{0}}/authsettingsV2', {names.FRONT})]",
            **guarded("not(empty(parameters('clientId')))", {}),
            dependsOn=[f"[{settings}]"],
            properties=properties,
        )
    ]
