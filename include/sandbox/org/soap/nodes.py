"""XML read into plain nodes: names without prefixes, no document types, no entities of the sender's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

_DEEPEST = 64
_MOST = 200_000  # 200 records of a thousand fields each
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"


class NotXml(Exception):
    """Raised when a body is no XML, or more than plain XML."""


@dataclass(slots=True, kw_only=True)
class Node:
    """Hold an element: its local name, the type it says it has, its text and its children."""

    name: str
    type: str = ""
    nil: bool = False
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        """Return the first child of a name, or None."""
        return next(self.all(name), None)

    def all(self, *names: str) -> Iterator[Node]:
        """Yield the children of these names."""
        return (each for each in self.children if each.name in names)

    def value(self, name: str) -> str | None:
        """Return the text of the first child of a name, or None if there is none or it is nil."""
        found = self.child(name)
        return None if found is None or found.nil else found.text

    def values(self, name: str) -> list[str]:
        """Return the texts of all children of a name."""
        return [each.text for each in self.all(name) if not each.nil]

    def flag(self, name: str) -> bool:
        """Say whether the first child of a name is true."""
        return (self.value(name) or "").strip().lower() in ("true", "1")


def parse_xml(body: bytes) -> Node:
    """Return the root of a document, or refuse it."""
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two for encodings that nobody knows
        raise NotXml(str(error)) from error
    return reader.root.children[0]


class _Reader:
    def __init__(self) -> None:
        self.root = Node(name="")
        self._open = [self.root]
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > _MOST:
            raise NotXml(f"there are more than {_MOST:,} elements")
        if len(self._open) > _DEEPEST:
            raise NotXml("the elements lie too deep inside each other")
        node = Node(
            name=name.rpartition(" ")[2],
            type=attributes.get(f"{_SCHEMA} type", "").rpartition(":")[2],
            nil=attributes.get(f"{_SCHEMA} nil", "").strip() in ("true", "1"),
        )
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse_doctype(self, *_declared: object) -> None:
        raise NotXml("DOCTYPE is not allowed")
