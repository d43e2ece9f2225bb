"""Where the simulators of a test run write down their answers; see truth/session.py, which reads them."""

import os
import uuid
from pathlib import Path

FOLDER = "SIMULATOR_ANSWERS"


def answers_file() -> str:
    """A file for one more simulator; '' when nobody asked for its answers."""
    folder = os.environ.get(FOLDER)
    return str(Path(folder) / f"{uuid.uuid4().hex}.jsonl") if folder else ""
