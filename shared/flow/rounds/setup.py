"""What the deployment has set, and what that points to: vaults for keys, the keys that sign tokens, the time."""

from collections.abc import Callable, Iterator

from shared.core import parse
from shared.core.checkup import Check, Result, choices, parts, work
from shared.core.choices import KeyVault
from shared.core.errors import Denied
from shared.core.ports import Ports
from shared.flow.rounds import MOST, Look


def _stops(ports: Ports) -> Iterator[Check]:
    yield from choices.stops(ports.choices, ports.clock.now())


def _scope(ports: Ports) -> Iterator[Check]:
    yield choices.scope(ports.choices)


def _key_vaults(ports: Ports) -> Iterator[Check]:
    vaults = {it.vault.key: it for it in ports.choices.key_vaults}
    found = [check for it in list(vaults.values())[:MOST] for check in _key_vault(ports, it)]
    said = f"all {len(vaults)} are there and protected" if vaults else "CMK_KEY_VAULTS is empty: nothing is migrated"
    yield from found or [Check("key-vaults", "settings", Result.PASS, said)]


def _key_vault(ports: Ports, named: KeyVault) -> Iterator[Check]:
    where, todo = str(named.vault), "mend CMK_KEY_VAULTS, or create that vault with soft delete and purge protection"
    try:
        body = ports.arm.read(named.vault)
    except Denied as error:
        yield Check(
            "key-vaults",
            "settings",
            Result.FAIL,
            f"the reader may not read {where}: {error.message}",
            f"give the reader its role on /subscriptions/{named.vault.subscription}",
        )
        return
    if body is None:
        yield Check(
            "key-vaults", "settings", Result.FAIL, f"CMK_KEY_VAULTS names {where}, and there is no such vault", todo
        )
        return
    vault = parse.vault(body)
    if not vault.soft_delete or not vault.purge_protection:
        yield Check(
            "key-vaults",
            "settings",
            Result.FAIL,
            f"{where} is not protected against deletion: no key is ever made there",
            "turn its soft delete and purge protection on",
        )


def _signing_keys(ports: Ports) -> Iterator[Check]:
    yield Check(
        "signing-keys", "sign-in", Result.PASS, f"Entra publishes {ports.vitals.signing_keys()} keys that sign tokens"
    )


def _easy_auth(ports: Ports) -> Iterator[Check]:
    yield choices.easy_auth(ports.vitals.home)


def _parts(ports: Ports) -> Iterator[Check]:
    yield from parts.judged(ports.part, ports.pulse.part("hand"), ports.clock.now())


def _clock(where: str) -> Callable[[Ports], Iterator[Check]]:
    def look(ports: Ports) -> Iterator[Check]:
        before = ports.clock.now()
        theirs = ports.vitals.time(where)
        yield work.clock(where, theirs, before, ports.clock.now())

    return look


_CLOCK = "ask again; without the other clock nothing can be compared"
LOOKS = (
    Look("stops", "settings", _stops, ""),
    Look("auto-scope", "settings", _scope, ""),
    Look("key-vaults", "settings", _key_vaults, "ask again; the vaults of CMK_KEY_VAULTS were not all read"),
    Look(
        "signing-keys",
        "sign-in",
        _signing_keys,
        "can the app reach CMK_AUTHORITY_URL? Without its keys nobody gets in",
        Result.FAIL,
    ),
    Look("easy-auth", "sign-in", _easy_auth, ""),
    Look(parts.NAME, parts.AREA, _parts, "look at AzureWebJobsStorage and its roles"),
    Look("clock-resource-manager", "clocks", _clock("Resource Manager"), _CLOCK),
    Look("clock-storage", "clocks", _clock("storage"), _CLOCK),
)
