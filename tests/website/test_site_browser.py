"""The site in Chromium: every control moves its picture, and exercises are judged as in the notebook.

Run with PGLESSON_BROWSER=some, or all; needs what tests/widgets/test_browser.py needs. Two pages are built: the small
one of test_site.py, and one with every exercise that is checked in the page.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_page import CHROMIUM
from test_site import NAME, exercise_pages, site  # noqa: F401  a fixture

from pglesson.exercises.framework import NOTEBOOKS, exercises_of
from pglesson.exercises.judges import ChoiceJudge, NumberJudge

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
if os.environ.get("PGLESSON_BROWSER") not in ("some", "all"):
    pytest.skip("takes a minute: set PGLESSON_BROWSER to some, or all", allow_module_level=True)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)
OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def visit(browser: Any, path: Path, **options: Any) -> Any:
    """A page, and the complaints that it has collected: errors of scripts, and requests that leave the site."""
    page = browser.new_page(**options)
    page.complaints = []
    page.on("console", lambda said: said.type in ("error", "warning") and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith("http") and page.complaints.append(asked.url))
    page.goto(path.as_uri())
    page.wait_for_timeout(500)
    return page


def picture(explorer: Any) -> str | None:
    explorer.page.wait_for_timeout(200)
    return explorer.get_attribute("data-picture")


def test_every_control_moves_its_picture_by_keyboard(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html")
    page.evaluate(OPEN)
    moved = 0
    for number in range(page.locator(".explorer").count()):
        explorer = page.locator(".explorer").nth(number)
        explorer.scroll_into_view_if_needed()
        for control in explorer.locator("input, select").all():
            before = picture(explorer)
            control.focus()
            page.keyboard.press("Space" if control.get_attribute("type") == "checkbox" else "ArrowDown")
            assert picture(explorer) not in (None, before), control.evaluate("each => each.outerHTML")
            moved += 1
    assert moved == 6 and page.complaints == []


def test_a_slider_and_the_picture_itself_answer_the_mouse(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html")
    explorer = page.locator(".explorer").first
    slider = explorer.locator("input[type=range]")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    picture(explorer)
    assert float(explorer.locator("output").text_content()) == -2.0
    explorer.locator("canvas").scroll_into_view_if_needed()
    canvas = explorer.locator("canvas").bounding_box()
    page.mouse.click(canvas["x"] + 0.85 * canvas["width"], canvas["y"] + canvas["height"] / 2)
    picture(explorer)
    assert float(explorer.locator("output").text_content()) > 1.0 and page.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_sticks_out_and_axe_is_content(browser: Any, site: Path, width: int, scheme: str) -> None:  # noqa: F811
    for name in (NAME, "index"):
        path = site / "once" / f"{name}.html"
        page = visit(browser, path, viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.evaluate(OPEN)
        page.wait_for_timeout(1500)  # what opens fades in
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.complaints == []
        for part in (".explorer", ".exercise"):
            if page.locator(part).count():
                found = axe.Axe().run(page, context=part)
                assert found.violations_count == 0, found.generate_report()


def test_without_scripts_the_text_and_the_first_pictures_are_there(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html", java_script_enabled=False)
    page.locator(".explorer img").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    shown = page.locator(".explorer img").first.bounding_box()
    assert shown["height"] > 100 and "as it was stored" in page.content()
    assert page.locator(".explorer img").first.get_attribute("alt")


def checked() -> list[Any]:
    exercises = [exercise for name in NOTEBOOKS for exercise in exercises_of(name)]
    return [exercise for exercise in exercises if isinstance(exercise.judge, (NumberJudge, ChoiceJudge))]


def test_answers_are_judged_as_in_the_notebook(browser: Any, site: Path) -> None:  # noqa: F811
    """Of each exercise: the right answer, every known wrong one, numbers around them, and other forms of a number."""
    exercises, folder = checked(), site / "once"
    assert len(exercises) >= 20
    scripts = '<script src="_static/exercise.js" defer></script>'
    (folder / "exercises.html").write_text(
        f"<!DOCTYPE html><meta charset=utf-8>{scripts}" + "".join(map(exercise_pages.markup, exercises)),
        encoding="utf-8",
    )
    page = visit(browser, folder / "exercises.html")
    for number, exercise in enumerate(exercises):
        judge = exercise.judge
        box = page.locator(".exercise").nth(number)
        field = box.locator("form input, form select")
        if isinstance(judge, ChoiceJudge):
            answers = [judge.right, *judge.reasons]
        else:
            known = np.array([judge.right, *judge.mistakes])
            answers = [
                f"{value:.6g}" for value in np.concatenate([known, 1.004 * known, 1.03 * known, 100 * known[:1]])
            ]
            answers += ["1/3", "-0.5", "7e2", "nothing", "0,6", *(f"{value:.2g}" for value in known)]
        for answer in answers:
            outcome = judge(answer)
            field.select_option(answer) if isinstance(judge, ChoiceJudge) else field.fill(answer)
            box.locator("form button").click()
            said = box.locator("[role=status]").text_content()
            if outcome is None:
                assert said == f"Right: {exercise.why}", (exercise.name, answer)
            elif "must be one number" in outcome.message:
                assert said.startswith("Not yet: answer is ") and "must be one number" in said, (exercise.name, answer)
            else:
                assert said == f"Not yet: {outcome.message}", (exercise.name, answer)
    assert page.complaints == []
