"""The command as a process: signals, pipes, terminals, colours, and which stream says what."""

import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from simulator.client import until
from tests.cli.desk import CA_FREE, COMMAND, ROOT, Desk, run

VAULT = "/subscriptions/11111111-2c6d-4f0a-8b1e-5d9c7a3e0001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
OPEN = {
    "id": VAULT,
    "tags": {"cmk-vault": "true"},
    "properties": {"enableSoftDelete": True, "vaultUri": "https://kv.vault.azure.net/"},
}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export with one finding."""
    path = tmp_path / "export.json"
    path.write_text(json.dumps(OPEN))
    return path


def test_interrupted_while_azure_is_slow(desk: Desk) -> None:
    """Ctrl-C ends it at once, though eight threads wait for answers: how far it came is said, and nothing else."""
    fault = {"method": "GET", "path": "vaults/kv-|workspaces/dbw-", "times": 0, "delay_ms": 20_000}
    desk.azure.manage("POST", "/faults", [fault])
    command = [*COMMAND, *desk.where, "-o", "json"]
    with subprocess.Popen(
        command, env=desk.environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as scan:
        until(lambda: desk.azure.manage("GET", "/faults")["rules"][0]["seen"] >= 7, "seven reads in Azure's hands")
        scan.send_signal(signal.SIGINT)
        out, said = scan.communicate(timeout=8)

    assert (scan.returncode, out) == (130, "")
    assert "interrupted: looked at 0 of 7" in said
    assert "Traceback" not in said


def test_whoever_reads_no_further_ends_it(tmp_path: Path) -> None:
    """As `| head -1` does: by SIGPIPE, like any other program, and without a word."""
    rows = [{**OPEN, "id": f"{VAULT}-{number}"} for number in range(400)]
    path = tmp_path / "many.json"
    path.write_text(json.dumps(rows))
    command = [*COMMAND, "--input", str(path), "-o", "csv"]
    with subprocess.Popen(command, env=CA_FREE, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as scan:
        assert scan.stdout
        assert scan.stderr
        assert scan.stdout.readline().startswith(b'"severity"')
        scan.stdout.close()
        said = scan.stderr.read()

    assert scan.returncode == -signal.SIGPIPE
    assert b"Traceback" not in said
    assert b"BrokenPipe" not in said


def test_data_on_stdout_and_words_on_stderr(desk: Desk) -> None:
    """Where nobody looks on there is one line at the start, one when the number is known, one at the end."""
    done = desk.scan("-o", "json", "--subscription", desk.subscription(1))

    assert json.loads(done.stdout)["tool"]["name"] == "cmkwarden"
    assert [line.split(" ")[0] for line in done.stderr.splitlines()] == ["asking", "looking", "looked"]


def test_a_file_in_place_of_stdout(export: Path, tmp_path: Path) -> None:
    """The report is in the file, and stdout stays empty."""
    place = tmp_path / "report.json"
    done = run("--input", str(export), "-o", "json", "--output-file", str(place))

    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(place.read_text())["counts"]["findings"]["critical"] == 1


def test_no_place_for_the_report(export: Path, tmp_path: Path) -> None:
    """A folder that is not there is wrong usage, before anything is scanned; what cannot be written is a failure."""
    nowhere = run("--input", str(export), "--output-file", str(tmp_path / "no/such/report"))
    folder = run("--input", str(export), "--output-file", str(tmp_path))

    assert (nowhere.returncode, folder.returncode) == (2, 1)
    assert "could not be written" in folder.stderr
    assert "Traceback" not in folder.stderr


def on_a_terminal(*args: str, stream: int, **environ: str) -> str:
    """Run the command with one stream on a terminal; return what came over it."""
    master, slave = pty.openpty()
    ends = {1: subprocess.DEVNULL, 2: subprocess.DEVNULL, stream: slave}
    base = {**CA_FREE, "TERM": "xterm-256color", **environ}
    with subprocess.Popen([*COMMAND, *args], env=base, cwd=ROOT, stdout=ends[1], stderr=ends[2]) as scan:
        os.close(slave)
        found, end = b"", time.monotonic() + 30
        while select.select([master], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed: how Linux says that a terminal is at its end
                break
            if not piece:
                break
            found += piece
        scan.wait(timeout=10)
    os.close(master)
    return found.decode()


@pytest.mark.parametrize(
    ("args", "environ", "is_colored"),
    [
        ((), {}, True),
        (("--no-color",), {}, False),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
        ((), {"TERM": "dumb"}, False),
    ],
)
def test_colours(export: Path, args: tuple[str, ...], environ: dict[str, str], is_colored: bool) -> None:
    """Only on a terminal that knows them, and only for those who want them (no-color.org: set and not empty)."""
    shown = on_a_terminal("--input", str(export), *args, stream=1, **environ)

    assert "PurgeProtectionIsOff" in shown
    assert ("\x1b[" in shown) is is_colored


def test_no_colours_without_a_terminal(export: Path) -> None:
    """Into a pipe or a file only words."""
    done = run("--input", str(export))

    assert "PurgeProtectionIsOff" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(("environ", "is_live"), [({}, True), ({"CI": "true"}, False)])
def test_a_bar_in_front_of_a_person(desk: Desk, environ: dict[str, str], is_live: bool) -> None:
    """On a terminal a bar moves; a build's log, terminal or not, gets plain lines."""
    token = {**desk.environ, **environ}
    said = on_a_terminal(*desk.where, "--subscription", desk.subscription(1), stream=2, **token)

    assert "looked at 2 of 2" in said
    assert ("\x1b[" in said) is is_live


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--subscription", "prod"), "not the id of a subscription"),
        (("--management-group", "a/../b"), "not the id of a management group"),
        (("--input", "x", "--subscription", "11111111-2c6d-4f0a-8b1e-5d9c7a3e0001"), "judged without Azure"),
        (("--output", "yaml"), "yaml"),
        (("--fail-on", "always"), "always"),
        (("--ca", "/nonexistent.pem"), "does not exist"),
        (("--ca", str(ROOT / "README.md")), "no certificates"),
        (("--arm-url", "ftp://x"), "CMK_ARM_URL"),
    ],
)
def test_wrong_usage(args: tuple[str, ...], words: str) -> None:
    """It ends with 2 and says what was wrong, before anything is asked of anybody."""
    done = run(*args, environ={**CA_FREE, "COLUMNS": "200"})

    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting(export: Path) -> None:
    """It would silently be the default: refused, with all others that are wrong."""
    done = run("--input", str(export), environ={**CA_FREE, "CMK_VAULTSCOPE": "all", "CMK_SHARE": "much"})

    assert done.returncode == 2
    assert "CMK_VAULT_SCOPE" in done.stderr
    assert "CMK_SHARE='much'" in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        '{"IsEncrypted": false, "Values": {"CMK_VAULT_TAG": "holds=keys"}}',
        "# mine\nexport CMK_VAULT_TAG='holds=keys'\n",
    ],
    ids=["json", "lines"],
)
def test_settings_from_a_file(export: Path, tmp_path: Path, text: str) -> None:
    """With another tag nobody can say whether the vault is one to judge; the environment outweighs the file."""
    path = tmp_path / "settings"
    path.write_text(text)
    by_file = run("--input", str(export), "--settings", str(path))
    by_both = run(
        "--input", str(export), "--settings", str(path), environ={**CA_FREE, "CMK_VAULT_TAG": "cmk-vault=true"}
    )

    assert (by_file.returncode, by_both.returncode) == (4, 3)


@pytest.mark.parametrize("text", ["{", "no sign", '{"Values": {"CMK_SHARE": 5}}'])
def test_settings_from_a_file_that_is_none(export: Path, tmp_path: Path, text: str) -> None:
    """It ends with 2 and names the file."""
    path = tmp_path / "settings"
    path.write_text(text)
    done = run("--input", str(export), "--settings", str(path))

    assert done.returncode == 2
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr
