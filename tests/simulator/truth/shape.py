"""What two answers have in common when ids, times and other inventions of the server are taken out.

Structure, enum-like values, error texts and every number that is no date stay: in those the simulator must not differ.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.simulator.truth.names import SIGNATURES

ABSTRACT = (
    (re.compile(r"(?<=The client ')[^']+"), "<client>"),
    (re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE), "<guid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d)?"), "<time>"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M"), "<time>"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "<who>"),
    (re.compile(r"https://management\.azure\.com(:443)?(?=/)"), "<arm>"),
    (re.compile(r"https://(127\.0\.0\.1|localhost):\d+"), "<arm>"),
    # Entra's host had this older name in answers of Key Vault until 2021; clients follow either.
    (re.compile(r"login\.(windows\.net|microsoftonline\.com)"), "<login>"),
    (re.compile(r"adb-\d+\.\d+\."), "adb-<n>."),
    (re.compile(r"dbstorage[a-z0-9]{13}"), "dbstorage<id>"),
    (re.compile(r"dbdiskencryptionset[-_]?[0-9a-f]+"), "dbdiskencryptionset<id>"),
    (re.compile(r"\b[0-9a-f]{32}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\b1003[0-9A-F]{12}\b"), "<puid>"),
    (re.compile(r"\b\d{10,}\b"), "<digits>"),
    (re.compile(r"[A-Za-z0-9_+=-]{43,}"), "<blob>"),
)
# Headers that a client acts on. The recorder of Azure CLI takes Retry-After out (data/INDEX.md), so only one that was
# recorded is asked for.
HEADERS = ("azure-asyncoperation", "location", "x-ms-failure-cause", "www-authenticate", "content-type", "retry-after")


def leaf(value: Any) -> Any:
    """A value without what the server invents."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return "<epoch>" if value > 10**8 else value
    text = str(value)
    for pattern, name in ABSTRACT:
        text = pattern.sub(name, text)
    return text


def abstract(value: Any) -> Any:
    """A whole body without what the server invents."""
    if isinstance(value, dict):
        return {name: form(each) if name == "nextLink" else abstract(each) for name, each in sorted(value.items())}
    return [abstract(each) for each in value] if isinstance(value, list) else leaf(value)


def bodies(recorded: Any, actual: Any, path: str = "body") -> Iterator[str]:
    """Every difference between two bodies, named by its place."""
    if isinstance(recorded, dict) and isinstance(actual, dict):
        yield from _objects(recorded, actual, path)
    elif isinstance(recorded, list) and isinstance(actual, list):
        yield from _lists(recorded, actual, path)
    elif path.endswith("nextLink") and isinstance(recorded, str) and isinstance(actual, str):
        yield from _urls(recorded, actual, path)
    elif leaf(recorded) != leaf(actual):
        yield f"{path}: {_shown(recorded)} != {_shown(actual)}"


def _objects(recorded: dict[str, Any], actual: dict[str, Any], path: str) -> Iterator[str]:
    for name in recorded.keys() - actual.keys():
        yield f"{path}.{name}: missing"
    for name in actual.keys() - recorded.keys():
        yield f"{path}.{name}: not in Azure's answer"
    for name in sorted(recorded.keys() & actual.keys()):
        yield from bodies(recorded[name], actual[name], f"{path}.{name}")


def _lists(recorded: list[Any], actual: list[Any], path: str) -> Iterator[str]:
    keyed, found = _by_id(recorded), _by_id(actual)
    if keyed is not None and found is not None:
        for what, keys in (("missing", keyed.keys() - found.keys()), ("too much", found.keys() - keyed.keys())):
            if keys:
                names = sorted(key.rsplit("/", 1)[-1] for key in keys)
                yield f"{path}.[]: {what}: {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
        for key in keyed.keys() & found.keys():
            yield from bodies(keyed[key], found[key], f"{path}.[]")
    elif recorded and not isinstance(recorded[0], dict):
        if sorted(map(str, map(leaf, recorded))) != sorted(map(str, map(leaf, actual))):
            yield f"{path}: {_shown(recorded)} != {_shown(actual)}"
    elif len(recorded) != len(actual):
        yield f"{path}: {len(recorded)} items, not {len(actual)}"
    else:
        for one, other in zip(recorded, actual, strict=True):
            yield from bodies(one, other, f"{path}.[]")


def _by_id(rows: list[Any]) -> dict[str, Any] | None:
    """Rows by their id, as far as that tells them apart; keys of a vault are known by `kid`."""
    ids = [str(row.get("id") or row.get("kid") or "").lower() if isinstance(row, dict) else "" for row in rows]
    return dict(zip(ids, rows, strict=True)) if all(ids) and len(set(ids)) == len(ids) else None


def headers(recorded: dict[str, str], actual: dict[str, str], *, has_body: bool) -> Iterator[str]:
    """Every difference in a header that a client acts on."""
    for name in HEADERS:
        one, other = recorded.get(name), actual.get(name)
        if name == "content-type" and one and other:
            one, other = one.split(";")[0], other.split(";")[0]
        if (name == "retry-after" and one is None) or (name == "content-type" and (one is None or not has_body)):
            continue
        if one is None and other is not None:
            yield f"header {name}: not in Azure's answer"
        elif one is not None and other is None:
            yield f"header {name}: missing"
        elif one and other and name in {"location", "azure-asyncoperation"}:
            yield from _urls(one, other, f"header {name}")
        elif one and other and leaf(one).lower().replace(" ", "") != leaf(other).lower().replace(" ", ""):
            yield f"header {name}: {_shown(one)} != {_shown(other)}"


def _urls(recorded: str, actual: str, where: str) -> Iterator[str]:
    """Two links: the same path but for the last name, and the same names in the query."""
    one, other = form(recorded), form(actual)
    if one != other:
        yield f"{where}: {one} != {other}"


def form(url: str) -> str:
    """A link without what the server invents: the path but for an operation's name, and the names in the query."""
    parts = urlsplit(url)
    path = [leaf(part) for part in parts.path.split("/")]
    if "operation" in (path[-2] if len(path) > 1 else "").lower():
        path[-1] = "<operation>"
    names = sorted({name.lower() for name, _ in parse_qsl(parts.query)} - SIGNATURES)
    return "/".join(path) + "?" + "&".join(names)


def _shown(value: Any) -> str:
    text = repr(leaf(value) if not isinstance(value, dict | list) else value)
    return text if len(text) <= 160 else text[:157] + "..."
