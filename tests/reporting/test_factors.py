"""What differs between runs, and by what names."""

from cgan_lightning.reporting import factors


def identity(**settings) -> dict:
    return {"choices": {"noise": "randn"}, "settings": {"seed": 0, **settings}}


def test_factors_have_names_as_short_as_can_be_told_apart():
    both = [identity(**{"optimizer.generator.lr": rate, "optimizer.discriminator.lr": rate, "model.channels": 64})
            for rate in (0.1, 0.2)]  # fmt: skip
    assert factors.swept(both).keys == {
        "discriminator.lr": "optimizer.discriminator.lr", "generator.lr": "optimizer.generator.lr"
    }  # fmt: skip
    assert factors.swept([identity(**{"model.channels": width}) for width in (64, 128)]).keys == {"channels": "model.channels"}


def test_what_goes_with_a_named_recipe_is_that_recipe():
    """Two recipes that differ in a loss and a rate are one factor; a width that was swept in both is another."""
    runs = [
        {"choices": {"loss": loss, "experiment": name}, "settings": {"seed": 0, "optimizer.lr": rate, "model.channels": width}}
        for name, loss, rate in (("documented", "bce", 1), ("mine", "hinge", 2))
        for width in (64, 128)
    ]
    assert factors.swept(runs).keys == {"channels": "model.channels", "experiment": "experiment"}
    runs[0]["choices"]["loss"] = "wasserstein"
    assert "loss" in factors.swept(runs).keys, "it differs within a recipe"
