"""Evidence for auditors: a report seen through a framework, its sheet, and the words of the pack. Pure."""

from shared.core.evidence.about import readme
from shared.core.evidence.model import Answer, Chapter, Exhibit, Outcome, chapter_of
from shared.core.evidence.sheet import sheet

__all__ = ["Answer", "Chapter", "Exhibit", "Outcome", "chapter_of", "readme", "sheet"]
