"""What a vault's own system topic tells of the control plane: that access to it has changed (AZURE 5.3)."""

from simulator.arm.answer import Json
from simulator.arm.sim import Sim


def access_changed(sim: Sim, old: Json | None, new: Json) -> None:
    """VaultAccessPolicyChanged, when the policies or the permission model of a vault that existed are others now."""
    before, after = ((body or {}).get("properties") or {} for body in (old, new))
    if old is not None and any(
        before.get(name) != after.get(name) for name in ("accessPolicies", "enableRbacAuthorization")
    ):
        sim.eventgrid.vault_event(new["id"], "VaultAccessPolicyChanged")
