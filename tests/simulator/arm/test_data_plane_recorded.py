"""The data plane against recorded traffic: the same calls have the same fields in their answers, by api-version."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.simulator.arm.stage import Stage
from tests.simulator.arm.vaultdoor import at, made_vault

# What a recording may have and the simulator's key has not: the key is nobody's certificate and was sent no dates.
OPTIONAL = {"tags", "nbf", "exp", "managed", "x", "y", "crv", "n", "e"}
# Two recordings of 7.6-preview.2 differ in this (May and December 2025); the simulator follows the later.
LATER = {"key_size"}


def test_answers_have_the_recorded_fields(stage: Stage, reference: Path) -> None:
    """Create, get, list, versions, delete, recover: fields of the body, of the key and of its attributes."""
    records = [json.loads(line) for line in (reference / "arm_traffic/keyvault_dataplane_keys.jsonl").open()]
    compared = 0
    for number, record in enumerate(each for each in records if each["status"] == 200):
        word = _word(record)
        if word is None:
            continue
        answer = _replayed(stage, f"kv-rec-{number}", word, record["api_version"])
        problems = list(_differences(word, record["response_body"], answer))
        assert problems == [], (word, record["api_version"], record["source"])
        compared += 1

    assert compared > 30


@pytest.mark.parametrize("version", ["7.5-preview.1", "7.6-preview.2", "7.4"])
def test_the_challenge_is_the_recorded_one(stage: Stage, reference: Path, version: str) -> None:
    """Body and header of a 401, with the tenant put in place."""
    records = [json.loads(line) for line in (reference / "arm_traffic/keyvault_dataplane_keys.jsonl").open()]
    one = next(each for each in records if each["status"] == 401 and "AKV10000" in json.dumps(each["response_body"]))
    made_vault(stage, "kv-rec-401")

    answer = at(stage, "kv-rec-401", "GET", "/keys", who="", version=version)

    assert answer.json() == one["response_body"]
    assert (
        answer.headers["WWW-Authenticate"].rsplit("/", 3)[-2:] == one["headers"]["www-authenticate"].rsplit("/", 3)[-2:]
    )
    assert {"x-ms-keyvault-region", "x-ms-keyvault-service-version"} <= {name.lower() for name in answer.headers}


def _word(record: dict[str, Any]) -> str | None:
    """What kind of call a recording is; None for those that are not imitated."""
    parts = urlsplit(record["url"]).path.strip("/").split("/")
    if record["response_body"].get("key", {}).get("kty", "RSA") != "RSA":
        return None
    if parts == ["keys"]:
        return "list" if record["response_body"]["value"] else None
    if parts[-1] in {"create", "versions", "recover", "encrypt"}:
        return str(parts[-1])
    return {"GET": "get", "DELETE": "delete", "PATCH": "update"}.get(record["method"]) if len(parts) <= 3 else None


def _replayed(stage: Stage, name: str, word: str, version: str) -> Any:
    soft = {"enableSoftDelete": True, "softDeleteRetentionInDays": 7}
    made_vault(stage, name, ["all"], **soft)
    new = {"kty": "RSA", "attributes": {"enabled": True}}
    made = at(stage, name, "POST", "/keys/k/create", new, version=version)
    if word == "recover":
        at(stage, name, "DELETE", "/keys/k", version=version)
    calls: dict[str, tuple[str, str, Any]] = {
        "list": ("GET", "/keys", None),
        "versions": ("GET", "/keys/k/versions", None),
        "get": ("GET", "/keys/k/", None),
        "delete": ("DELETE", "/keys/k", None),
        "update": ("PATCH", "/keys/k/", new),
        "recover": ("POST", "/deletedkeys/k/recover", None),
        "encrypt": ("POST", "/keys/k/encrypt", {"alg": "RSA-OAEP", "value": "YWJj"}),
    }
    answer = made if word == "create" else at(stage, name, *calls[word], version=version)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _differences(word: str, recorded: dict[str, Any], answer: dict[str, Any]) -> Any:
    """Fields that one has and the other has not."""
    if word in {"list", "versions"}:
        recorded, answer = _plain_row(recorded["value"]), answer["value"][0]
    for part in (None, "key", "attributes"):
        theirs, ours = (recorded, answer) if part is None else (recorded.get(part), answer.get(part))
        if not isinstance(theirs, dict) or not isinstance(ours, dict):
            continue
        if part != "key":
            missing, extra = set(theirs) - set(ours) - OPTIONAL, set(ours) - set(theirs) - LATER
            # Soft delete is off in some recorded vaults: they have no recovery to tell of.
            extra -= {"recoveryId", "deletedDate", "scheduledPurgeDate", "recoverableDays"}
            if missing or extra:
                yield part, missing, extra
        elif set(theirs) != set(ours):
            yield part, set(theirs) ^ set(ours)


def _plain_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of a key that is no certificate's, if there is one: those show less."""
    return next((row for row in rows if not row.get("managed")), rows[0])
