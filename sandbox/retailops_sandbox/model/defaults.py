"""The action and the edition that are meant where none is named."""

import msgspec

from retailops_sandbox import resources


class _Default(msgspec.Struct, forbid_unknown_fields=True):
    action: str
    edition: str


_default = msgspec.json.decode(resources.default_contract(), type=_Default)

DEFAULT_ACTION, DEFAULT_EDITION = _default.action, _default.edition
