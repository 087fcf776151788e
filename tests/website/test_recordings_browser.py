"""The recordings in Chromium: Start moves the curve and the film, and what is said is what the engine computed.

Run with PGLESSON_BROWSER=some, or all, as test_site_browser.py, which shows them in the frame of the site.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build_site import WEBSITE
from test_recordings import RECIPES, dashboard, recordings, trained
from test_site_browser import axe, visit  # skips where no browser is installed

from pglesson.analysis import mean_interval


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare page with the recordings of one dashboard."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "frames").mkdir()
    stored = recordings.store(dashboard(), RECIPES, 1.0, folder / "frames", "tiny")
    for name in ("recording.js", "site.css"):
        shutil.copy(WEBSITE / name, folder)
    head = '<link rel="stylesheet" href="site.css"><script src="recording.js" defer></script>'
    head += '<html lang="en"><title>A recording</title><meta name="viewport" content="width=device-width">'
    page = f"<!DOCTYPE html><meta charset=utf-8>{head}<main><h1>A page</h1>{recordings.markup(stored)}</main>"
    (folder / "page.html").write_text(page, encoding="utf-8")
    return folder / "page.html"


def place(page: Any) -> int:
    return int(page.locator(".recording").get_attribute("data-update"))


def to_the_end(page: Any) -> None:
    page.get_by_role("slider", name="Update").focus()
    page.keyboard.press("End")


def means(number: int) -> np.ndarray[Any, Any]:
    """Each run's mean return at the last update, by the engine itself."""
    return trained(RECIPES[number])[-1].returns.mean(1)


def test_start_moves_curve_and_film_to_the_end(browser: Any, site: Path) -> None:
    page = visit(browser, site)
    assert place(page) == 0 and "nothing has been learned yet" in page.locator("[role=status]").text_content()
    clip = page.locator("clipPath rect").first
    assert float(clip.get_attribute("width")) == 0
    page.get_by_label("Speed").select_option("0.25")
    page.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("Number(document.querySelector('.recording').dataset.update) > 0")
    page.get_by_role("button", name="Pause").click()
    stopped, frame = place(page), page.locator(".recording-film").first.get_attribute("data-frame")
    assert 0 < stopped < 4 and f"Paused after update {stopped}" in page.locator("[role=status]").text_content()
    page.wait_for_timeout(300)
    assert place(page) == stopped and page.locator(".recording-film").first.get_attribute("data-frame") == frame
    page.get_by_label("Speed").select_option("4")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("button", name="Start").wait_for(timeout=60_000)  # instead of Pause, once the film has ended too
    assert place(page) == 4 and "Finished: 4 updates" in page.locator("[role=status]").text_content()
    assert "After update 4" in page.locator(".recording-film p").first.text_content()
    assert page.locator(".recording-film").first.get_attribute("data-frame") != frame
    page.get_by_role("button", name="Reset").click()
    assert place(page) == 0 and page.complaints == []


def test_what_is_said_is_what_the_engine_computed(browser: Any, site: Path) -> None:
    """Oracles: NumPy's quantiles, and the interval of the package."""
    page = visit(browser, site)
    to_the_end(page)
    low, high = np.quantile(means(0), [0.1, 0.9])
    said = f"Return: {means(0).mean():.1f}, middle 80 % of the runs from {low:.1f} to {high:.1f}."
    assert said in page.locator(".recording-readout").text_content()
    for a, b in ((0, 1), (2, 0)):
        page.locator("input[type=radio]").nth(a).check()
        page.get_by_label("Compare with").select_option(str(b))
        to_the_end(page)
        apart = means(b) - means(a)
        largest = max(map(abs, (apart.mean(), *mean_interval(apart))))
        digits = 0 if largest >= 100 else 1 if largest >= 10 else 2
        interval = ", ".join(f"{limit:.{digits}f}" for limit in mean_interval(apart))
        assert page.locator(".recording-panel b").all_text_contents() == [
            "What A and B earn",
            f"B minus A: {apart.mean():+.{digits}f} [{interval}]".replace("-", "\N{MINUS SIGN}"),
        ]
        assert page.locator(".recording-panel").first.locator(".mean").count() == 2
        assert page.locator(".recording-film:visible").count() == 2
    assert page.locator(".recording-moves").text_content().startswith("1  A: gamma")
    assert page.get_by_label("Compare with").locator("option[value='2']").is_disabled()
    assert page.complaints == []


def test_where_less_motion_is_asked_for_start_shows_the_end(browser: Any, site: Path) -> None:
    page = visit(browser, site, reduced_motion="reduce")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("document.querySelector('.recording').dataset.update === '4'", timeout=5000)
    film = page.locator(".recording-film").first
    frame = film.get_attribute("data-frame")
    page.wait_for_timeout(300)
    assert film.get_attribute("data-frame") == frame and page.get_by_role("button", name="Start").is_visible()
    assert "less motion" in page.locator("[role=status]").text_content() and page.complaints == []


@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_sticks_out_and_axe_is_content(browser: Any, site: Path, width: int) -> None:
    page = visit(browser, site, viewport={"width": width, "height": 900})
    page.get_by_label("Compare with").select_option("2")
    to_the_end(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(page, context=".recording")
    assert found.violations_count == 0, found.generate_report()


def test_without_scripts_a_finished_run_and_the_words_are_there(browser: Any, site: Path) -> None:
    page = visit(browser, site, java_script_enabled=False)
    picture = page.locator(".recording img")
    picture.scroll_into_view_if_needed()
    assert picture.bounding_box()["height"] > 100 and picture.get_attribute("alt").startswith("What the agent earns")
    page.get_by_text("How each recording ended").click()
    assert f"{means(1).mean():.1f} [" in page.get_by_role("row").nth(2).text_content()
