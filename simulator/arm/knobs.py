"""How nasty the simulated Azure is: every delay, page size and mischief, each with its kind default.

Set them in the configuration under `knobs`, or while it runs with POST /knobs on the management port.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(slots=True)
class Knobs:
    """One number or word each; all may change while the simulator runs."""

    page_size: int = 100  # items in a page of a list; real vault lists are said to page by 2 or 3 (LOCAL 8)
    empty_page: bool = False  # first page `value: []` with a nextLink, as recorded (INDEX, shape 11)
    loose_top: bool = False  # pages of Key Vault may hold more rows than $top asks for: nine for one were recorded
    empty_pages: int = 0  # so many empty pages before each page with rows; 46 in a row were recorded (deletedVaults)
    dns_seconds: float = 0.0  # how long a new vault stays RegisteringDns
    purge_seconds: float = 0.0  # how long purging a vault takes; 7 s to 8 min in the recordings
    workspace_seconds: float = 1.0  # how long a workspace PUT or DELETE takes; 80 to 200 s in the recordings
    group_seconds: float = 0.0  # how long deleting a resource group takes; minutes in Azure
    workspace_event: str = "accepted"  # accepted | completed | both: when the write event of it is sent
    propagation_seconds: float = 0.0  # until a role assignment or its end takes effect; Azure: up to ten minutes
    principal_seconds: float = 0.0  # how long a new identity is unknown to role assignments without principalType
    graph_closed: bool = False  # applications may not read Microsoft Graph; people always may
    graph_lag: float = 0.0  # seconds by which Resource Graph is behind
    event_delay: float = 0.0  # seconds before the first delivery
    event_reorder: float = 0.0  # up to so many seconds more, at random, for each event
    event_double: float = 0.0  # share of deliveries that are made twice
    event_drop: float = 0.0  # share of events that are lost
    throttling: bool = False  # refuse with 429 when a bucket is empty; counting never stops
    throttle_scale: float = 1.0  # makes every bucket, and its refill, so many times as large
    activity_lag: float = 0.0  # seconds until the Activity Log shows a write

    def set(self, changes: dict[str, Any]) -> None:
        """Turn some of them; an unknown name is an error, not a silent no."""
        names = {knob.name: type(getattr(self, knob.name)) for knob in fields(self)}
        unknown = sorted(set(changes) - set(names))
        if unknown:
            raise ValueError(f"no such knob: {', '.join(unknown)}")
        for name, value in changes.items():
            setattr(self, name, _switch(name, value) if names[name] is bool else names[name](value))

    def show(self) -> dict[str, Any]:
        """All of them, as set now."""
        return asdict(self)


def _switch(name: str, value: Any) -> bool:
    """On or off; bool("off") would be a yes."""
    known = {"on": True, "true": True, "off": False, "false": False}
    word = str(value).lower()
    if word not in known:
        raise ValueError(f"the knob {name} is on or off, not '{value}'")
    return known[word]
