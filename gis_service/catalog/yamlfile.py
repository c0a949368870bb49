"""YAML with line numbers: a file's data and the line of each value, for mistakes that name their place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in a file of the operator."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True)
class YamlFile:
    """Parsed YAML beside the nodes that know their lines."""

    path: Path
    data: Any  # whatever YAML holds: validated by the caller's model
    node: yaml.Node | None

    def line(self, where: Sequence[int | str]) -> int:
        """The line of the value at a path of keys, or of the nearest thing above it that exists."""
        node, line = self.node, 1
        if node is not None:
            line = node.start_mark.line + 1
        for step in where:
            found = _child(node, step)
            if found is None:
                break
            node, line = found[1], found[0].start_mark.line + 1
        return line


def read(path: Path, name: str) -> YamlFile | list[Mistake]:
    """The file, or what is wrong with it as YAML (syntax, a key given twice, bytes that aren't UTF-8)."""
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        twice = list(_twice(node))
        if twice:
            return [Mistake(name, line, f"key {key!r} is given twice") for key, line in twice]
        return YamlFile(path, yaml.safe_load(text), node)
    except UnicodeDecodeError as err:
        return [Mistake(name, 1, f"isn't UTF-8 text: {err.reason} at byte {err.start}")]
    except yaml.MarkedYAMLError as err:
        line = err.problem_mark.line + 1 if err.problem_mark else 1
        return [Mistake(name, line, f"isn't YAML: {err.problem}")]
    except yaml.YAMLError as err:
        return [Mistake(name, 1, f"isn't YAML: {err}")]


def _child(node: yaml.Node | None, step: int | str) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _twice(node: yaml.Node | None) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            if key.value in seen:
                found.append((key.value, key.start_mark.line + 1))
            seen.add(key.value)
            found += _twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            found += _twice(value)
    return found
