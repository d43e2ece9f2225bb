"""The journeys run on an Azure that is nasty by default: mildly, by a seed, and anew for each test.

CMK_NASTY=off|mild|nasty or a JSON object chooses, CMK_SEED repeats. What a test meets follows from the seed and its own
name, not from what ran before it. A test that counts calls, or that orders faults of its own, is marked `calm`.
"""

import os
from collections.abc import Iterator

import pytest

from simulator.client import Client
from simulator.nastiness import wanted

# The owner is the test itself, and people's own mistakes are not the subject here.
STRUCK = {"callers": ["reader", "writer"]}


@pytest.fixture(autouse=True)
def nastiness(request: pytest.FixtureRequest, azure: Client) -> Iterator[None]:
    """Be as nasty as asked while one test runs; what struck stands in the report of a failure."""
    order = wanted(os.environ, "mild")
    if request.node.get_closest_marker("calm") or order["profile"] == "off":
        yield
        return
    azure.manage("POST", "/faults", {**STRUCK, **order, "seed": f"{order['seed']} {request.node.name}"})
    yield
    struck = azure.manage("GET", "/faults")
    request.node.add_report_section(
        "call", "nastiness", f"{struck['profile']}, {struck['requests']} requests: {struck['struck']}"
    )
    azure.manage("DELETE", "/faults")
