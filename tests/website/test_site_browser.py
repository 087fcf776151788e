"""The site in Chromium: every control moves its picture, and exercises are judged as in the notebook.

Run with PGLESSON_BROWSER=some, or all; needs what tests/widgets/test_browser.py needs. Two pages are built: the small
one of test_site.py, and one with every exercise that is checked in the page. With PGLESSON_SITE=build/site, all pages
of that site are tested.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from jupyter_page import CHROMIUM
from test_site import NAME, exercise_pages, site  # noqa: F401  a fixture

from pglesson.exercises.framework import NOTEBOOKS, exercises_of
from pglesson.exercises.judges import ChoiceJudge, NumberJudge
from pglesson.widgets.patients import PATIENTS, explain

pytest.importorskip("playwright.sync_api", reason="pip install playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
if os.environ.get("PGLESSON_BROWSER") not in ("some", "all"):
    pytest.skip("takes a minute: set PGLESSON_BROWSER to some, or all", allow_module_level=True)
if CHROMIUM is None:
    pytest.skip("no Chromium is installed", allow_module_level=True)
OPEN = "document.querySelectorAll('details').forEach(each => { each.open = true; })"


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


@pytest.fixture(scope="module")
def pages(request: pytest.FixtureRequest) -> list[Path]:
    """The small page and its index, or all pages of the site in PGLESSON_SITE."""
    built = os.environ.get("PGLESSON_SITE")
    folder = Path(built) if built else request.getfixturevalue("site") / "once"
    found = [path for path in sorted(folder.glob("*.html")) if path.stem[:2].isdigit() or path.stem == "index"]
    assert found
    return found


# What happens in the task of the event itself is on the screen in the next frame.
MOVE = """async (box) => {
  const seen = [];
  box.dispatchEvent(new PointerEvent("pointerenter"));
  for (const control of box.querySelectorAll("input, select")) {
    const places = control.type === "checkbox" ? [!control.checked, control.checked]
      : control.options ? [...control.options].map((each) => each.value) : [...Array(+control.max + 1).keys()];
    for (const again of [false, true]) {
      const moved = new Set();
      let late = 0;
      for (const place of places) {
        if (control.type === "checkbox") control.checked = place; else control.value = place;
        control.dispatchEvent(new Event("input"));
        late += box.ariaBusy === "true";
        for (let waited = 0; waited < 500 && box.ariaBusy === "true"; waited++)
          await new Promise((done) => setTimeout(done, 10));
        moved.add(box.dataset.picture);
      }
      if (again) seen.push([control.outerHTML, places.length, moved.size, late]);
    }
  }
  return seen;
}"""


def test_every_position_of_every_control_has_its_picture_in_the_next_frame(browser: Any, pages: list[Path]) -> None:
    for path in pages:
        page = visit(browser, path)
        page.evaluate(OPEN)
        for explorer in page.locator(".frames").all():
            explorer.scroll_into_view_if_needed()
            for control, places, moved, late in explorer.evaluate(MOVE):
                assert moved == places > 1 and late == 0, (path.name, control)
        assert page.complaints == []


def test_every_control_answers_the_keyboard(browser: Any, pages: list[Path]) -> None:
    for path in pages:
        page = visit(browser, path)
        page.evaluate(OPEN)
        for explorer in page.locator(".frames").all():
            explorer.scroll_into_view_if_needed()
            for control in explorer.locator("input, select").all():
                before = explorer.get_attribute("data-picture")
                control.focus()
                last = control.evaluate("each => +each.value === (+each.max || each.length - 1)")
                box = control.get_attribute("type") == "checkbox"
                page.keyboard.press("Space" if box else "ArrowLeft" if last else "ArrowRight")
                moved = "([box, before]) => box.dataset.picture && box.dataset.picture !== before"
                page.wait_for_function(moved, arg=[explorer.element_handle(), before])
        assert page.complaints == []


def test_a_slider_and_the_picture_itself_answer_the_mouse(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html")
    explorer = page.locator(".frames").first
    slider = explorer.locator("input[type=range]")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 2, box["y"] + box["height"] / 2)
    assert float(explorer.locator("output").text_content()) == -2.0
    explorer.locator("canvas").wait_for()
    explorer.locator("canvas").scroll_into_view_if_needed()
    canvas = explorer.locator("canvas").bounding_box()
    page.mouse.click(canvas["x"] + 0.85 * canvas["width"], canvas["y"] + canvas["height"] / 2)
    assert float(explorer.locator("output").text_content()) > 1.0 and page.complaints == []


def test_the_clinic_answers(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html")
    clinic = page.locator(".clinic")
    patient, diagnosis = clinic.locator("select").all()
    before = clinic.locator("img").get_attribute("src")
    patient.select_option("1")
    assert clinic.locator("img").get_attribute("src") != before
    for guess, counted in (("healthy", 0), (PATIENTS[1].cause, 1), (PATIENTS[1].cause, 1)):
        diagnosis.select_option(guess)
        clinic.locator("button").press("Enter")
        assert clinic.locator("[role=status]").text_content() == explain(PATIENTS[1], guess)
        assert f"{counted} of 2 diagnosed" in clinic.text_content()
    assert page.complaints == []


def test_search_finds_a_page_and_pages_lead_to_the_next(browser: Any, pages: list[Path]) -> None:
    page = visit(browser, pages[-1])
    page.locator(".sidebar-search").fill("exercise")
    page.keyboard.press("Enter")
    page.locator("ul.search li a").first.click()
    page.wait_for_function("location.pathname.match(/[0-9][0-9]_/)")
    page.goto(pages[-1].with_name("index.html").as_uri())
    for _ in pages[1:]:
        page.locator("a.next-page").click()
    assert Path(page.url).stem == pages[-2].stem and page.locator("a.prev-page").count() == 1
    assert page.complaints == []


@pytest.mark.skipif("PGLESSON_SITE" not in os.environ, reason="the small page has too few pictures")
def test_little_is_loaded_before_anything_is_touched(browser: Any, pages: list[Path]) -> None:
    """As GitHub Pages sends it: text packed by gzip."""
    for path in pages:
        page = browser.new_page()
        asked: set[Path] = set()
        page.on("request", lambda request: asked.add(Path(unquote(urlparse(request.url).path))))  # noqa: B023
        page.goto(path.as_uri(), wait_until="networkidle")
        sizes = {
            name: len(gzip.compress(file)) if name.suffix in (".html", ".js", ".css") else len(file)
            for name, file in ((name, name.read_bytes()) for name in asked if name.is_file())
        }
        assert sum(sizes.values()) < 300_000, (path.name, sizes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_sticks_out_and_axe_is_content(browser: Any, pages: list[Path], width: int, scheme: str) -> None:
    for path in pages:
        page = visit(browser, path, viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.evaluate(OPEN)
        page.wait_for_timeout(1500)  # what opens fades in
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.complaints == []
        found = axe.Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        assert found.violations_count == 0, found.generate_report()


def test_without_scripts_text_formulas_and_the_first_pictures_are_there(browser: Any, site: Path) -> None:  # noqa: F811
    page = visit(browser, site / "once" / f"{NAME}.html", java_script_enabled=False)
    formula, letter = page.locator("mjx-container").first.bounding_box(), 16  # pixels; the formula has four letters
    assert letter < formula["width"] < 4 * letter and 0.5 * letter < formula["height"] < 2 * letter
    page.locator(".frames img").first.scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    shown = page.locator(".frames img").first.bounding_box()
    assert shown["height"] > 100 and "as it was stored" in page.content()
    assert page.locator(".frames img").first.get_attribute("alt")


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
            answers += ["1/3", "-0.5", "7e2", "nothing", "0,6", "1/0", "1.5/2", "60 %", "-", "about 3/4", "= 15 steps"]
            answers += [f"{value:.2g}" for value in known]
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
