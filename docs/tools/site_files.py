"""The site keeps the folders of the repository, so that every relative link works both there and on a code host.

MkDocs reads a single folder, but README.md is the home page, and the pages link to studies and settings outside docs/.
This hook adds those files.
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "experiments", "examples", "conf")
ENDINGS = {".md", ".png", ".csv", ".json", ".jsonl", ".yaml", ".sbatch", ".safetensors", ".ipynb", ".css"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    paths = [*sorted(ROOT.glob("*.md")), *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")))]
    names = [path.relative_to(ROOT).as_posix() for path in paths if path.suffix in ENDINGS]
    theme = [file for file in files if file.src_dir != config.docs_dir]
    return Files(theme + [File(name, str(ROOT), config.site_dir, config.use_directory_urls) for name in names])
