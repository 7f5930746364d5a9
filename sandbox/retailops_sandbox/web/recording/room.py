"""The room where deliveries are recorded, and become scenarios."""

from __future__ import annotations

from retailops_sandbox.web.recording.pages import RecordPages
from retailops_sandbox.web.recording.review import RecordingReviewPages
from retailops_sandbox.web.recording.state import Recording
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def recording_room(context: AppContext, pages: Pages) -> Room:
    recording = Recording(context)
    context.sending.on_started(recording.add)
    pages.record_switch = recording.switch
    return Room(
        routes=[
            *RecordPages(context, pages, recording).routes(),
            *RecordingReviewPages(context, pages, recording).routes(),
        ],
        stop=recording.stop,
    )
