"""The room where differences are reviewed and accepted."""

from __future__ import annotations

from retailops_sandbox.web.review.accept_page import AcceptPages
from retailops_sandbox.web.review.pages import ReviewPages
from retailops_sandbox.web.review.state import Reviews
from retailops_sandbox.web.shell.context import AppContext
from retailops_sandbox.web.shell.pages import Pages
from retailops_sandbox.web.shell.room import Room


def review_room(context: AppContext, pages: Pages) -> Room:
    reviews = Reviews(context.workspace, context.scenario_index)
    routes = ReviewPages(context, pages, reviews).routes()
    return Room(routes=[*routes, *AcceptPages(context, pages).routes()])
