"""Microsoft Graph, the part that ARM clients ask for names: directory objects, service principals, groups, domains.

Reached by Host (graph.microsoft.com, graph.windows.net) or by path on the ARM port, because a registered cloud points
there (LOCAL 8). Shapes are those of the Graph v1.0 reference; who may read is one knob, not Graph's permissions.
"""

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from simulator.arm.answer import Answer, Json, Refused
from simulator.arm.config import Config
from simulator.arm.directory import Directory, Principal
from simulator.arm.knobs import Knobs
from simulator.arm.router import fold
from simulator.arm.tokens import ARM_AUDIENCES, Caller

HOSTS = {"graph.microsoft.com", "graph.windows.net"}
AUDIENCES = frozenset(f"https://{host}{slash}" for host in HOSTS for slash in ("", "/"))
MOST_IDS = 1000  # in one getByIds [LEARN graph directoryobject-getbyids]
KINDS = {"users": "User", "groups": "Group", "serviceprincipals": "ServicePrincipal"}
WORDS = {"User": "user", "Group": "group", "ServicePrincipal": "servicePrincipal"}
KEYED = re.compile(r"serviceprincipals\(appid='([^']*)'\)")
EQUALS = re.compile(r"\s*(\w+)\s+eq\s+'([^']*)'\s*", re.IGNORECASE)
# What Azure CLI sends for --assignee.
NAMES = re.compile(r"\s*servicePrincipalNames/any\(\s*(\w+)\s*:\s*\1\s+eq\s+'([^']*)'\s*\)\s*", re.IGNORECASE)


def audiences(path: str, host: str, tenant: str) -> frozenset[str] | None:
    """What a token for this request must be meant for; None: the request is for ARM, which is the plain case.

    On the ARM port a token for ARM will do, because a registered cloud names one address for both.
    """
    if path.startswith(("/subscriptions", "/providers")):
        return None
    if fold(host.rsplit(":", 1)[0]) in HOSTS:
        return AUDIENCES
    lower = fold(path)
    legacy = lower in {f"/{fold(name)}/getobjectsbyobjectids" for name in (tenant, "myorganization")}
    return AUDIENCES | ARM_AUDIENCES if legacy or lower.startswith(("/v1.0/", "/beta/")) else None


