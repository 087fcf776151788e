"""The maker of mutants changes one sign at a time, and the fast tests notice one that is known to matter."""

from __future__ import annotations

import ast

import pytest
from mutate import MODULES, ROOT, TESTS, mutants, survives


def test_each_mutant_has_one_other_sign() -> None:
    source = "def f(a, b):\n    if a < b:\n        a += 1\n    return -a * (b - 1) / 2\n"
    changed = sorted(mutant for _, mutant in mutants(source))
    assert changed == sorted(
        ast.unparse(ast.parse(source.replace(old, new, 1)))
        for old, new in (("<", ">"), ("+=", "-="), ("-a", "+a"), ("* (", "/ ("), ("b - 1", "b + 1"), ("/ 2", "* 2"))
    )


def test_the_modules_and_their_tests_are_there() -> None:
    assert all((ROOT / "pglesson" / f"{module}.py").is_file() for module in MODULES)
    assert {"advantages", "distributions", "policies", "rollout", "reinforce"} <= set(TESTS)


def test_a_wrong_sign_is_noticed() -> None:
    source = (ROOT / "pglesson" / "advantages.py").read_text(encoding="utf-8")
    assert source.count("alpha=gamma") == 1
    assert not survives("advantages", source.replace("alpha=gamma", "alpha=-gamma"), ["advantages"])
    assert not survives("advantages", "import nothing_of_this_name", ["advantages"])
    assert survives("advantages", source, ["advantages"])


def test_tests_that_do_not_run_notice_nothing() -> None:
    with pytest.raises(RuntimeError, match="The tests did not run"):
        survives("advantages", "", ["nothing_of_this_name"])
