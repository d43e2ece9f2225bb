"""The ticket of a row: what it says, what the row asks of it, and how it reads as Markdown. Pure."""

from shared.core.ticket.content import Content, content_of
from shared.core.ticket.page import markdown
from shared.core.ticket.rule import Change, Note, Standing, Ticket, Verb, change, is_in_line

__all__ = [
    "Change",
    "Content",
    "Note",
    "Standing",
    "Ticket",
    "Verb",
    "change",
    "content_of",
    "is_in_line",
    "markdown",
]
