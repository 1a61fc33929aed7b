"""Effects against textbook tests, against what was put into made-up results, and against chance."""

import gc
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cgan_lightning.evaluation.table import Row
from cgan_lightning.reporting import conclusions, figures, statistics

FACTORS = {"channels": [128, 256], "noise": ["randn", "uniform"]}
FID = Row("FID", "{:.2f}", "lower")


def made_up(seeds: int, effect, noise: float, random_seed: int = 0) -> pd.DataFrame:
    """A run of each setting and seed: `effect(channels, noise)`, what the seed adds, and noise."""
    draw = np.random.default_rng(random_seed)
    of_seed = draw.normal(0, 5, seeds)
    rows = [
        {"channels": channels, "noise": prior, "seed": seed,
         "fid": effect(channels, prior) + of_seed[seed] + draw.normal(0, noise)}
        for channels, prior, seed in itertools.product(*FACTORS.values(), range(seeds))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_two_values_of_one_factor_are_a_paired_t_test():
    runs = made_up(6, lambda channels, _: channels / 100, 1.0).query("noise == 'randn'")
    (found,) = statistics.effects(runs, {"channels": [128, 256]}, "fid")
    ours, theirs = (runs[runs.channels == value].fid.to_numpy() for value in (256, 128))
    paired = stats.ttest_rel(ours, theirs)
    interval = paired.confidence_interval(0.95)
    assert found.difference == pytest.approx((ours - theirs).mean())
    assert found.p == pytest.approx(paired.pvalue)
    assert found.half == pytest.approx((interval.high - interval.low) / 2)
    assert (found.settings, found.seeds) == (1, 6)


def test_what_was_put_in_is_found():
    runs = made_up(3, lambda channels, _: 20 - 3 * (channels == 256), 0.3)
    channels, noise = statistics.effects(runs, FACTORS, "fid")
    assert abs(channels.difference + 3) < channels.half < 1
    assert channels.significant
    assert abs(noise.difference) < noise.half
    assert not noise.significant
    assert (channels.settings, channels.seeds) == (2, 3)
    (together,) = statistics.interactions(runs, FACTORS, "fid")
    assert not together.significant


def test_a_crossing_interaction_has_its_simple_effects_and_no_average():
    """128 → 256 lowers the FID with one prior and raises it with the other."""
    runs = made_up(3, lambda channels, prior: 20 + (channels == 256) * (2 if prior == "randn" else -6), 0.1)
    together = statistics.interactions(runs, FACTORS, "fid")
    channels, noise = statistics.effects(runs, FACTORS, "fid")
    assert channels.difference == pytest.approx(-2, abs=0.3)
    simple = statistics.simple_effects(runs, FACTORS, "fid", channels, together)
    assert [(each.at, round(each.difference)) for each in simple] == [(("noise", "randn"), 2), (("noise", "uniform"), -6)]
    assert all(each.significant for each in simple)
    sentence = conclusions.effect(simple[0], FID, {})
    assert sentence.startswith("channels 256 instead of 128 at noise randn raises FID by ")
    assert {each.at for each in statistics.simple_effects(runs, FACTORS, "fid", noise, together)} == {
        ("channels", 128), ("channels", 256),
    }  # fmt: skip


def test_seeds_that_all_oppose_the_average_are_enough():
    """Too noisy for a significant interaction: at the default prior every seed has it the other way."""
    runs = pd.DataFrame(
        [{"channels": channels, "noise": prior, "seed": seed, "fid": 10 + (channels == 256) * change}
         for (prior, seed), change in {("randn", 0): 0.2, ("randn", 1): 1.5, ("uniform", 0): -9, ("uniform", 1): -1}.items()
         for channels in (128, 256)]
    )  # fmt: skip
    (together,), (channels, _) = statistics.interactions(runs, FACTORS, "fid"), statistics.effects(runs, FACTORS, "fid")
    assert channels.difference < 0
    assert not together.significant
    assert len(statistics.simple_effects(runs, FACTORS, "fid", channels, [together])) == 2


def test_an_average_that_holds_everywhere_has_no_simple_effects():
    runs = made_up(3, lambda channels, _: 20 - 3 * (channels == 256), 0.1)
    together = statistics.interactions(runs, FACTORS, "fid")
    channels, _ = statistics.effects(runs, FACTORS, "fid")
    assert statistics.simple_effects(runs, FACTORS, "fid", channels, together) == []


def test_an_interaction_is_found():
    runs = made_up(4, lambda channels, prior: 20 - 3 * (channels == 256 and prior == "uniform"), 0.1)
    (together,) = statistics.interactions(runs, FACTORS, "fid")
    assert together.significant
    assert together.difference == pytest.approx(-3, abs=0.6)
    assert conclusions.interaction(together, FID).startswith("The effect of channels 256 instead of 128 on FID depends on ")


def test_chance_alone_is_seldom_taken_for_an_effect(monkeypatch):
    """Of two factors that do nothing, one is called significant in 5 % of studies (Holm); 300 studies, so 2 to 9 %."""
    monkeypatch.setattr(gc, "collect", lambda: 0)  # statsmodels calls it with each correction
    alarms = 0
    for study in range(300):
        found = statistics.effects(made_up(3, lambda *_: 20, 1.0, random_seed=study), FACTORS, "fid")
        alarms += any(effect.significant for effect in found)
    assert 0.02 < alarms / 300 < 0.09


def test_p_is_corrected_for_all_comparisons_of_the_metric():
    runs = made_up(3, lambda channels, _: -0.8 * (channels == 256), 1.0)
    both = statistics.effects(runs, FACTORS, "fid")
    model = statistics._Model(runs, list(FACTORS), "fid")
    raw = [model.fit.t_test([-0.5, -0.5, 0.5, 0.5, 0, 0]).pvalue, model.fit.t_test([-0.5, 0.5, -0.5, 0.5, 0, 0]).pvalue]
    low, high = np.argsort(raw)
    assert both[low].p == pytest.approx(min(1, 2 * raw[low]))
    assert both[high].p == pytest.approx(min(1, max(2 * raw[low], raw[high])))


def test_one_seed_has_differences_and_no_significance():
    (channels, _) = statistics.effects(made_up(1, lambda channels, _: channels, 0.0), FACTORS, "fid")
    assert (channels.p, channels.half, channels.significant) == (None, None, False)
    told = conclusions.effect(channels, FID, {})
    assert told.startswith("channels 256 instead of 128: FID is higher by 128.00 with one seed, too few to generalise")


def test_a_missing_run_leaves_the_rest_comparable():
    runs = made_up(4, lambda channels, _: 20 - 3 * (channels == 256), 0.3)
    runs.loc[3, "fid"] = np.nan
    channels, _ = statistics.effects(runs.drop(index=9), FACTORS, "fid")
    assert channels.significant
    assert channels.difference == pytest.approx(-3, abs=0.5)


def test_settings_without_a_common_seed_are_not_compared():
    runs = made_up(2, lambda *_: 20, 0.3)
    apart = runs[(runs.channels == 128) == (runs.seed == 0)]
    assert [effect.factor for effect in statistics.effects(apart, FACTORS, "fid")] == [("noise",)]


def test_further_values_are_compared_with_the_first():
    runs = pd.DataFrame([{"latent_dim": dim, "seed": seed, "fid": dim + seed} for dim in (10, 50, 100) for seed in (0, 1)])
    found = statistics.effects(runs, {"latent_dim": [10, 50, 100]}, "fid")
    assert [(effect.levels, round(effect.difference)) for effect in found] == [((10, 50), 40), ((10, 100), 90)]


def test_an_interval_is_students():
    found = statistics.interval([1.0, 2.0, 4.0])
    low, high = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem([1, 2, 4]))
    assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
    assert statistics.interval([1.0]).half is None


