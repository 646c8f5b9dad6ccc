"""Modules put together are one script, and what cannot be put together is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import dialed.observe.dashboard
from dialed.observe.dashboard.bundle import bundle

JS = Path(dialed.observe.dashboard.__file__).parent / "static" / "js"


def test_a_module_stands_after_what_it_imports(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nimport "./c.js";\nb();\n')
    (tmp_path / "b.js").write_text('import { c } from "./c.js";\n\nexport function b() { c(); }\n')
    (tmp_path / "c.js").write_text("export const c = () => 1;\n")
    text = bundle(tmp_path / "a.js")
    assert "import" not in text
    assert "export" not in text
    assert text.index("const c") < text.index("function b") < text.index("\nb();")


def test_two_of_one_name_are_refused(tmp_path):
    (tmp_path / "a.js").write_text('import "./b.js";\nconst x = 1;\n')
    (tmp_path / "b.js").write_text("function x() {}\n")
    with pytest.raises(ValueError, match=r"`x` is declared in b.js and in a.js: rename one."):
        bundle(tmp_path / "a.js")


@pytest.mark.parametrize("line", ['import * as b from "./b.js";', "export { b };", "export default 1;"])
def test_other_ways_to_import_and_export_are_refused(tmp_path, line):
    (tmp_path / "b.js").write_text("export const b = 1;\n")
    (tmp_path / "a.js").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"a.js has a line that cannot be bundled"):
        bundle(tmp_path / "a.js")


def test_the_modules_of_the_report_can_be_put_together():
    assert "showParallel(views.parallel" in bundle(JS / "report.js")


@pytest.mark.parametrize("path", sorted(JS.rglob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_markup_of_text(path):
    """What a study says is put into pages as text: nothing else could be escaped too little."""
    text = path.read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in text
