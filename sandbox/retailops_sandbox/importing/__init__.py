"""Importing: commands, HAR archives, payloads and logs, read as requests and made into steps. Pure.

reading       the requests in a text of any of these kinds
commands/     the requests of curl, HTTPie and PowerShell commands
har           the entries of a HAR 1.2 archive, and their bodies (har_body)
embedded      JSON objects inside other text, also escaped
mending       JSON that a page, a shell or an editor has changed on its way
steps         requests as steps, without their credentials
"""

from retailops_sandbox.importing.found import FoundRequest
from retailops_sandbox.importing.reading import MOST_BYTES, read, too_large
from retailops_sandbox.importing.steps import ImportedStep, SeveralContracts, as_steps, assemble

__all__ = [
    "MOST_BYTES",
    "FoundRequest",
    "ImportedStep",
    "SeveralContracts",
    "as_steps",
    "assemble",
    "read",
    "too_large",
]
