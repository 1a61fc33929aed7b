"""Order: each image at most once an epoch, ranks disjoint and together the whole, any update a fresh start."""

from dataclasses import replace

import torch
from hypothesis import given
from hypothesis import strategies as st

from cgan_lightning.data.batches import BalancedOrder, Calls, EpochOrder, HostBatches, ResidentBatches

sizes = st.tuples(st.integers(1, 8), st.integers(1, 4), st.integers(0, 50), st.integers(1, 20))


@given(sizes, st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_an_epoch_is_shared_out_without_repeats(size, seed, epoch):
    local, ranks, extra, updates = size
    count = local * ranks * updates + extra % (local * ranks)
    orders = [EpochOrder(count, local * ranks, seed, rank, ranks) for rank in range(ranks)]
    slices = [order(epoch) for order in orders]
    assert all(rows.shape == (updates, local) for rows in slices)
    drawn = torch.cat(slices).flatten().tolist()
    assert len(set(drawn)) == len(drawn) == updates * local * ranks
    assert set(drawn) <= set(range(count))
    whole = EpochOrder(count, local * ranks, seed)(epoch)
    assert torch.equal(torch.cat(slices, dim=1), whole), "two ranks do the work of one"


def test_epochs_and_seeds_differ_and_so_does_the_remainder():
    order = EpochOrder(1000, 64, seed=0)
    first, second = order(0), order(1)
    assert not torch.equal(first, second)
    assert not torch.equal(first, EpochOrder(1000, 64, seed=1)(0))
    assert torch.equal(first, order(0))
    left_out = [set(range(1000)) - set(rows.flatten().tolist()) for rows in (first, second)]
    assert left_out[0] != left_out[1]
    assert len(left_out[0]) == 1000 % 64


@given(st.lists(st.integers(1, 30), min_size=2, max_size=10), st.integers(1, 20), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_balanced_batches_have_all_classes_alike(sizes, batch_size, seed, epoch):
    """Whatever the classes' sizes; and no image comes again before all of its class have come."""
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    order = BalancedOrder(len(labels), min(batch_size, len(labels)), seed, labels=labels)
    batches = order(epoch)
    assert batches.shape == (len(labels) // order.batch_size, order.batch_size)
    for batch in batches:
        counts = labels[batch].bincount(minlength=len(sizes))
        assert counts.max() - counts.min() <= 1
    drawn = batches.flatten()
    for label, size in enumerate(sizes):
        for turn in drawn[labels[drawn] == label].split(size):
            assert len(turn.unique()) == len(turn)
    assert torch.equal(batches, order(epoch))
    halves = [replace(order, batch_size=2, rank=rank, ranks=2)(epoch) for rank in (0, 1)]
    assert torch.equal(torch.cat(halves, dim=1), replace(order, batch_size=2)(epoch)), "two ranks do the work of one"
    if len(labels) > 20:
        assert not torch.equal(order(0), order(1))


def test_balanced_batches_of_classes_of_one_size_have_each_image_once():
    """In an order that has been what it is since there were balanced batches: runs that were begun earlier go on with it."""
    labels = torch.arange(40) % 4
    drawn = BalancedOrder(40, 8, seed=5, labels=labels)(2).flatten()
    assert drawn.sort().values.tolist() == list(range(40))
    shuffled = EpochOrder(40, 8, seed=5)(2).flatten()
    in_turn = torch.stack([shuffled[labels[shuffled] == label] for label in range(4)], dim=1).flatten()
    assert torch.equal(drawn, in_turn)


def test_a_small_class_is_shuffled_anew_each_time_it_comes_round():
    labels = torch.tensor([0] * 90 + [1] * 10)
    drawn = BalancedOrder(100, 10, seed=0, labels=labels)(0).flatten()
    rounds = drawn[labels[drawn] == 1].view(5, 10)
    assert len(rounds.unique(dim=0)) == 5
    large = [BalancedOrder(100, 10, seed=0, labels=labels)(epoch).flatten() for epoch in range(9)]
    assert len(torch.cat(large).unique()) == 100, "of the large class another part is left out each time"


def make(kind, next_update, *, updates_per_call=1):
    calls = Calls(updates_per_call, due_every=10)
    images = torch.arange(100, dtype=torch.uint8).view(100, 1, 1, 1).expand(100, 1, 28, 28)
    order = EpochOrder(100, 16, seed=3)
    if kind is HostBatches:
        return HostBatches(images, torch.arange(100), order, calls, next_update, workers=0, pin_memory=False)
    return ResidentBatches(images, torch.arange(100), order, calls, next_update)


def test_any_update_can_be_the_first():
    """6 updates an epoch: from update 8 on, that is the second epoch from its third batch on."""
    for kind in (ResidentBatches, HostBatches):
        whole = [labels for _, labels in make(kind, lambda: 6)]
        rest = [labels for _, labels in make(kind, lambda: 8)]
        assert len(whole) == 6
        assert len(rest) == 4
        torch.testing.assert_close(rest, whole[2:])


def test_both_placements_give_the_same_normalised_batches():
    for ours, theirs in zip(make(ResidentBatches, lambda: 0), make(HostBatches, lambda: 0), strict=True):
        torch.testing.assert_close(ours, theirs, atol=0, rtol=0)
        images, labels = ours
        assert images.shape == (1, 16, 1, 28, 28)
        torch.testing.assert_close(images[:, :, 0, 0, 0], labels / 127.5 - 1)


@given(st.integers(1, 70), st.integers(1, 60), st.integers(1, 40), st.integers(0, 200), st.none() | st.integers(1, 200))
def test_calls_cover_an_epoch_and_end_where_something_is_due(most, due_every, updates, first, last):
    epoch_end = (first // updates + 1) * updates
    counts, update = Calls(most, due_every, last)(first, epoch_end), first
    assert sum(counts) == epoch_end - first
    for count in counts:
        ends = update + count
        due = {epoch_end, last, (update // due_every + 1) * due_every}
        assert 1 <= count <= most
        assert not any(update < end < ends for end in due if end), "no call reaches over what is due"
        assert count == most or ends in due, "and none is shorter for another reason"
        update = ends


def test_a_call_has_the_batches_of_its_updates_in_their_order():
    for kind in (ResidentBatches, HostBatches):
        singles = list(make(kind, lambda: 7))
        calls = list(make(kind, lambda: 7, updates_per_call=2))  # 6 updates an epoch: 7 8, 9, 10 11
        assert [len(images) for images, _ in calls] == [2, 1, 2]
        for at in (0, 1):
            torch.testing.assert_close(torch.cat([call[at] for call in calls]), torch.cat([each[at] for each in singles]))
