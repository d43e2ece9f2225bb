"""A watch over pages: what the console complains of, what a policy forbids, what fails to load."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError


class Watch:
    """Notes every complaint of the pages it is set over; `check` lets through only what a test has announced."""

    def __init__(self) -> None:
        self.complaints: list[str] = []
        self._expected: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch all pages of a context, those that it opens later too."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    def expects(self, text: str) -> None:
        """Announce a complaint that contains this text: it must come, once or more often."""
        self._expected.append(text)

    def check(self) -> None:
        """Raise AssertionError for whatever was not announced, and for what was announced and did not come."""
        unexpected = [it for it in self.complaints if not any(text in it for text in self._expected)]
        missing = [text for text in self._expected if not any(text in it for it in self.complaints)]

        assert not unexpected, "\n".join(unexpected)
        assert not missing, f"expected and not seen: {missing}"

    def _console(self, message: ConsoleMessage) -> None:
        # What does not load is noted below, with its method and status.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"error: {error.error}")

    def _failed(self, request: Request) -> None:
        # A browser that leaves a page gives up what it still waits for, and what it downloads.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.method} {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")
