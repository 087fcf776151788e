"""Measuring policies, estimators and runs; drawing and exporting the results."""

from pglesson.analysis import exact as exact
from pglesson.analysis.confidence import mean_interval, share_interval
from pglesson.analysis.data import data_file
from pglesson.analysis.export import to_code, to_csv, to_json
from pglesson.analysis.measured import Measured
from pglesson.analysis.microscope import Estimate, estimate_gradients, fit_values
from pglesson.analysis.plots import (
    ACTION_COLORS,
    COLORS,
    CurvePlot,
    contour_lines,
    film_strip,
    label,
    learning_curve,
    setting_changes,
)
from pglesson.analysis.rendering import render_episode

__all__ = [
    "ACTION_COLORS",
    "COLORS",
    "CurvePlot",
    "Estimate",
    "Measured",
    "contour_lines",
    "data_file",
    "estimate_gradients",
    "exact",
    "film_strip",
    "fit_values",
    "label",
    "learning_curve",
    "mean_interval",
    "render_episode",
    "setting_changes",
    "share_interval",
    "to_code",
    "to_csv",
    "to_json",
]
