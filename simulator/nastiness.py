"""How nasty the local Azure is asked to be, and by which seed: CMK_NASTY and CMK_SEED of whoever starts it.

They are no settings of the app and never reach it.
"""

import json
import random
from collections.abc import Mapping
from typing import Any

NAMES = ("CMK_NASTY", "CMK_SEED")


def wanted(environment: Mapping[str, str], default: str = "off") -> dict[str, Any]:
    """Return the profile to put in force: CMK_NASTY is its name or a JSON object with rates, CMK_SEED the seed."""
    text = environment.get("CMK_NASTY", "") or default
    order: dict[str, Any] = json.loads(text) if text.startswith("{") else {"profile": text}
    return {"seed": environment.get("CMK_SEED", "") or random.randrange(1_000_000), **order}


def told(order: Mapping[str, Any]) -> str:
    """Return the sentence that says how to meet the same again."""
    if order.get("profile") == "off":
        return "nastiness: off"
    return f"nastiness: {order.get('profile', 'mild')}, CMK_SEED={order['seed']} meets the same again"
