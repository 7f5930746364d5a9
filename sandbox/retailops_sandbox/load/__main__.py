"""One process of a load test, started by the command with its setup on standard input."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Do this process's part of the test that standard input names; returns the exit code."""
    # The engine's thread and libcurl need the real sockets and threads; Locust needs no patched ones.
    # Locust's other variables would change what the command said.
    for name in [name for name in os.environ if name.startswith("LOCUST_")]:
        del os.environ[name]
    os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
    # Locust reads options from the command line where it makes its page.
    sys.argv[1:] = []
    gc.set_threshold(100_000, 20, 100)
    from retailops_sandbox.load import process

    return process.main()


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the interpreter's shutdown: gevent's hub would wait for what still runs in it.
    os._exit(code)
