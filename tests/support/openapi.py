# SPDX-License-Identifier: Apache-2.0
"""Holds real answers against /openapi.json: as much of JSON Schema as that document uses, and no more; a keyword that
it does not know is an error. Stricter than a client should be: a member that is not described is an error, too."""
import re

KNOWN = {"type", "properties", "required", "description", "format", "enum", "items", "$ref", "anyOf", "allOf",
         "additionalProperties", "minLength", "maxLength", "minimum", "maximum", "pattern", "x-staff"}
TYPES = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Contract:
    def __init__(self, document):
        self.document = document
        self.schemas = document["components"]["schemas"]
        self.operations = {}  # (method, path) -> operation
        for path, item in document["paths"].items():
            for verb, operation in item.items():
                self.operations[verb.upper(), path] = operation
        self.seen = set()     # (operationId, status) of answers held against it

    def operation(self, method, path):
        """Literal paths win over those with names."""
        path = path.split("?")[0]
        fits = [(pattern.count("{"), operation) for (verb, pattern), operation in self.operations.items()
                if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path)]
        return min(fits, key=lambda f: f[0])[1] if fits else None

    def ref(self, schema):
        kind, name = schema["$ref"].rsplit("/", 2)[1:]
        return self.document["components"][kind][name]

    def check(self, method, path, status, content_type, body, staff=True):
        """An answer as a client got it; raises AssertionError with the place."""
        operation = self.operation(method, path)
        if operation is None:
            assert status in (404, 405), f"{method} {path} is answered {status} and not described"
            return
        answer = operation["responses"].get(str(status))
        assert answer, f"{operation['operationId']} does not say that it may answer {status}"
        if "$ref" in answer:
            answer = self.ref(answer)
        self.seen.add((operation["operationId"], status))
        if "content" not in answer:
            assert body in (None, b""), f"{operation['operationId']} answers {status} with a body"
            return
        assert content_type in answer["content"], f"{operation['operationId']}: {content_type} is not described"
        where = f"{operation['operationId']} {status}"
        self.value(answer["content"][content_type]["schema"], body, where, staff)

    def value(self, schema, value, where, staff):
        assert not set(schema) - KNOWN, f"{where}: {set(schema) - KNOWN} is no keyword that this knows"
        if "$ref" in schema:
            self.value(self.ref(schema), value, where, staff)
        if "anyOf" in schema:
            complaints = []
            for one in schema["anyOf"]:
                try:
                    self.value(one, value, where, staff)
                    break
                except AssertionError as e:
                    complaints.append(str(e))
            else:
                raise AssertionError("; ".join(complaints))
        if "allOf" in schema:  # parts describe one object together
            for one in schema["allOf"]:
                if "$ref" in one:
                    self.value(one, value, where, staff)
                for name, part in one.get("properties", {}).items():
                    if name in value:
                        self.value(part, value[name], f"{where}.{name}", staff)
        if "enum" in schema:
            assert value in schema["enum"], f"{where}: {value!r} is no word of {schema['enum']}"
        if "type" in schema:
            self.plain(schema, value, where)
        if "properties" in schema:
            self.members(schema, value, where, staff)
        if "items" in schema and isinstance(value, list):
            for i, one in enumerate(value):
                self.value(schema["items"], one, f"{where}[{i}]", staff)
        more = schema.get("additionalProperties")
        if isinstance(more, dict):
            for name, one in value.items():
                self.value(more, one, f"{where}.{name}", staff)

    @staticmethod
    def plain(schema, value, where):
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = any(number and (t == "number" or t == "integer" and isinstance(value, int)) if t in ("number", "integer")
                   else isinstance(value, TYPES[t]) for t in types)
        assert fits, f"{where}: {value!r} is no {' or '.join(types)}"
        if schema.get("format") == "uuid" and value is not None:
            assert UUID.fullmatch(value), f"{where}: {value!r} is no UUID"

    def members(self, schema, value, where, staff):
        if not isinstance(value, dict):
            return
        for name in schema.get("required", ()):
            assert name in value, f"{where}.{name} is missing"
        for name, one in value.items():
            assert name in schema["properties"], f"{where}.{name} is not described"
            member = schema["properties"][name]
            assert staff or not member.get("x-staff"), f"{where}.{name} is shown to a rider"
            self.value(member, one, f"{where}.{name}", staff)
        if staff:
            for name, member in schema["properties"].items():
                assert name in value or not member.get("x-staff"), f"{where}.{name} is missing for staff"
