"""Fail when a file or a function outgrows one screen per concept (docs/extending.md, sizes)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

FILE_CAP, FUNCTION_CAP = 400, 60


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the length of a function without its docstring."""
    doc = ast.get_docstring(node, clean=False)
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    return total - (len(doc.splitlines()) if doc else 0)


def findings(path: Path) -> list[str]:
    """Return one line per file or function over its cap."""
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    found = [f"{path}: {lines} lines, cap {FILE_CAP}"] if lines > FILE_CAP else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = function_lines(node)
            if size > FUNCTION_CAP:
                found.append(f"{path}:{node.lineno} {node.name}: {size} lines, cap {FUNCTION_CAP}")
    return found


def main() -> int:
    """Print every finding; exit 1 if there is one."""
    root = Path(__file__).resolve().parents[1]
    roots = [root / name for name in ("src", "tests", "scripts", "benchmarks", "examples")]
    found = [line for folder in roots for path in folder.rglob("*.py") for line in findings(path)]
    print("\n".join(sorted(found)) or "sizes: every file and function within its cap")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
