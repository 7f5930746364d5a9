"""Contracts.

variants      what the sources of a contract demand where they disagree
violations    what of a document breaks a JSON Schema, in plain words
contract      reading a contract, checking payloads and responses
auth          how a request proves its sender
catalogue     the contracts that can be chosen from: a workspace's own over those that ship
advice        what looks inconsistent in a payload that keeps its schema
contradictions where a schema contradicts itself
published     contracts made of a hyper-schema or a swagger file
recognition   which contract a request belongs to
"""
