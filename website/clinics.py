"""The clinic in a page: every patient's curves, and what is said of every diagnosis."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import frames
import numpy as np

from pglesson.widgets import Clinic


def page(clinic: Clinic, folder: Path, name: str) -> str:
    """Stores the pictures of all patients in a folder, and returns the HTML that clinic.js brings to life."""
    causes = [[key, words] for words, key in clinic.diagnosis.options]
    count, patients = clinic.status.value, list[dict[str, Any]]()
    for words, number in clinic.patient.options:
        clinic.patient.value = number
        clinic.admit(number)  # at once: the list has it done by the notebook's loop
        while clinic.step():
            pass
        picture = f"{name}-{number}.webp"
        shot = np.asarray(clinic.canvas.buffer_rgba())[..., :3]
        (folder / picture).write_bytes(frames.webp(shot))
        said = {key: _said(clinic, key) for key, _ in causes}
        right = next(key for key, words in said.items() if words.startswith("Right"))
        patients.append({"name": words, "picture": picture, "alt": clinic.image.alt, "said": said, "right": right})
    data = {
        "causes": causes,
        "patients": patients,
        "button": clinic.answer_button.description,
        "labels": [clinic.patient.tooltip, clinic.diagnosis.tooltip],
        "count": count,
    }
    first, (height, width) = patients[0], shot.shape[:2]
    return (
        f'<div class="live clinic"><img src="frames/{first["picture"]}" width="{width}" height="{height}" '
        f'alt="{html.escape(first["alt"])}" loading="lazy"><p class="live-note">The same trainings as in the notebook, '
        f"recorded.</p>{frames.script(data)}</div>"
    )


def _said(clinic: Clinic, guess: str) -> str:
    clinic.diagnosis.value = guess
    clinic.diagnose()
    return html.unescape(clinic.answer.value)
