"""The program of the process that searches with Python's `re`: a line of JSON for each question and answer.

Run by itself and not imported, so that it starts in a moment; it uses nothing of the package. A question that
takes longer than its seconds of processor time ends the process.
"""

import json
import re
import signal
import sys
import time
import warnings
from typing import Any


def main() -> None:
    """Answer until standard input ends."""
    warnings.simplefilter("ignore")  # what may change its meaning in a later Python is no mistake
    for line in sys.stdin.buffer:
        question = json.loads(line)
        _limit(question["seconds"])
        answer = _answer(question["pattern"], question["text"])
        _limit(0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answer(pattern: str, text: str | None) -> dict[str, Any]:
    began = time.process_time()
    try:
        compiled = re.compile(pattern)
        found = text is not None and compiled.search(text) is not None
    except (re.error, OverflowError, RecursionError, MemoryError) as error:
        return {"error": str(error) or type(error).__name__}
    return {"found": found, "seconds": time.process_time() - began}


def _limit(seconds: float) -> None:
    """End this process after so much more processor time; 0 lifts the limit."""
    if sys.platform != "win32":  # there, the deadline of the other side has to do
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)


if __name__ == "__main__":
    main()
