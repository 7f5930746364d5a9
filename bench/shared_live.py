"""How long a delivery of one `serve` takes to be in the event stream of another, on one log in PostgreSQL.

    python bench/shared_live.py

The database is a real one on this machine, and commits reach its disk. Exits 1 if the limit is missed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.compose_client import ComposeClient
from tests.support.live_stream import listening, live
from tests.support.postgres import fresh_database, owned_server
from tests.support.serving import serving

SENDS = 50
SHOWN_MS = 250


def main() -> int:
    took: list[float] = []
    with (
        tempfile.TemporaryDirectory() as here,
        tempfile.TemporaryDirectory() as there,
        owned_server(),
        fresh_database() as log,
        serving(Path(here), RETAILOPS_SANDBOX_LOG=log) as one,
        serving(Path(there), RETAILOPS_SANDBOX_LOG=log) as other,
    ):
        sending, watching = ComposeClient(one, log), ComposeClient(other, log)
        form = sending.filled()
        with listening(watching.http, live(watching.http)) as stream:
            for number in range(SENDS):
                answer = sending.http.post("/send", data={**form, "form_id": f"bench-{number}"})
                id = answer.headers["location"].rpartition("/")[2]
                stream.until(id, "passed")
                shown = time.time() * 1000
                entry = sending.log.delivery(id)
                assert entry is not None
                sent = entry.delivery
                ended = datetime.fromisoformat(sent.sent_at).timestamp() * 1000 + sent.timings.total
                took.append(shown - ended)
                # Not in step with the looks.
                time.sleep(0.037)
        for client in (sending, watching):
            client.http.close()
    took.sort()
    middle, most = took[SENDS // 2], took[-1]
    said = f"a delivery of another serve is shown after {middle:.0f} ms, median of {SENDS} (most {most:.0f})"
    print(f"{'ok  ' if middle <= SHOWN_MS else 'MISS'} {said}; at most {SHOWN_MS} ms")
    return 0 if middle <= SHOWN_MS else 1


if __name__ == "__main__":
    sys.exit(main())
