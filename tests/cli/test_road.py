"""A migration approved on the command line: the same end as through the API and the console."""

from pathlib import Path

from simulator.client import Client, until
from tests.cli.keyboard import Keyboard
from tests.journeys.test_migration import ticket
from tests.migration import WEST, check_moved, key_vault, plain


def test_from_the_list_to_three_layers_on_one_key(azure: Client, tmp_path: Path) -> None:
    """Listed, shown, approved and followed, confirmed, verified: nothing but the command line, and Azure as the witness."""
    azure.manage("POST", "/knobs", {"activity_lag": 0})
    keyboard = Keyboard(tmp_path, azure)
    key_vault(azure, WEST)
    at = plain(azure, WEST)
    row, before = at.soon("awaiting_approval"), at.body()
    until(lambda: ticket(at, row, "open"), "a ticket")
    listed = keyboard.local("remediations", "--target", at.id, "--control", "DBX-CMK").stdout
    shown = keyboard.local("show", row["id"]).stdout
    yes = ("approve", row["id"], "--comment", "seen", "--yes", "--fingerprint", row["plan"]["fingerprint"])
    first = keyboard.local(*yes, who="Ada")
    if at.row_in("awaiting_approval"):  # nobody knows whose change it is: it takes a second person
        keyboard.local(*yes, who="Amit")
    until(lambda: (at.row_in("awaiting_approval") or {}).get("decision", {}).get("reason") == "AwaitsConfirmation",
          "what only a person can do", 180)  # fmt: skip
    done = keyboard.local("confirm", row["id"], "--comment", "all clusters, pools and warehouses restarted", who="Dana")
    at.soon("resolved")
    until(lambda: ticket(at, row, "closed"), "the end of the ticket")
    whole = keyboard.local("history", "verify", row["id"])

    assert row["id"] in listed
    assert all(layer in shown for layer in ("managedServices", "managedDisk", "dbfsRoot"))
    assert shown.count("[IRREVERSIBLE]") == 2
    assert (first.returncode, done.returncode, whole.returncode) == (0, 0, 0)
    check_moved(at, before)
