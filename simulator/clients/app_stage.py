"""A stage with the app on it: clients see what it has done to the vaults of a whole local Azure."""

from pathlib import Path

from simulator.client import Client
from simulator.clients.stage import Stage, owner
from simulator.ports import chosen
from simulator.stack import Stack

# One look at each vault: what a client types is not answered by the next one in the middle of a check.
SETTINGS = {"CMK_GAP": "3600"}


class AppStage(Stage):
    """The same for a client, but Azure is a stack's; `azure` is a person in front of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._stack = Stack(chosen("random"), folder / "stack", SETTINGS)
        self.azure: Client

    @property
    def tenant(self) -> str:
        """The tenant to sign in to."""
        return str(self.azure.facts["tenant"])

    def _start(self) -> None:
        facts = self._stack.__enter__().facts
        self.azure = Client(facts)
        self.arm, self.manage = facts["arm"], facts["manage"]
        proxy = self._start_part("proxy", ["--to", self.arm.removeprefix("https://")])
        self._env = self._environment(Path(facts["ca"]), "", facts["token_url"], proxy["proxy"])
        self.seed([owner(self.tenant, facts["identities"]["operator"]["principal_id"])])

    def _stop(self) -> None:
        super()._stop()
        self._stack.stop()
