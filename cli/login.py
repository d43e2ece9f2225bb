"""Signing in to the app: a token from the environment, else from Azure CLI or whatever else azure-identity finds."""

import logging
import os

SCOPE = "api://cmkwarden/.default"
TOKEN = "CMKWARDEN_TOKEN"


class NotSignedIn(Exception):  # noqa: N818 - a situation
    """There is no token to be had. The text says what to do."""


def token(scope: str) -> str:
    """Return a token for the app. Raises NotSignedIn."""
    given = os.environ.get(TOKEN, "").strip()
    if given:
        return given
    try:
        from azure.core.exceptions import AzureError  # noqa: PLC0415 - a token from the environment needs none of it
        from azure.identity import AzureCliCredential, DefaultAzureCredential  # noqa: PLC0415
    except ImportError as error:
        raise NotSignedIn(f"azure-identity is not installed: set {TOKEN}, or install cmkwarden with it") from error
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    for credential in (AzureCliCredential(), DefaultAzureCredential(exclude_cli_credential=True)):
        try:
            return credential.get_token(scope).token
        except AzureError:
            continue
    raise NotSignedIn(f"nobody is signed in for {scope}: run `az login`, or set {TOKEN}")