class MsGraph:
    """Answers from the directory; it changes nothing."""

    def __init__(self, config: Config, knobs: Knobs, directory: Directory) -> None:
        self._tenant, self._knobs, self._directory = config.tenant, knobs, directory

    def answer(self, method: str, path: str, query: Mapping[str, str], content: bytes, caller: Caller) -> Answer:
        """The reply to one request that has a good token."""
        try:
            if self._knobs.graph_closed and not caller.is_person:
                raise _refused(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
            return self._serve(method, path, query, content, caller)
        except Refused as refusal:
            return refusal.answer()

    def _serve(self, method: str, path: str, query: Mapping[str, str], content: bytes, caller: Caller) -> Answer:
        parts = [part for part in fold(path).split("/") if part][1:]
        rest = "/".join(parts)
        if method == "POST" and rest in {"directoryobjects/getbyids", "directoryobjects/microsoft.graph.getbyids"}:
            return self._by_ids(content)
        if method == "POST" and rest == "getobjectsbyobjectids":
            return self._legacy(content)
        if method != "GET":
            raise _refused(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")
        if rest == "domains":
            return Answer(200, _collection("domains", [_domain()]))
        if rest == "organization":
            return Answer(200, _collection("organization", [{"id": self._tenant, "displayName": "Simulated tenant"}]))
        if rest == "me":
            return Answer(200, self._one(caller.oid, "User"))
        keyed = KEYED.fullmatch(rest)
        if keyed:
            return Answer(200, self._service(keyed[1]))
        return self._read(parts, query)

    def _read(self, parts: list[str], query: Mapping[str, str]) -> Answer:
        """`users`, `groups`, `servicePrincipals` and `directoryObjects`: a list, one, or the members of one."""
        kind = KINDS.get(parts[0]) if parts else None
        if kind and len(parts) == 1:
            found = [_form(each) for each in self._filtered(query.get("$filter", "")) if each.type == kind]
            return Answer(200, _collection(parts[0], found))
        if len(parts) == 2 and (kind or parts[0] == "directoryobjects"):
            return Answer(200, self._one(parts[1], kind or ""))
        if len(parts) == 3 and parts[2] in {"members", "transitivemembers", "memberof", "transitivememberof"}:
            found = [_form(each) for each in self._related(parts[1], parts[2])]
            return Answer(200, _collection("directoryObjects", found))
        where = parts[0] if parts else ""
        raise _refused(400, "BadRequest", f"Resource not found for the segment '{where}'.")

    def _by_ids(self, content: bytes) -> Answer:
        """Those that exist; unknown ids are left out without a word."""
        body = _body(content)
        wanted = {fold(str(each)) for each in body.get("types") or ()}
        found = [each for each in self._known(body.get("ids")) if not wanted or fold(WORDS[each.type]) in wanted]
        return Answer(200, _collection("directoryObjects", [_form(each) for each in found]))

    def _legacy(self, content: bytes) -> Answer:
        """Azure AD Graph 1.6, which Cloud Custodian still speaks."""
        rows = [
            {
                "odata.type": f"Microsoft.DirectoryServices.{each.type}",
                "objectType": each.type,
                "objectId": each.id,
                "displayName": each.name,
                **({"appId": each.app_id} if each.app_id else {}),
                **({"userPrincipalName": each.upn} if each.upn else {}),
            }
            for each in self._known(_body(content).get("objectIds"))
        ]
        where = f"https://graph.windows.net/{self._tenant}/$metadata#directoryObjects"
        return Answer(200, {"odata.metadata": where, "value": rows})

    def _known(self, ids: Any) -> Iterator[Principal]:
        if not isinstance(ids, list) or len(ids) > MOST_IDS:
            raise _refused(400, "Request_BadRequest", f"A list of at most {MOST_IDS} ids is needed.")
        for each in ids:
            try:
                uuid.UUID(str(each))
            except ValueError:
                raise _refused(400, "Request_BadRequest", f"Invalid GUID:{each}") from None
            found = self._directory.get(str(each))
            if found:
                yield found

    def _filtered(self, text: str) -> Iterator[Principal]:
        names, match = NAMES.fullmatch(text), EQUALS.fullmatch(text)
        if text and not names and not match:
            raise _refused(400, "Request_UnsupportedQuery", f"Unsupported or invalid query filter clause: {text}")
        field = "servicePrincipalNames" if names else match[1] if match else ""
        value = fold(names[2] if names else match[2] if match else "")
        for each in self._directory:
            held = {
                "": "",
                "appid": each.app_id,
                "id": each.id,
                "displayname": fold(each.name),
                "userprincipalname": fold(each.upn),
                "mail": fold(each.upn),
                "serviceprincipalnames": each.app_id,
            }
            if fold(field) not in held:
                raise _refused(400, "Request_UnsupportedQuery", f"Unsupported property '{field}' in the filter.")
            if held[fold(field)] == value:
                yield each

    def _service(self, app_id: str) -> Json:
        found = self._directory.by_app(app_id)
        if found is None:
            raise _missing(app_id)
        return _entity("servicePrincipals", found)

    def _one(self, key: str, kind: str) -> Json:
        """By object id; a user by name as well."""
        found = self._directory.get(key) or next((each for each in self._directory if key and each.upn == key), None)
        if found is None or (kind and found.type != kind):
            raise _missing(key)
        return _entity(f"{WORDS[found.type]}s", found)

    def _related(self, key: str, how: str) -> Iterator[Principal]:
        found = self._directory.get(key)
        if found is None:
            raise _missing(key)
        for each in self._directory:
            if each.id == found.id:
                continue
            above, below = self._directory.circle(found.id), self._directory.circle(each.id)
            related = {
                "members": each.id in found.members,
                "transitivemembers": found.id in below,
                "memberof": found.id in each.members,
                "transitivememberof": each.id in above,
            }
            if related[how]:
                yield each


def _form(principal: Principal) -> Json:
    """A directory object; managed identities are service principals of their own type."""
    shown: Json = {
        "@odata.type": f"#microsoft.graph.{WORDS[principal.type]}",
        "id": principal.id,
        "displayName": principal.name or None,
    }
    if principal.type == "ServicePrincipal":
        names = [principal.app_id] if principal.app_id else []
        kind = "ManagedIdentity" if principal.managed else "Application"
        shown |= {"appId": principal.app_id or None, "servicePrincipalNames": names, "servicePrincipalType": kind}
    elif principal.type == "User":
        shown |= {"userPrincipalName": principal.upn, "mail": principal.upn}
    else:
        shown |= {"securityEnabled": True, "mailEnabled": False}
    return shown


def _entity(kind: str, principal: Principal) -> Json:
    return {"@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{kind}/$entity", **_form(principal)}


def _collection(kind: str, rows: list[Json]) -> Json:
    return {"@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{kind}", "value": rows}


def _domain() -> Json:
    return {
        "id": "example.com",
        "authenticationType": "Managed",
        "isAdminManaged": True,
        "isDefault": True,
        "isInitial": True,
        "isRoot": True,
        "isVerified": True,
        "supportedServices": [],
        "passwordValidityPeriodInDays": None,
    }


def _body(content: bytes) -> Json:
    try:
        body: Any = msgspec.json.decode(content or b"{}")
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise _refused(400, "BadRequest", "Unable to read JSON request payload.")
    return body


def _missing(key: str) -> Refused:
    return _refused(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def _refused(status: int, code: str, message: str) -> Refused:
    return Refused(status, code, message)
