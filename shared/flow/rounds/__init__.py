"""What the doctor looks at, one module a part; each look is a few reads over ports and yields what it has found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.core.checkup import Check, Result
from shared.core.ports import Ports

MOST = 25  # subscriptions, or vaults, that are looked at one by one: more would take longer than a person waits


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `temporary` is the result where what was asked does not answer, `todo` what to do where it fails."""

    name: str
    area: str
    run: Callable[[Ports], Iterable[Check]]
    todo: str
    temporary: Result = Result.UNKNOWN


def named(ports: Ports) -> list[str]:
    """Return the subscriptions that the settings speak of."""
    chosen = ports.choices
    found = [*chosen.subscriptions, *(it.split("/")[2] for it in chosen.auto_scope)]
    return sorted({*found, *(it.vault.subscription.lower() for it in chosen.key_vaults)})


def estate(ports: Ports) -> list[str]:
    """Return those of the settings and, where they do not say which are looked after, all others that can be seen."""
    found = named(ports)
    return found if ports.choices.subscriptions else [*found, *sorted(ports.inventory.subscriptions() - {*found})]
