"""The environment -> frozen Settings, once, and the only reader of `os.environ`. All problems are reported together.

Every setting stands in SETTINGS with its meaning; a test keeps `local.settings.sample.json` and docs/settings.md
equal to it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core import words
from shared.core.choices import Choices, Mode, VaultScope
from shared.core.part import fingerprints
from shared.web.limits import Rates

MODE_OF = "CMK_MODE_"  # + a control's id with _ for -: the mode of that control alone


class SettingsError(Exception):
    """One or more settings are wrong. The message lists them all."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, what it is when unset, how it is read, and what it means."""

    name: str
    default: str
    read: Callable[[str], Any]
    meaning: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployment says. `choices` is the part that rules and decisions may see."""

    part: str
    choices: Choices
    reader_client_id: str
    writer_client_id: str
    storage_client_id: str
    arm_url: str
    workspace_api: str
    patience: float  # seconds
    authority_url: str
    tenant_id: str
    api_audiences: tuple[str, ...]
    api_rates: Rates
    queue_url: str
    table_url: str
    telemetry: str
    dead_letters: str
    site: str
    signs_in: bool | None
    shared: Mapping[str, str]  # fingerprints by name, of what both parts must have alike


_OVERALL = tuple(mode for mode in Mode if mode is not Mode.OFF)  # CMK_KILL_SWITCH stops everything, and says so

SETTINGS: tuple[Setting, ...] = (
    Setting("CMK_PART", "all", words.one_of("all", "front", "hand"),
            "which triggers this app serves: front (events, HTTP, evaluate, notify, sweep), hand (apply) or all"),
    Setting("CMK_MODE", "auto", lambda value: Mode(words.one_of(*_OVERALL)(value)),
            "how far cmkwarden may go by itself: observe, approve or auto; CMK_MODE_<CONTROL> sets it for one control, or `off`"),
    Setting("CMK_AUTO_SCOPE", "", words.scopes,
            "where anything may happen by itself: subscriptions, groups or resource ids, comma-separated; empty: nowhere"),
    Setting("CMK_SUBSCRIPTIONS", "", words.words,
            "the subscriptions that are looked after; empty: every one that the reader may read"),
    Setting("CMK_VAULT_SCOPE", "linked", lambda value: VaultScope(words.one_of(*VaultScope)(value)),
            "which vaults are looked at: linked (a workspace names it, or it is tagged), tagged or all"),
    Setting("CMK_VAULT_TAG", "cmk-vault=true", words.tag, "the tag that marks a vault as holding customer-managed keys"),
    Setting("CMK_ENVIRONMENT_TAG", "environment", words.text, "the tag that names the environment of a vault or workspace"),
    Setting("CMK_TENANT_TAG", "tenant", words.text, "the tag that says whose data a workspace holds: no key serves two; the name of the environment tag: only environments count"),
    Setting("CMK_TELEMETRY", "off", words.one_of("off", "azure-monitor"), "where spans go; azure-monitor needs requirements-telemetry.txt"),
    Setting("CMK_OWNER_TAG", "owner", words.text, "the tag that names who answers for a vault or workspace; shown, never believed"),
    Setting("CMK_COST_CENTER_TAG", "cost-center", words.text, "the tag that names who pays for a vault or workspace; figures are grouped by it"),
    Setting("CMK_PRODUCTION", "production,prod,prd", lambda value: frozenset(words.words(value)),
            "environments that count as production in the figures"),
    Setting("CMK_GOALS", "", words.goals,
            "what figures should be: compliance in percent, remediation and approval in seconds, as compliance=95,approval=86400"),
    Setting("CMK_PRICES", "", words.prices,
            "what keys cost by type, a month and for operations, as currency=EUR,RSA-3072=0/month+0.15/10000; empty: costs are unknown"),
    Setting("CMK_SANDBOXES", "sandbox,sbx,playground", lambda value: frozenset(words.words(value)),
            "environments in which what cannot be undone is asked for first"),
    Setting("CMK_KILL_SWITCH", "false", words.flag, "true: nothing is written by itself, anywhere; findings wait for approval"),
    Setting("CMK_FREEZE", "", words.freezes, "times in which nothing happens by itself: begin/end in ISO 8601, comma-separated"),
    Setting("CMK_PAUSED", "", lambda value: frozenset(words.words(value)),
            "subscriptions in which nothing happens by itself for now, comma-separated"),
    Setting("CMK_WRITES_PER_HOUR", "60", words.whole(0, 1_000_000),
            "how many writes may happen by themselves in one subscription within an hour"),
    Setting("CMK_SHARE", "20", words.whole(0, 100),
            "how many percent of a subscription's vaults may change by themselves within a day (counts from 5 vaults)"),
    Setting("CMK_RETRY_DELAY", "30", words.seconds, "seconds before the second try of something temporary; doubled each time"),
    Setting("CMK_GAP", "60", words.seconds,
            "seconds between two looks at one target that events ask for: the first is at once, a storm gets one more"),
    Setting("CMK_CLAIM", "900", words.seconds,
            "seconds after which a row without a sign of life may be taken over; longer than the host's 10-minute hold"),
    Setting("CMK_SWEEP_SCHEDULE", "0 0 2 * * *", words.text, "when the sweep runs: NCRONTAB with seconds first, UTC"),
    Setting("CMK_FIGURES_SCHEDULE", "0 30 4 * * *", words.text, "when the figures of the day are made: as CMK_SWEEP_SCHEDULE, some time after it"),
    Setting("CMK_DATABRICKS_PRINCIPAL_ID", "", words.guid, "object id of AzureDatabricks in this tenant; empty: layers that use it cannot be judged"),
    Setting("CMK_IDENTITIES", "", words.identities,
            "user-assigned identities that use keys besides the workspaces' own: resource ids, comma-separated"),
    Setting("CMK_NARROW_ROLE", "built-in", words.one_of("built-in", "strict"),
            "the role that replaces a broad one: Azure's Crypto Service Encryption User, or the strict one of infra/roles"),
    Setting("CMK_GRANT_SCOPE", "vault", words.one_of("vault", "key"), "where roles are given: for the vault, or for each key in use"),
    Setting("CMK_RBAC_SETTLE", "1800", words.seconds,
            "seconds from giving a role to taking the broad one away; Azure needs up to ten minutes to let it take effect"),
    Setting("CMK_GRACE", "0", words.seconds, "seconds for which a new grant is left alone: somebody may be in the middle of a change"),
    Setting("CMK_NOTICE", "0", words.seconds, "seconds between telling the owner and narrowing by itself"),
    Setting("CMK_ALL_WORKSPACES", "false", words.flag, "true: every workspace must have customer-managed keys, whatever its tags say"),
    Setting("CMK_SENSITIVITY_TAG", "data-sensitivity", words.text, "the tag that says how sensitive the data of a workspace is"),
    Setting("CMK_SENSITIVE", "sensitive,confidential,restricted,regulated", lambda value: frozenset(words.words(value)),
            "its values with which a workspace must have customer-managed keys"),
    Setting("CMK_OWNER_VALUES", "", words.words,
            "legal values of the owner tag: words, or patterns with * ? and [ ], comma-separated; empty: any"),
    Setting("CMK_COST_CENTER_VALUES", "", words.words, "the same for the cost centre's tag"),
    Setting("CMK_SENSITIVITY_VALUES", "", words.words, "the same for the sensitivity tag"),
    Setting("CMK_ENVIRONMENT_VALUES", "", words.words, "the same for the environment tag"),
    Setting("CMK_KEY_ENVIRONMENTS", "", lambda value: frozenset(words.words(value)),
            "environments in which every workspace must have them"),
    Setting("CMK_LAYERS", "managedServices,managedDisk,dbfsRoot", words.layers, "the layers that must have them"),
    Setting("CMK_LOG_WORKSPACE", "", words.log_workspace,
            "the Log Analytics workspace that audit logs of vaults are sent to: its id; empty: nothing is sent, a person must"),
    Setting("CMK_KEY_VAULTS", "", words.key_vaults,
            "the vaults where keys of workspaces may live: ids to pick from, or subscription/region=id for the one to take; empty: nothing is migrated"),
    Setting("CMK_KEY_VAULT_TAG", "cmk-vault-id", words.text, "the tag with which a workspace proposes one of them; it never decides"),
    Setting("CMK_KEY_PER_LAYER", "false", words.flag, "true: a key for each layer instead of one for each workspace"),
    Setting("CMK_KEY_SIZE", "3072", lambda value: int(words.one_of("2048", "3072", "4096")(value)), "bits of a new key (RSA)"),
    Setting("CMK_KEY_REQUESTS", "5", words.whole(0, 1000), "how many keys one person may ask for within a day; 0: nobody may ask"),
    Setting("CMK_KEY_EXPIRY", "2592000", words.seconds, "seconds before its end at which a key in use is a finding"),
    Setting("CMK_KEY_AGE", "31536000", words.age, "seconds that the version of a key in use may be old; 60 days at least"),
    Setting("CMK_KEY_GRACE", "86400", words.seconds, "seconds after a new version of a key in which a workspace may still use the one before"),
    Setting("CMK_POLL", "10", words.seconds, "seconds between two questions about a workspace that Azure is still changing"),
    Setting("CMK_PATIENCE", "240", words.whole(0, 240), "seconds for which a change of a workspace is watched before it is come back to, 240 at most"),
    Setting("CMK_WORKSPACE_API", "2026-01-01", words.version, "the api-version for workspaces; one that knows computeMode"),
    Setting("CMK_TWO_APPROVERS", "false", words.flag, "true: a plan with a step that cannot be undone takes the yes of two people"),
    Setting("CMK_ASK", "1209600", words.seconds, "seconds for which a question awaits its answer; then the row is expired"),
    Setting("CMK_REMIND", "259200", words.seconds, "seconds before its end in which people are reminded of a question; 0: never"),
    Setting("CMK_LOOK_AGAIN", "604800", words.seconds,
            "seconds after which a vault or workspace with keys in use is looked at anew by the sweep, whatever lists show; 0: never"),
    Setting("CMK_DEAD_LETTERS", "", words.url,
            "the container of Event Grid's dead letters, as https://account.blob.core.windows.net/name; empty: none is read"),
    Setting("CMK_READER_CLIENT_ID", "", words.text, "client id of the identity that reads; empty: the app's own"),
    Setting("CMK_WRITER_CLIENT_ID", "", words.text, "client id of the identity that writes; needed by `hand`, and by `front` to tell our own changes from those of others"),
    Setting("CMK_ARM_URL", "https://management.azure.com", words.url, "the Resource Manager endpoint"),
    Setting("CMK_AUTHORITY_URL", "https://login.microsoftonline.com", words.url, "where the keys that sign tokens are published"),
    Setting("CMK_TENANT_ID", "", words.text, "the tenant whose tokens the API accepts; empty: none, every call answers 401"),
    Setting("CMK_API_AUDIENCE", "", words.names,
            "the audiences that tokens must be made for (api:// URI, client id); empty: none, every call answers 401"),
    Setting("CMK_API_REQUESTS", "600", words.whole(0, 1_000_000), "how many requests a minute one caller may send to one instance; 0: no limit"),
    Setting("CMK_API_WRITES", "60", words.whole(0, 1_000_000), "how many of them may change something; 0: no limit"),
    Setting("CMK_API_FAILED_SIGN_INS", "60", words.whole(0, 1_000_000),
            "how many failed sign-ins a minute one address may have at one instance before it is told to wait; 0: no limit"),
    Setting("AzureWebJobsStorage__accountName", "", words.text, "the storage account, where the two URIs below are not given"),
    Setting("AzureWebJobsStorage__queueServiceUri", "", words.url, "the queue endpoint of the storage account"),
    Setting("AzureWebJobsStorage__tableServiceUri", "", words.url, "the table endpoint of the storage account"),
    Setting("AzureWebJobsStorage__clientId", "", words.text, "client id of the identity for storage; empty: the app's own"),
    Setting("WEBSITE_SITE_NAME", "", words.text, "the name of the app; set by Azure, never by you"),
    Setting("WEBSITE_AUTH_ENABLED", "", words.text, "whether App Service's sign-in is in front of the app; set by Azure, never by you"),
)  # fmt: skip


def read(environ: Mapping[str, str] | None = None, controls: tuple[str, ...] = ()) -> Settings:
    """Read the settings. `controls` are the ids that CMK_MODE_<CONTROL> may name. Raises SettingsError."""
    source = os.environ if environ is None else environ
    problems: list[str] = []
    values = {setting.name: _value(setting, source, problems) for setting in SETTINGS}
    modes = _modes(source, controls, problems)
    problems += words.strangers([it for it in source if not it.startswith(MODE_OF)], [it.name for it in SETTINGS])
    problems += _gaps(values)
    if problems:
        raise SettingsError("the settings are wrong:\n" + "\n".join(f"  - {problem}" for problem in problems))
    return _settings(values, modes, fingerprints(_texts(source)))


def _texts(source: Mapping[str, str]) -> dict[str, str]:
    modes = {name: text for name, text in source.items() if name.startswith(MODE_OF)}
    return {it.name: source.get(it.name, "") or it.default for it in SETTINGS} | modes


def _value(setting: Setting, source: Mapping[str, str], problems: list[str]) -> Any:
    text = source.get(setting.name, "") or setting.default
    try:
        return setting.read(text)
    except ValueError as error:
        problems.append(f"{setting.name}={text!r}: {error} ({setting.meaning})")
        return None


def _modes(source: Mapping[str, str], controls: tuple[str, ...], problems: list[str]) -> dict[str, Mode]:
    by_name = {MODE_OF + control.replace("-", "_"): control for control in controls}
    modes = {}
    for name, text in source.items():
        if not name.startswith(MODE_OF):
            continue
        if name not in by_name:
            problems.append(f"{name}: there is no such control; there are {', '.join(sorted(by_name)) or 'none'}")
        elif text not in list(Mode):
            problems.append(f"{name}={text!r}: must be one of {', '.join(Mode)}")
        else:
            modes[by_name[name]] = Mode(text)
    return modes


def _gaps(values: Mapping[str, Any]) -> list[str]:
    gaps = []
    if not values["AzureWebJobsStorage__accountName"]:
        for service in ("queue", "table"):
            if values[f"AzureWebJobsStorage__{service}ServiceUri"] == "":
                gaps.append(f"AzureWebJobsStorage__{service}ServiceUri or AzureWebJobsStorage__accountName must be set")
    if values["CMK_PART"] in {"all", "hand"} and not values["CMK_WRITER_CLIENT_ID"]:
        gaps.append("CMK_WRITER_CLIENT_ID must be set where CMK_PART is all or hand: what writes has its own identity")
    return gaps


def _settings(values: Mapping[str, Any], modes: dict[str, Mode], shared: Mapping[str, str]) -> Settings:
    account = values["AzureWebJobsStorage__accountName"]
    urls = {
        service: values[f"AzureWebJobsStorage__{service}ServiceUri"] or f"https://{account}.{service}.core.windows.net"
        for service in ("queue", "table")
    }
    return Settings(
        part=values["CMK_PART"],
        choices=Choices(
            mode=values["CMK_MODE"],
            modes=modes,
            auto_scope=values["CMK_AUTO_SCOPE"],
            subscriptions=values["CMK_SUBSCRIPTIONS"],
            vault_scope=values["CMK_VAULT_SCOPE"],
            vault_tag=values["CMK_VAULT_TAG"],
            environment_tag=values["CMK_ENVIRONMENT_TAG"],
            owner_tag=values["CMK_OWNER_TAG"],
            tenant_tag=values["CMK_TENANT_TAG"],
            production=values["CMK_PRODUCTION"],
            goals=values["CMK_GOALS"],
            prices=values["CMK_PRICES"],
            sandboxes=values["CMK_SANDBOXES"],
            kill_switch=values["CMK_KILL_SWITCH"],
            freezes=values["CMK_FREEZE"],
            paused=values["CMK_PAUSED"],
            writes_per_hour=values["CMK_WRITES_PER_HOUR"],
            share=values["CMK_SHARE"],
            retry_delay=values["CMK_RETRY_DELAY"],
            gap=values["CMK_GAP"],
            claim=values["CMK_CLAIM"],
            identities=values["CMK_IDENTITIES"],
            databricks=values["CMK_DATABRICKS_PRINCIPAL_ID"],
            strict_role=values["CMK_NARROW_ROLE"] == "strict",
            grant_at_key=values["CMK_GRANT_SCOPE"] == "key",
            settle=values["CMK_RBAC_SETTLE"],
            grace=values["CMK_GRACE"],
            notice=values["CMK_NOTICE"],
            tenant=values["CMK_TENANT_ID"].lower(),
            all_workspaces=values["CMK_ALL_WORKSPACES"],
            sensitivity_tag=values["CMK_SENSITIVITY_TAG"],
            sensitive=values["CMK_SENSITIVE"],
            cost_center_tag=values["CMK_COST_CENTER_TAG"],
            owners=values["CMK_OWNER_VALUES"],
            cost_centers=values["CMK_COST_CENTER_VALUES"],
            sensitivities=values["CMK_SENSITIVITY_VALUES"],
            environments=values["CMK_ENVIRONMENT_VALUES"],
            key_environments=values["CMK_KEY_ENVIRONMENTS"],
            layers=values["CMK_LAYERS"],
            key_vaults=values["CMK_KEY_VAULTS"],
            vault_proposal_tag=values["CMK_KEY_VAULT_TAG"],
            key_per_layer=values["CMK_KEY_PER_LAYER"],
            key_requests=values["CMK_KEY_REQUESTS"],
            key_size=values["CMK_KEY_SIZE"],
            expiring=values["CMK_KEY_EXPIRY"],
            key_age=values["CMK_KEY_AGE"],
            key_grace=values["CMK_KEY_GRACE"],
            poll=values["CMK_POLL"],
            two_approvers=values["CMK_TWO_APPROVERS"],
            ask=values["CMK_ASK"],
            log_workspace=values["CMK_LOG_WORKSPACE"],
            remind=values["CMK_REMIND"],
            look_again=values["CMK_LOOK_AGAIN"],
        ),
        reader_client_id=values["CMK_READER_CLIENT_ID"],
        writer_client_id=values["CMK_WRITER_CLIENT_ID"],
        storage_client_id=values["AzureWebJobsStorage__clientId"],
        arm_url=values["CMK_ARM_URL"],
        workspace_api=values["CMK_WORKSPACE_API"],
        patience=values["CMK_PATIENCE"],
        authority_url=values["CMK_AUTHORITY_URL"],
        tenant_id=values["CMK_TENANT_ID"],
        api_audiences=values["CMK_API_AUDIENCE"],
        api_rates=Rates(values["CMK_API_REQUESTS"], values["CMK_API_WRITES"], values["CMK_API_FAILED_SIGN_INS"]),
        queue_url=urls["queue"],
        table_url=urls["table"],
        telemetry=values["CMK_TELEMETRY"],
        dead_letters=values["CMK_DEAD_LETTERS"],
        site=values["WEBSITE_SITE_NAME"],
        signs_in=values["WEBSITE_AUTH_ENABLED"].lower() in {"true", "1"} if values["WEBSITE_SITE_NAME"] else None,
        shared=shared,
    )
