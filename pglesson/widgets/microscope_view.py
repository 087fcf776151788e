"""The variance microscope: a cloud of single-episode gradients, and the episodes that each estimator needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

from pglesson.analysis.microscope import Estimate, estimate_gradients
from pglesson.analysis.plots import COLORS, lesson_style, new_figure
from pglesson.analysis.plots import text as words
from pglesson.settings import BASELINES, NORMALIZATIONS, Settings
from pglesson.widgets.controls import button, choice, error_message, wrapping_row
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.picture import Picture
from pglesson.widgets.status_line import StatusLine

MARKERS = {
    "none": ("o", COLORS["truth"]),
    "batch": ("s", COLORS["return"]),
    "episode": ("^", "#3492CB"),
    "group": ("D", "#663300"),
}
Estimates = Mapping[tuple[str, str], Estimate]


def two_directions(cloud: Tensor, first: Tensor) -> Tensor:
    """Two unit vectors (2, parameters): along `first`, and across it, where `cloud` (n, parameters) varies most."""
    along = first / first.norm().clamp_min(1e-12)
    across = cloud - (cloud @ along)[:, None] * along
    across = across - across.mean(0)
    spread = across[across.norm(dim=1).argmax()]
    for _ in range(50):  # power iteration: all eigenvectors for thousands of weights would take minutes
        spread = across.T @ (across @ spread)
        spread = spread / spread.norm().clamp_min(1e-12)
    spread = spread - (spread @ along) * along
    return torch.stack([along, spread / spread.norm().clamp_min(1e-12)])


def draw_cloud(axes: Axes, estimates: Estimates, chosen: tuple[str, str], exact: Tensor | None = None) -> None:
    """Draws single-episode gradients of `chosen` and their mean, in front of those without a baseline.

    One axis is the direction of the gradient (`exact` (parameters,), where it is known, or else the mean without a
    baseline); the other is orthogonal to it, where the cloud without a baseline varies most.
    """
    plain, own = estimates["none", chosen[1]], estimates[chosen]
    truth = estimates["none", "none"].mean if exact is None else exact
    directions = two_directions(plain.gradients.flatten(0, 1), truth)
    for estimate, color, name in ((plain, "#888888", "no baseline"), (own, COLORS["gradient"], words(chosen[0]))):
        points = (estimate.gradients.flatten(0, 1) @ directions.T)[:2000]
        axes.plot(*points.T, ".", color=color, markersize=4, alpha=0.5, label=name)
    reach = float((plain.gradients.flatten(0, 1) @ directions.T).abs().quantile(0.98))
    reach = reach if 0 < reach < math.inf else 1.0
    mean = directions @ own.mean
    # a normalized gradient has another scale: only its direction can be compared
    length = float(mean.norm()) if chosen[1] != "none" else float(truth.norm())
    axes.plot(*mean, "o", color="white", markeredgecolor="black", markersize=13, label="its mean")
    if exact is not None:
        at = directions @ exact * length / exact.norm()
        axes.plot(*at, "x", color="black", markersize=8, markeredgewidth=2.5, label="exact")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xlabel="along the gradient", ylabel="across it")
    axes.set_title("One dot an episode", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, columnspacing=1.0, handletextpad=0.3)


def draw_needs(axes: Axes, estimates: Estimates, chosen: tuple[str, str] | None = None, accuracy: float = 0.3) -> None:
    """Draws the episodes that each estimator needs, a row for each baseline, with 95 % intervals; rings `chosen`."""
    baselines = list(dict.fromkeys(b for b, _ in estimates))
    normalizations = list(dict.fromkeys(n for _, n in estimates))
    needs = {name: estimate.episodes_needed(accuracy) for name, estimate in estimates.items()}
    seen = [need for need in needs.values() if math.isfinite(need) and need > 0] or [1.0]
    limits = 10 ** math.floor(math.log10(min(seen)) - 0.3), 10 ** math.ceil(math.log10(max(seen)) + 0.3)
    for normalization in normalizations:
        marker, color = MARKERS[normalization]
        label = f"normalized per {normalization}" if normalization != "none" else "not normalized"
        axes.plot([], [], marker, color=color, label=label)
        for row, baseline in enumerate(baselines):
            name = baseline, normalization
            height = row + 0.25 * (normalizations.index(normalization) - (len(normalizations) - 1) / 2)
            low, high = estimates[name].needed_interval(accuracy)
            if math.isfinite(low):
                axes.plot([low, high], [height, height], color=color, linewidth=1.5)
            beyond = not math.isfinite(needs[name])  # no signal: the marker is at the right edge
            axes.plot(limits[1] if beyond else needs[name], height, marker, color=color, clip_on=False)
            if name == chosen and not beyond:
                axes.plot(needs[name], height, "o", markersize=17, mfc="none", mec="black", mew=1.5)
    axes.set_xscale("log")
    axes.set(xlim=limits, ylim=(len(baselines) - 0.5, -0.6), xlabel="episodes for an error of 30 %")
    axes.set_yticks(range(len(baselines)), [words(b) for b in baselines])
    axes.set_title("Fewer is better", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=1)


class MicroscopeView(Picture):
    """Measures every baseline and normalization at one policy, on the same episodes, and shows one of them in detail.

    look_at: Settings, or a function that gives the present (settings, policy) when Look is pressed. exact: the gradient
    (parameters,), where it is known. call: runs a function where the training runs, so that both take turns. seed: for
    the first Look; each Look adds 1. options: for `estimate_gradients`, such as normalizations=("none",); "none" is
    always measured too, since all others are compared with it.
    Look plays new episodes; the two choices only draw anew.
    """

    def __init__(
        self,
        look_at: Settings | Callable[[], tuple[Settings, nn.Module | None]],
        *,
        exact: Tensor | None = None,
        call: Callable[[Callable[[], Any]], Any] | None = None,
        baselines: Sequence[str] = BASELINES,
        normalizations: Sequence[str] = NORMALIZATIONS,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(new_figure(7.8, 3.9), "Microscope")
        self._look_at = look_at if callable(look_at) else lambda: (look_at, None)
        baselines, normalizations = (list(dict.fromkeys(["none", *names])) for names in (baselines, normalizations))
        self._options = options | {"baselines": baselines, "normalizations": normalizations}
        self._exact, self._seed, self._looking = exact, seed, False
        self._call = call or MainLoop().call
        self.estimates: dict[tuple[str, str], Estimate] = {}
        self.look_button = button("Look", "search", "play new episodes with the present policy, and measure", "info")
        names = list(dict.fromkeys([*baselines, *(options.get("estimators") or ())]))
        first = "time_mean" if "time_mean" in names else names[-1]
        # not named as the knobs are: these change only what is shown
        self.baseline = choice(
            "show baseline", names, first, "the baseline whose cloud is orange, and whose row is ringed"
        )
        self.normalization = choice("show normalization", normalizations, "none", "the normalization of both clouds")
        self.status = StatusLine()
        self.look_button.on_click(lambda _: self._press())
        for control in (self.baseline, self.normalization):
            control.add_class("pglesson-short")
            control.observe(lambda _: self._call(self.redraw), "value")
        shown = [self.look_button, self.baseline, *[self.normalization] * (len(self.normalization.options) > 1)]
        self.children = [wrapping_row(shown), wrapping_row([self.status]), self.picture]
        self.look()

    def _press(self) -> None:
        if not self._looking:  # presses meanwhile would make one look after another, and nothing else
            self._looking = True
            self.status.say("Looking: new episodes are played and measured ...")  # it is on the screen while they are
            self._call(self.look)

    def look(self) -> None:
        """Plays new episodes, measures, and draws. An error is shown in `status`, and the last picture stays."""
        try:
            settings, policy = self._look_at()
            self.estimates = estimate_gradients(settings, policy, seed=self._seed, **self._options)
        except Exception as error:
            self.status.warn(error_message(error))
            return
        finally:
            self._looking = False
        self._seed += 1
        self.redraw()

    def redraw(self) -> None:
        """Draws the present choices."""
        if not self.estimates:
            return
        chosen = self.baseline.value, self.normalization.value
        own, plain = self.estimates[chosen], self.estimates["none", "none"]
        with lesson_style():
            self.figure.clear()
            left, right = self.figure.subplots(1, 2)
            self.figure.subplots_adjust(bottom=0.34, wspace=0.52)
            draw_cloud(left, self.estimates, chosen, self._exact)
            draw_needs(right, self.estimates, chosen)
        self.draw()
        number = own.gradients.shape[0] * own.gradients.shape[1]
        truth, name = (plain.mean, "the plain gradient") if self._exact is None else (self._exact, "the exact gradient")
        angle = math.degrees(math.acos(max(-1.0, min(1.0, float(torch.cosine_similarity(own.mean, truth, dim=0))))))
        need = own.episodes_needed()
        self.status.value = (
            f"{number:,} episodes: variance {own.variance:.3g}, signal-to-noise {own.signal_to_noise:.2f}. "
            + (f"About {need:,.0f} episodes for a gradient right to within 30 %." if need < math.inf else "No signal.")
            + f" The mean lies {angle:.0f}° from {name}."
        )
