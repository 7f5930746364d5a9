"""RetailOPS sandbox: composes RetailOPS calls, sends them to a receiver, and judges the answers."""

__version__ = "0.1.0"
