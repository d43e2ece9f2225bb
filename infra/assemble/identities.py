"""Who the app is in Azure: five identities, each in as few hands as it can be."""

from infra.assemble.arm import Json, identify, resource

KIND = "Microsoft.ManagedIdentity/userAssignedIdentities"
# name -> what it is for, and which apps hold it. Code in an app can ask for a token of each identity that the app has.
IDENTITIES = {
    "reader": ("reads Azure", ("front", "hand")),
    "writer": ("writes to Azure", ("hand",)),
    "front": ("keeps the state, and the host and package of front", ("front",)),
    "hand": ("keeps the state, and the host and package of hand", ("hand",)),
    "door": ("stands in for the secret of the sign-in; has no rights in Azure", ("front",)),
}


def name(who: str) -> str:
    """Return the expression of an identity's name."""
    return f"format('{{0}}-{who}', parameters('name'))"


def identity_id(who: str) -> str:
    """Return the expression of an identity's id."""
    return identify(KIND, name(who))


def principal(who: str) -> str:
    """Return the expression of its object id: what role assignments name."""
    return f"reference({identity_id(who)}, '2024-11-30').principalId"


def client(who: str) -> str:
    """Return the expression of its client id: what an app asks for a token with."""
    return f"reference({identity_id(who)}, '2024-11-30').clientId"


def resources() -> list[Json]:
    """Return the identities."""
    return [
        resource(
            KIND, f"[{name(who)}]", location="[parameters('location')]", tags="[parameters('tags')]", properties={}
        )
        for who in IDENTITIES
    ]


def held_by(part: str) -> Json:
    """Return the `identity` of an app: those that it holds, and no system-assigned one."""
    held = [who for who, (_, parts) in IDENTITIES.items() if part in parts]
    return {
        "type": "UserAssigned",
        "userAssignedIdentities": {f"[{identity_id(who)}]": {} for who in held},
    }
