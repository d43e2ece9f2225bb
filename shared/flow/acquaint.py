"""Say whom the graph of a vault knows: one look of an alert at the vault's own audit log then tells who is a stranger.

Said after each look, so that a new workspace is no stranger for long, and of every vault each night, since an alert sees
two days at most.
"""

import logging
from itertools import batched

from shared.core.judgement import Judgement
from shared.flow.say import say

_log = logging.getLogger("cmkwarden.acquaint")

_IN_ONE_LINE = 100  # Application Insights cuts a message off after 32,768 characters


def acquaint(judgement: Judgement) -> None:
    """Say it of one target: nothing where it is no vault with customer-managed keys."""
    found = judgement.principals
    if found is None:
        return
    for role, ids in (("user", found.users), ("holder", found.holders)):
        for some in batched(ids, _IN_ONE_LINE, strict=False):
            say(_log, "knows", target=judgement.target, role=role, principals=",".join(some))
    if not found.users:  # that nobody uses it is known as well: whoever does is a stranger
        say(_log, "knows", target=judgement.target, role="user", principals="")
