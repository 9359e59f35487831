# SPDX-License-Identifier: Apache-2.0
"""Holds every answer against docs/openapi.json: the route, the method, the status, the media type and the body's schema."""

import json
import re
from functools import lru_cache

import jsonschema

from house import ROOT


@lru_cache
def document():
    return json.loads((ROOT / "docs/openapi.json").read_text())


@lru_cache
def routes():
    found = []
    for path, item in document()["paths"].items():
        pattern = re.compile("^" + re.sub(r"\\\{[^/}]+\\\}", "[^/]+", re.escape(path)) + "/?$")
        found.append((path.count("{"), pattern, path, item))
    return sorted(found, key=lambda r: r[0])


def resolve(node):
    while "$ref" in node:
        target = document()
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


@lru_cache
def _resolver():
    return jsonschema.RefResolver("", document())


def validate(schema, value):
    jsonschema.Draft202012Validator(schema, resolver=_resolver()).validate(value)


def find(method, target):
    path = target.split("?")[0]
    for _, pattern, template, item in routes():
        if pattern.match(path):
            return template, item.get(method.lower())
    return None, None


def check(method, target, answer):
    template, operation = find(method, target)
    if answer.status >= 400 and answer.headers.get("content-type", "").startswith("application/problem+json"):
        validate({"$ref": "#/components/schemas/Problem"}, answer.json)
        assert answer.json["status"] == answer.status
    if operation is None:
        assert answer.status >= 400, f"{method} {target} is not in openapi.json and answered {answer}"
        return
    responses = operation["responses"]
    entry = responses.get(str(answer.status)) or responses.get(f"{answer.status // 100}XX") or responses.get("default")
    assert entry, f"{method} {template}: status {answer.status} is not documented"
    content = resolve(entry).get("content")
    if not content:
        assert not answer.body, f"{method} {template}: a body where none is documented"
        return
    media = answer.headers.get("content-type", "").split(";")[0]
    assert media in content, f"{method} {template} {answer.status}: {media!r} is not documented"
    schema = content[media].get("schema")
    if schema and media == "application/x-ndjson":
        for line in answer.body.splitlines():
            validate({"$ref": "#/components/schemas/Event"}, json.loads(line))
    elif schema and media.endswith("json"):
        validate(schema, answer.json)
