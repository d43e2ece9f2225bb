"""The envelope of every refusal: a type of its own, and members that say more."""

import json

from shared.core.errors import Refused
from shared.web.answers import refusal


def test_a_refusal_carries_what_it_has_to_say_beyond_its_sentence() -> None:
    """What the error brings stands beside the members of RFC 9457, and can replace none of them."""
    error = Refused("AnotherPlan", "look again", {"added": ["step"], "status": 200, "type": "about:blank"})
    answer = refusal(error)

    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")
    assert json.loads(bytes(answer.body)) == {
        "type": "/problems/AnotherPlan",
        "title": "Not possible now",
        "status": 409,
        "detail": "look again",
        "reason": "AnotherPlan",
        "added": ["step"],
    }


def test_a_bug_tells_nothing_of_its_insides() -> None:
    """What we did not foresee is a 500 without a word of the error."""
    answer = refusal(ZeroDivisionError("secret"))

    assert answer.status_code == 500
    assert b"secret" not in bytes(answer.body)
