"""Importing: curl commands, HAR archives, payloads and logs, read as requests and made into steps. Pure.

reading       the requests in a text of any of these kinds
shell         the words of a POSIX shell's commands
curl          the request that a curl command would send, by its options (curl_options)
har           the entries of a HAR 1.2 archive
embedded      JSON objects inside other text, also escaped
steps         requests as steps, without their credentials
"""

from retailops_sandbox.importing.found import FoundRequest
from retailops_sandbox.importing.reading import read
from retailops_sandbox.importing.steps import ImportedStep, as_steps, assemble

__all__ = ["FoundRequest", "ImportedStep", "as_steps", "assemble", "read"]
