"""The site has the folders of the repository, so that a relative link is right here and on a code host alike.

MkDocs reads one folder of pages, and the pages link to studies and settings beside it; this hook gives it those too.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
SHOWN = {".md", ".png", ".csv", ".json", ".jsonl", ".yaml", ".sbatch", ".safetensors", ".js", ".css"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    found = [path for folder in ("docs", "experiments", "conf") for path in sorted((ROOT / folder).rglob("*"))]
    paths = [path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *found) if path.suffix in SHOWN]
    of_theme = [file for file in files if file.src_dir != config.docs_dir]
    return Files(of_theme + [File(path, str(ROOT), config.site_dir, config.use_directory_urls) for path in paths])
