"""`python -m cli.scan`: the command alone."""

import typer

from cli.scan.command import scan

if __name__ == "__main__":
    typer.run(scan)
