"""Inception-v3 as another feature extractor, by a file of weights. Here they are made up: the real ones have 91 MB."""

import functools
import hashlib
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from torch.nn import functional as F
from torchmetrics.image.fid import FrechetInceptionDistance, NoTrainInceptionV3

from cgan_lightning.data import sources
from cgan_lightning.evaluate import evaluate
from cgan_lightning.evaluation import frechet, inception
from cgan_lightning.utils.errors import UserError
from tests.helpers.configs import composed


@pytest.fixture(scope="module", autouse=True)
def small_images():
    """Images of 75 × 75 instead of 299 × 299: the least that the network takes, and a sixteenth of the work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NoTrainInceptionV3, "INPUT_IMAGE_SIZE", 75)
        yield


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file as torch-fidelity's, with weights drawn at random."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, path)
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(NoTrainInceptionV3, "load_state_dict", lambda *_: None)
        network = NoTrainInceptionV3("inception-v3-compat", ["2048"], str(path))
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def network(weights):
    return inception.load(weights)


@pytest.mark.matrix
def test_grey_images_are_seen_in_three_channels(network):
    pixels = torch.randint(256, (3, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(inception.features_of(network, pixels), network(pixels.repeat(1, 3, 1, 1)))


@pytest.mark.matrix
def test_they_are_compared_as_the_feature_extractors_features_are():
    fake, real = (torch.randn(30, 4, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    found = inception.compare(*(F.pad(features, (0, 2044)) for features in (fake, real)), seed=3)
    mean, spread = frechet.kid(*(F.pad(each, (0, 2044)) for each in (real, fake)), subsets=100, subset_size=30, seed=3)
    expected = {"inception_fid": frechet.fid(real, fake), "inception_kid": mean, "inception_kid_spread": spread}
    assert found == pytest.approx(expected, rel=1e-4), "columns of zeros add nothing to a FID"


@pytest.mark.slow
def test_fid_is_torchmetrics_own(network):
    draws = torch.Generator().manual_seed(0)
    real, fake = (torch.randint(limit, (12, 1, 28, 28), dtype=torch.uint8, generator=draws) for limit in (256, 100))
    theirs = FrechetInceptionDistance(network, normalize=False)
    theirs.set_dtype(torch.float64)
    theirs.update(real.repeat(1, 3, 1, 1), real=True)
    theirs.update(fake.repeat(1, 3, 1, 1), real=False)
    ours = inception.compare(inception.features_of(network, fake), inception.features_of(network, real), seed=0)
    assert ours["inception_fid"] == pytest.approx(theirs.compute().item(), rel=1e-3)


@pytest.mark.slow
def test_evaluate_has_both(train, weights):
    folder = train("trainer.max_steps=1")
    asked = (f"checkpoint={folder}", "samples=100", "inception=true", f"inception_weights={weights}")
    evaluate(composed(*asked, command="evaluate"))
    found = json.loads((folder / "results.json").read_text())["evaluation"]
    assert found["samples"]["inception_fid"] > found["real_baseline"]["inception_fid"] > 0
    assert found["samples"]["fid"] > found["real_baseline"]["fid"]
    assert len(found["protocol"]["inception"]) == 12


@pytest.mark.parametrize("content", [None, b"", b"text", "{}"])
def test_weights_that_can_not_be_had_get_a_sentence(tmp_path, content):
    path = tmp_path / "weights.pth"
    if content == "{}":
        torch.save({}, path)
    elif content is not None:
        path.write_bytes(content)
    published = r"weights-inception-[\w-]+\.pth of torch-fidelity"
    with pytest.raises(
        UserError, match=rf"=.*weights\.pth .*: give inception_weights=FILE \({published}\), or leave inception=true out$"
    ):
        inception.load(path)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv(sources.CACHE_VARIABLE, str(tmp_path))
    return tmp_path / "inception"


def test_a_download_that_fails_gets_a_sentence(monkeypatch, cache):
    """A proxy that isn't there: nothing leaves this machine."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"inception_weights cannot be downloaded \(.*\): give inception_weights=FILE"):
        inception.load(None)
    assert list(cache.iterdir()) == []


@pytest.fixture
def served(monkeypatch, tmp_path_factory):
    """Puts a file where the weights are downloaded from: on a real server, on loopback. Gives what was asked for."""
    folder, asked = tmp_path_factory.mktemp("served"), []

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    def serve(content, digits):
        (folder / f"weights-{digits}.pth").write_bytes(content)
        monkeypatch.setattr(inception, "ADDRESS", f"http://127.0.0.1:{server.server_port}/weights-{digits}.pth")
        return asked

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield serve
        server.shutdown()


def test_other_weights_than_the_published_ones_are_refused(served, cache, weights):
    served(weights.read_bytes(), "6726825d")
    with pytest.raises(UserError, match=r"inception_weights: what http:.* gives is not what its name promises: give"):
        inception.load(None)
    assert list(cache.iterdir()) == []


@pytest.mark.long
def test_what_is_right_is_downloaded_once(served, cache, weights):
    asked = served(content := weights.read_bytes(), hashlib.sha256(content).hexdigest()[:8])
    del content
    inception.load(None)
    network = inception.load(None)
    torch.testing.assert_close(network.state_dict(), torch.load(weights, weights_only=True, mmap=True))
    assert len(asked) == 1
