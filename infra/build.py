"""Writes the templates in infra/arm anew from their parts; `--check` writes nothing and names those out of date."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from infra.assemble import policies
from infra.assemble.alerts import alerts
from infra.assemble.app import app
from infra.assemble.estate import group
from infra.assemble.estate import main as main_
from infra.assemble.linked import linked
from infra.assemble.roles import roles
from infra.assemble.subscription import subscription
from infra.assemble.vault import vault

HERE = Path(__file__).parent
# Name of the file in infra/arm -> what puts it together. Whoever adds a template adds a line.
TEMPLATES: dict[str, Callable[[], dict[str, object]]] = {
    "app.json": app,
    "roles.json": roles,
    "subscription.json": subscription,
    "vault.json": vault,
    "linked.json": linked,
    "main.json": main_,
    "group.json": group,
    "alerts.json": alerts,
    "policies.json": policies.subscription,
    "policy-mg.json": policies.group,
}


def text(template: dict[str, object]) -> str:
    """Return a template as it lies in the repository: indented, with its keys in the order they were given."""
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def stale() -> list[str]:
    """Return the names of the templates whose file is not what their parts make."""
    return [
        name
        for name, assemble in TEMPLATES.items()
        if not (HERE / "arm" / name).exists() or (HERE / "arm" / name).read_text() != text(assemble())
    ]


def main(arguments: list[str]) -> int:
    """Write what is out of date, or with --check only name it and return 1."""
    parser = argparse.ArgumentParser(prog="python -m infra.build", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is out of date")
    check = parser.parse_args(arguments).check
    names = stale()
    for name in names:
        if check:
            sys.stderr.write(f"infra/arm/{name} is not what its parts make: run `python -m infra.build`\n")
        else:
            (HERE / "arm" / name).write_text(text(TEMPLATES[name]()))
            sys.stderr.write(f"infra/arm/{name} written\n")
    return int(check and bool(names))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
