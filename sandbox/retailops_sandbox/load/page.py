"""What Locust's own web page is guarded by.

Locust answers whoever asks, and lets pages of every site read its own and start a test. Here it answers under
this machine's own name alone, to its own pages, and sends to the chosen receiver alone.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from retailops_sandbox.httpserver import host_name, is_loopback

_REFUSAL = "another site tried to read this page, or to start or stop a test\n"


def guard(app: Flask, receiver: str) -> None:
    """Refuse what comes from elsewhere, and to test another receiver than this one, by its shown URL."""

    @app.before_request
    def refuse() -> ResponseReturnValue | None:
        if not is_loopback(host_name(request.host)):
            return f"this page does not answer to the name {host_name(request.host)!r}\n", 403
        origin = request.headers.get("Origin", "")
        if origin and urlsplit(origin).netloc != request.host:
            return _REFUSAL, 403
        # Some versions of Locust stop a test by GET.
        follows_link = request.path == "/" and request.headers.get("Sec-Fetch-Mode") == "navigate"
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none") and not follows_link:
            return _REFUSAL, 403
        if request.path == "/swarm" and request.form.get("host", receiver) not in ("", receiver):
            said = f"the receiver is {receiver}: start the command with --receiver to test another one"
            return jsonify({"success": False, "message": said, "host": receiver})
        return None