def test_conclusions_in_words():
    lower = statistics.Effect(("channels",), (128, 256), -3.1, 1.2, 0.004, 2, 3)
    factors = {"seconds": (1.9, 0.23), "parameters": (2.0, 0.0), "peak_memory_mib": (1.2, 0.5)}  # the last might be 1
    costs = {cost: [replace(lower, difference=np.log(ratio), half=half)] for cost, (ratio, half) in factors.items()}
    assert conclusions.effect(lower, FID, costs) == (
        "channels 256 instead of 128 lowers FID by 3.10 ± 1.20 (p = 0.004); "
        "it takes 1.9 (1.5 to 2.4) times the time and 2.0 times the parameters."
    )
    nothing = statistics.Effect(("noise",), ("randn", "uniform"), 0.2, 1.2, 0.7, 2, 3)
    assert conclusions.effect(nothing, FID, {"seconds": [replace(nothing, difference=0.04)]}) == (
        "noise uniform instead of randn: no significant difference in FID (3 seeds; +0.20 ± 1.20, p = 0.7); "
        "no clear difference in time."
    )


def test_the_pareto_front_has_what_nothing_beats():
    assert figures.pareto_front([(1, 5), (2, 3), (3, 3), (2, 4), (4, 1), (1, 5)]) == [0, 1, 4, 5]
