"""Waiting for a receiver that is still starting."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from retailops_sandbox import composing
from retailops_sandbox.model import Json, Receiver
from retailops_sandbox.transport import wait_until_listening


async def wait_for_receiver(
    receiver: Receiver,
    variables: Mapping[str, Json],
    environment: Mapping[str, str],
    seconds: float,
    stopped: asyncio.Event,
) -> bool:
    """Whether the receiver's port accepts connections in time; True as well if the run is stopped."""
    url = listening_url(receiver, variables, environment)
    listening = asyncio.create_task(wait_until_listening(url, seconds))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((listening, stopping), return_when=asyncio.FIRST_COMPLETED)
        return stopping.done() or listening.result()
    finally:
        listening.cancel()
        stopping.cancel()


def listening_url(receiver: Receiver, variables: Mapping[str, Json], environment: Mapping[str, str]) -> str:
    """The URL at whose port a receiver listens, with placeholders filled."""
    names = composing.Names(given=variables, environment=environment, receiver=receiver.variables)
    base_url = composing.fill_text(receiver.base_url, names, "/base_url")
    return composing.base_url(msgspec.structs.replace(receiver, base_url=base_url)).geturl()
