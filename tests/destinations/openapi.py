"""Judge requests by a vendor's own API description (OpenAPI 3.0), with `jsonschema`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

from tests.destinations.recording import Sent

CONTRACTS = Path(__file__).parents[1] / "contracts"


class Description:
    """A vendor's description of its API."""

    def __init__(self, file: str) -> None:
        self._document = json.loads((CONTRACTS / file).read_text())
        self._paths = [
            (re.compile(re.sub(r"\\\{[^/]+?\\\}", "[^/]+", re.escape(path)) + r"\Z"), path)
            for path in sorted(self._document["paths"], key=lambda path: path.count("{"))  # the fixed ones first
        ]

    def problems(self, sent: Sent) -> list[str]:
        """Return what the description says against a request."""
        url = urlsplit(sent.path)
        operation = self._operation(sent)
        if operation is None:
            return [f"{sent.method} {url.path} is not described"]
        return [
            *self._parameter_problems(operation, dict(parse_qsl(url.query)), sent.headers),
            *self._body_problems(operation, sent),
        ]

    def body_schema(self, sent: Sent) -> dict[str, Any]:
        """Return the schema of a request's body without references; empty where there is none."""
        content = ((self._operation(sent) or {}).get("requestBody") or {}).get("content", {})
        kind = sent.headers.get("content-type", "").partition(";")[0]
        found: dict[str, Any] = self._inlined(content.get(kind, {}).get("schema", {}))
        return found

    def answer_problems(self, sent: Sent, status: int, answer: Any) -> list[str]:
        """Return what the description says against an answer to a request."""
        described = ((self._operation(sent) or {}).get("responses") or {}).get(str(status))
        if described is None:
            return [f"an answer with status {status} is not described"]
        (content,) = described["content"].values()
        return self._against(content["schema"], answer, "answer")

    def _operation(self, sent: Sent) -> dict[str, Any] | None:
        path = urlsplit(sent.path).path
        template = next((path_ for pattern, path_ in self._paths if pattern.match(path)), None)
        found: dict[str, Any] | None = self._document["paths"].get(template, {}).get(sent.method.lower())
        return found

    def _parameter_problems(
        self, operation: dict[str, Any], query: dict[str, str], headers: dict[str, str]
    ) -> list[str]:
        found, known = [], set()
        for parameter in operation.get("parameters", []):
            name, place = parameter["name"], parameter["in"]
            known.add(name)
            values = {"query": query, "header": headers}.get(place, {name: "given"})
            value = values.get(name.lower() if place == "header" else name)
            if value is None:
                found += [f"{place} {name} is missing"] if parameter.get("required") else []
            elif place != "path":
                whole = parameter["schema"].get("type") == "integer" and value.isdecimal()
                found += self._against(parameter["schema"], int(value) if whole else value, name)
        return found + [f"query {name} is not described" for name in query if name not in known]

    def _body_problems(self, operation: dict[str, Any], sent: Sent) -> list[str]:
        described = operation.get("requestBody")
        if described is None:
            return ["a body is not described"] if sent.body else []
        kind = sent.headers.get("content-type", "").partition(";")[0]
        if kind not in described["content"]:
            return [f"content type {kind} is not described"]
        schema = described["content"][kind]["schema"]
        return self._against(schema, sent.json, "body") + self._unknown_keys(schema, sent.json)

    def _against(self, schema: dict[str, Any], value: Any, where: str) -> list[str]:
        validator = Draft202012Validator(self._inlined(schema))
        return [f"{where}: {error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def _unknown_keys(self, schema: dict[str, Any], value: Any) -> list[str]:
        """Return the keys at the root that the description doesn't know: it lets them pass, and they get lost."""
        resolved = self._inlined(schema)
        options = resolved.get("oneOf") or [resolved]
        known = {name for option in options for name in option.get("properties", {})}
        return [f"body: {name} is not described" for name in value if known and name not in known]

    def _inlined(self, schema: Any, depth: int = 0) -> Any:
        """Return a schema without references and with `nullable` as JSON Schema knows it; deep nests stay open."""
        if isinstance(schema, list):
            return [self._inlined(each, depth) for each in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            if depth > 6:
                return {}
            target = self._document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            return self._inlined(target, depth + 1)
        plain = {name: self._inlined(value, depth) for name, value in schema.items() if name != "nullable"}
        return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain
