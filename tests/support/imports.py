"""Who imports whom, read from the sources without running them.

python -m tests.support.imports      folders, files, floors and circles of agent/ and at/
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Import:
    """One import: importer and imported are modules; `asyncio.events` stays as written.

    kind: "top" (when the module is loaded), "lazy" (inside a function), "types" (TYPE_CHECKING).
    """

    importer: str
    imported: str
    kind: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported} ({self.kind})"


def modules(*packages: str, root: Path = ROOT) -> dict[str, ast.Module]:
    """Parse every module of the packages, by its dotted name."""
    parsed = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            parsed[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return parsed


def imports(parsed: dict[str, ast.Module]) -> tuple[Import, ...]:
    """List every import of the modules; `from package import module` is an import of the module."""
    found = []
    for importer, tree in parsed.items():
        for node, kind in _statements(tree, "top"):
            found += [
                Import(importer, imported, kind, node.lineno) for imported in _targets(node, parsed)
            ]
    return tuple(found)


def closure(
    start: Iterable[str], edges: Iterable[Import], kinds: Iterable[str] = ("top", "lazy")
) -> frozenset[str]:
    """Give every module, foreign ones too, that the start needs directly or not."""
    wanted = set(kinds)
    needs: dict[str, set[str]] = {}
    for edge in edges:
        if edge.kind in wanted:
            needs.setdefault(edge.importer, set()).add(edge.imported)
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += needs.get(module, ())
            # Loading a module loads the packages around it.
            waiting += [module[:n] for n, c in enumerate(module) if c == "."]
    return frozenset(seen)


def floors(
    parsed: Iterable[str], edges: Iterable[Import]
) -> tuple[list[set[str]], dict[str, set[str]]]:
    """Sort our modules by what they need: floor n needs only floors below n, lazily or not.

    The second value is what is left over: circles, and what stands on them.
    """
    needs: dict[str, set[str]] = {name: set() for name in parsed}
    for edge in edges:
        if edge.kind != "types" and edge.imported in needs and edge.imported != edge.importer:
            needs[edge.importer].add(edge.imported)
    found = []
    while floor := {name for name, needed in needs.items() if not needed & needs.keys()}:
        found.append(floor)
        for name in floor:
            del needs[name]
    return found, {name: needed & needs.keys() for name, needed in needs.items()}


def within(module: str, *packages: str) -> bool:
    """Tell whether the module is one of the packages, or inside one."""
    return any(module == package or module.startswith(package + ".") for package in packages)


def _targets(node: ast.Import | ast.ImportFrom, parsed: dict[str, ast.Module]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, "imports are absolute"
    package = node.module or ""
    names = [f"{package}.{alias.name}" for alias in node.names]
    found = [name for name in names if name in parsed]
    yield from found
    if len(found) < len(names):
        yield package


def _statements(node: ast.AST, kind: str) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, kind
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child, "lazy")
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _statements(ast.Module([part], []), "types")
            for part in child.orelse:
                yield from _statements(ast.Module([part], []), kind)
        else:
            yield from _statements(child, kind)


def main() -> None:
    parsed = modules("at", "agent")
    levels, circles = floors(parsed, imports(parsed))
    print("package folders files")
    for package in ("agent", "at"):
        files = list((ROOT / package).rglob("*.py"))
        print(f"{package:7} {len({path.parent for path in files}):7} {len(files):5}")
    print(f"{len(levels)} floors of imports; in circles: {', '.join(sorted(circles)) or 'none'}")


if __name__ == "__main__":
    main()
