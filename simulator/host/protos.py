"""The message classes that Microsoft's worker library expects in place of the gRPC ones.

Plain Python objects that refuse what real protobuf refuses (values of a wrong type, text that is no valid
Unicode), so that an answer which would fail in Azure fails here too. Loaded by path inside the app's own
environment: it must import nothing but the standard library.
"""

from types import SimpleNamespace
from typing import Any

KINDS = {"string": str, "json": str, "bytes": bytes, "int": int, "double": float}


def _expect(value: Any, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"bad argument type for built-in operation: {what} must be {kind.__name__}")
    if isinstance(value, str):
        value.encode()  # protobuf strings are UTF-8: a lone surrogate is refused


class TypedData(SimpleNamespace):
    """One value on its way in or out; exactly one kind is set, or none."""

    def __init__(self, **kinds: Any) -> None:
        for kind, value in kinds.items():
            if kind in KINDS and value is not None:
                _expect(value, KINDS[kind], f"TypedData.{kind}")
        super().__init__(**kinds)

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Tell which kind is set."""
        return next((kind for kind, value in vars(self).items() if value is not None), None)


class ParameterBinding(SimpleNamespace):
    """A named value of a call."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        """Tell which kind is set: data, as this host offers no shared memory."""
        return "data" if self.data is not None else None


class RpcHttp(SimpleNamespace):
    """A request or an answer; header names and values must be text."""

    def __init__(self, **fields: Any) -> None:
        for name, value in fields.get("headers", {}).items():
            _expect(name, str, "RpcHttp.headers key")
            _expect(value, str, f"RpcHttp.headers[{name!r}]")
        super().__init__(**fields)


class StatusResult(SimpleNamespace):
    """How a request to the worker ended."""

    Failure = 0
    Success = 1
    exception: Any = None


class BindingInfo(SimpleNamespace):
    """Direction of a binding; the library writes the upper-case names into its JSON."""

    undefined = 0
    inout = 2
    out = 1


setattr(BindingInfo, "in", 0)


class SameSite:
    """Values of the cookie attribute."""

    Lax = 1
    Strict = 2
    ExplicitNone = 3


setattr(SameSite, "None", 0)


class RpcHttpCookie(SimpleNamespace):
    """A cookie of an answer."""

    SameSite = SameSite

    def __init__(self, **fields: Any) -> None:
        _expect(fields["name"], str, "RpcHttpCookie.name")
        _expect(fields["value"], str, "RpcHttpCookie.value")
        super().__init__(**fields)


class WorkerInitResponse(SimpleNamespace):
    """Answer to the start request."""


class WorkerMetadata(SimpleNamespace):
    """Versions of the worker."""


class RpcException(SimpleNamespace):
    """Message and stack of a failure."""


class FunctionMetadataResponse(SimpleNamespace):
    """The index."""


class RpcFunctionMetadata(SimpleNamespace):
    """One function of the index."""


class RpcRetryOptions(SimpleNamespace):
    """A retry policy of a function."""


class FunctionLoadResponse(SimpleNamespace):
    """Answer to a load request."""


class FunctionEnvironmentReloadResponse(SimpleNamespace):
    """Answer to a reload, which this host never asks for."""


class InvocationResponse(SimpleNamespace):
    """Answer to a call."""

    return_value: Any = None
    output_data: Any = ()


class NullableString(SimpleNamespace):
    """Text or nothing."""


class NullableBool(SimpleNamespace):
    """Yes, no or nothing."""


class NullableDouble(SimpleNamespace):
    """A number or nothing."""


class NullableTimestamp(SimpleNamespace):
    """An instant or nothing."""


class Timestamp(SimpleNamespace):
    """Seconds since 1970."""
