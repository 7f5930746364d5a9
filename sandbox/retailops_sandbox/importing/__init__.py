"""What others wrote down, read as requests: curl commands, HAR archives, payloads, logs. Pure.

reading.py    which of them a text is
shell.py      the words of a POSIX shell's commands
curl.py       what a curl command would send, by its options (curl_options.py)
har.py        the entries of a HAR 1.2 archive
embedded.py   JSON objects inside other text, also escaped
known.py      which contract knows a request
drafting.py   requests as steps, without their secrets
"""

from retailops_sandbox.importing.drafting import ImportDraft, assemble, drafts
from retailops_sandbox.importing.found import FoundRequest
from retailops_sandbox.importing.reading import read

__all__ = ["FoundRequest", "ImportDraft", "assemble", "drafts", "read"]
