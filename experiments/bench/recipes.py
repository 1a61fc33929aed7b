"""The measured recipes, as overrides of conf/train.yaml."""

RECIPES: dict[str, tuple[str, ...]] = {"documented": ("experiment=documented",), "default": ()}
