"""The Optuna study of a search: an SQLite file in the sweep's folder."""

import sqlite3
from typing import TYPE_CHECKING, Any

from cgan_lightning.storage.sweep_folder import SweepFolder
from cgan_lightning.utils.errors import UserError

if TYPE_CHECKING:  # takes a second to import
    import optuna


def opened(folder: SweepFolder, direction: Any) -> "optuna.Study":
    """Return the study in the folder, a new one if there is none. Raises UserError for a damaged file."""
    import optuna
    from sqlalchemy.exc import DatabaseError

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = optuna.storages.RDBStorage(  # not by a URL, in which some characters of a path have a meaning
            "sqlite://", engine_kwargs={"creator": lambda: sqlite3.connect(folder.study)}
        )
        return optuna.create_study(storage=storage, study_name="search", direction=direction, load_if_exists=True)
    except DatabaseError as error:
        raise UserError(f"{folder.study} cannot be read ({error.orig}): remove {folder.path} to start the study over") from None


def importance(folder: SweepFolder, direction: str) -> dict[str, float]:
    """Return the importance of each parameter, in all 1, by PED-ANOVA; at least two trials must have finished."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    return get_param_importances(opened(folder, direction), evaluator=PedAnovaImportanceEvaluator())
