"""The clinic: the curves of a training with a mistake in it, a diagnosis to choose, and why it fits or does not."""

from __future__ import annotations

import asyncio
import html
import time

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes

from pglesson.analysis.plots import COLORS, CurvePlot, lesson_style, new_figure
from pglesson.widgets.controls import button, wrapping_row
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.patients import CAUSES, PATIENTS, Patient, Training, explain
from pglesson.widgets.picture import Picture

BETWEEN_FRAMES = 0.5  # seconds; drawing six panels takes a third of this


class Clinic(Picture):
    """One patient at a time: its diagnostics in colour, those of the same training without the mistake in dashed grey.

    The first patient is trained when the clinic opens; another one trains in the background when it is chosen. The
    mistake is not named until the diagnosis is right. `step()` makes an update without any event loop, as tests do.
    """

    def __init__(self) -> None:
        super().__init__(new_figure(8.8, 4.9), "Clinic")
        self._main, self._last_frame = MainLoop(), 0.0
        self._task: asyncio.Task[None] | None = None
        self._trained: dict[Patient, Training] = {}  # also those without a mistake, which patients share
        self.solved: set[int] = set()
        options = [(f"patient {number + 1}", number) for number in range(len(PATIENTS))]
        self.patient = widgets.Dropdown(options=options, tooltip="whose curves to look at")
        self.patient.layout.width = "130px"
        causes = [("what is the cause?", ""), *sorted((cause.name, key) for key, cause in CAUSES.items())]
        self.diagnosis = widgets.Dropdown(options=causes, value="", tooltip="what you think is wrong")
        self.diagnosis.layout.width = "360px"
        self.answer_button = button("Diagnose", "stethoscope", "hear whether it is that, and why or why not", "info")
        self.status, self.answer = widgets.HTML(), widgets.HTML()
        # an answer must not move the picture that it speaks of: four lines at 1280 pixels, eight at 640
        self.answer.layout.min_height = "max(73px, calc(216px - 11vw))"
        self.answer.add_class("pglesson-answer")
        self.patient.observe(lambda change: self._main.call(lambda: self.admit(change["new"])), "value")
        self.answer_button.on_click(lambda _: self.diagnose())
        row = wrapping_row([self.patient, self.diagnosis, self.answer_button, self.status])
        self.children = [row, self.answer, self.picture]
        self._open(0)
        while self.step():
            pass

    def admit(self, number: int) -> None:
        """Shows a patient, and trains it in the background of the notebook if it has not been trained yet."""
        if self._task is not None:
            self._task.cancel()
        self._open(number)
        self._task = self._main.create_task(self._train())

    def step(self) -> bool:
        """Makes one update of the patient and of the training without the mistake; returns whether there was one."""
        going = [training.step() for training in self._present]
        now = time.perf_counter()
        if not any(going) or now - self._last_frame >= BETWEEN_FRAMES:
            self.draw()
            self._count()
            self._last_frame = now
        return any(going)

    def diagnose(self) -> None:
        """Explains why the chosen diagnosis is right, or wrong."""
        number, guess = self.patient.value, self.diagnosis.value
        if not guess:
            self.answer.value = "Choose a cause from the list first."
            return
        self.answer.value = html.escape(explain(PATIENTS[number], guess))
        if guess == PATIENTS[number].cause:
            self.solved.add(number)
        self._count()

    def draw(self) -> None:
        """Draws the curves as they are now."""
        patient, healthy = self._present
        for plot in self._plots:
            plot.pinned.clear()
            if healthy.updates:
                for line in plot.axes.lines[1:]:
                    line.remove()
                plot.pin(healthy.updates, "in health")
            plot.show(patient.updates, horizon=patient.settings.updates * patient.settings.episodes)
        for plot, note in zip(self._plots, self._notes):
            note.set_text(below_the_axis(plot))
        self._draw_returns(self.figure.axes[4], patient, healthy)
        super().draw()

    async def _train(self) -> None:
        while self.step():
            await asyncio.sleep(0.005)  # for the kernel to hear the other controls

    def _open(self, number: int) -> None:
        patient = PATIENTS[number]
        self._present = [self._training(p) for p in (patient, patient.without_mistake())]
        task = patient.healthy["env"].removeprefix("pglesson/").partition("-")[0]
        with lesson_style():
            self.figure.clear()
            axes = self.figure.subplots(2, 3).ravel()
            self.figure.subplots_adjust(left=0.06, right=0.985, bottom=0.11, top=0.93, hspace=0.55, wspace=0.3)
            self._plots = [
                CurvePlot(axes[0], "returns", COLORS["return"], "return", ""),
                CurvePlot(axes[1], "entropy", COLORS["entropy"], "entropy, nats", ""),
                CurvePlot(axes[2], "gradient_norm", COLORS["gradient"], "gradient norm", "", log=True),
                CurvePlot(axes[3], "policy_change", COLORS["value"], "policy change, nats", "", log=True),
            ]
            box = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1}
            self._notes = [
                plot.axes.text(0.03, 0.05, "", transform=plot.axes.transAxes, bbox=box, fontsize=10, zorder=4)
                for plot in self._plots
            ]
            for plot in self._plots:
                plot.axes.set_xlabel("episodes")
                plot.axes.locator_params("x", nbins=3)
            axes[5].set_axis_off()
            for color, name, dashes in (
                ("black", "this patient, mean of 4", ()),
                (COLORS["pinned"], "in health", (4, 2)),
            ):
                axes[5].plot([], [], color=color, label=name, dashes=dashes or (None, None))
            axes[5].fill_between([], [], [], color="black", alpha=0.22, linewidth=0, label="middle 80 % of runs")
            axes[5].plot([], [], "x", color="black", markersize=9, label="this episode's last reward")
            axes[5].legend(loc="center", title=f"task: {task}")
        self.diagnosis.value, self.answer.value = "", ""
        self._count()

    def _training(self, patient: Patient) -> Training:
        if patient not in self._trained:
            self._trained[patient] = Training(patient)
        return self._trained[patient]

    def _draw_returns(self, axes: Axes, patient: Training, healthy: Training) -> None:
        with lesson_style():
            axes.clear()
            axes.plot(healthy.returns, color=COLORS["pinned"], dashes=(4, 2), linewidth=1.8)
            axes.plot(patient.returns, ".-", color=COLORS["truth"])
            if len(patient.returns):
                axes.plot(len(patient.returns) - 1, patient.last_reward, "x", color="black", markersize=9)
            axes.set_xlabel("time step of the first episode")
            axes.set_title("returns G_t", loc="left")

    def _count(self) -> None:
        made, updates = len(self._present[0].updates), self._present[0].settings.updates
        training = f"; training, update {made} of {updates}" if made < updates else ""
        self.status.value = f"{len(self.solved)} of {len(PATIENTS)} diagnosed{training}"


def below_the_axis(plot: CurvePlot) -> str:
    """Where a curve is that lies below its panel, in words; nothing if it is in sight at the end."""
    values = np.asarray(plot.mean.get_ydata(), dtype=float)
    if not plot.log or not len(values) or values[-1] >= plot.axes.get_ylim()[0]:
        return ""
    return f"▼ below the axis: {values[-1]:.1g}"
