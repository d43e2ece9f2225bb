"""A framework and its requirements, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement: its id and what it asks, in our words. `speak`: controls that answer this very thing.

    `support`: controls that answer something alike. `source` is where the mapping comes from, `elsewhere` which number other
    versions of the framework give it.
    """

    id: str
    title: str
    source: str
    speak: tuple[str, ...] = ()
    support: tuple[str, ...] = ()
    elsewhere: str = ""

    @property
    def controls(self) -> tuple[str, ...]:
        """All of them, those that speak of it first."""
        return (*self.speak, *self.support)


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework in one version. `key` is what people type."""

    key: str
    name: str
    requirements: tuple[Requirement, ...]
