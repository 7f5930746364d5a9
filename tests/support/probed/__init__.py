"""Receivers of our own to probe: wrong ones with one fault each, and right ones.

They are written without the probe's code.

receiving    a right receiver, of which the others replace one method
wrong        the list of the wrong ones
payloads     wrong ones, as are all that follow: those that get a payload wrong
messages     bodies, headers, methods and paths
tokens       the token
repetition   what comes twice, or at the same time
answers      what is answered
speed        what takes long
right        right ones of other styles
"""

from tests.support.probed import answers, messages, payloads, repetition, speed, tokens

__all__ = ["answers", "messages", "payloads", "repetition", "speed", "tokens"]
