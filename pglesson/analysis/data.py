"""Finding the measurements that are stored beside the notebooks, from any working directory."""

from __future__ import annotations

from pathlib import Path


def data_file(name: str) -> Path:
    """The path of a file of notebooks/data, such as "actor_critic.json".

    It is looked for beside a notebook that runs here, then from the project's folder, then where the package was
    installed from: papermill, nbconvert and Jupyter Book run a notebook from folders of their own. Raises
    FileNotFoundError for a file that none of them has.
    """
    installed_from = Path(__file__).parents[2]
    folders = [Path("data"), Path("notebooks", "data"), installed_from / "notebooks" / "data"]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(
        f"There is no {name} in {', '.join(str(folder.absolute()) for folder in folders)}. Copy the folder data of the "
        "notebooks beside the notebook."
    )
