"""The container of Event Grid's dead letters, in Blob Storage. Read only: Azure writes it, and a rule of the account empties it."""

from collections.abc import Iterator
from functools import cached_property

from azure.core.credentials import TokenCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.adapters.translate import translated
from shared.core.errors import BadInput
from shared.core.letter import LONGEST


class BlobLetters:
    """One container; an empty address is one with nothing in it."""

    def __init__(self, url: str, credential: TokenCredential) -> None:
        self._url, self._credential = url, credential

    @cached_property
    def _container(self) -> ContainerClient:
        return ContainerClient.from_container_url(self._url, credential=self._credential, retry_total=3)

    def names(self) -> Iterator[str]:
        """Yield the names of all blobs; none where there is no container, which Event Grid makes with its first letter."""
        if not self._url:
            return
        with translated("listing the dead letters"):
            try:
                yield from self._container.list_blob_names()
            except ResourceNotFoundError:
                return

    def text(self, name: str) -> str:
        """Return what is in a blob, as far as anybody reads. Raises BadInput where that is no text, or the blob is gone."""
        with translated(f"reading the dead letter {name}"):
            try:
                content = self._container.download_blob(name, length=LONGEST + 1, offset=0).readall()
            except ResourceNotFoundError:
                raise BadInput("NoSuchBlob", "the dead letter was removed meanwhile") from None
            except HttpResponseError as error:
                if error.status_code == 416:  # an empty blob has no first byte
                    return ""
                raise
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise BadInput("BadDeadLetter", f"a dead letter is UTF-8: {error.reason}") from None
