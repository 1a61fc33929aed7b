"""The data sets that have a name: Fashion-MNIST (Xiao et al. 2017), MNIST, KMNIST (Clanuwat et al. 2018), EMNIST letters."""

import string
from collections.abc import Sequence

from cgan_lightning.data.spec import DatasetSpec, IdxFile, hash_of
from cgan_lightning.utils.errors import UserError, shown

FILES = "files"  # the option of data= for a user's own files
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
UNKNOWN = (None,) * 4


def _files(
    names: Sequence[str] = NAMES,
    *,
    train: int = 60_000,
    test: int = 10_000,
    sha256: Sequence[str | None] = UNKNOWN,
    md5_of_gz: Sequence[str | None] = UNKNOWN,
) -> tuple[IdxFile, ...]:
    """Return the four files of 28×28 images and their labels."""
    shapes = ((train, 28, 28), (train,), (test, 28, 28), (test,))
    return tuple(map(IdxFile, names, shapes, sha256, md5_of_gz))


_FASHION_MNIST = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
_MNIST = (
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
_KMNIST = (  # MD5s of the gzipped files, as torchvision has them
    "bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
    "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134",
)  # fmt: skip
_EMNIST = tuple(
    f"emnist-letters-{split}-{kind}-ubyte" for split in ("train", "test") for kind in ("images-idx3", "labels-idx1")
)

FASHION_MNIST = DatasetSpec(
    name="fashion_mnist",
    title="Fashion-MNIST",
    class_names=(
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
    counts=(6000,) * 10,
    hash=hash_of(*_FASHION_MNIST),
    mirrored=True,
    mirrors=("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    debian_package="dataset-fashion-mnist",
    files=_files(sha256=_FASHION_MNIST),
)  # fmt: skip
MNIST = DatasetSpec(
    name="mnist",
    title="MNIST",
    class_names=tuple(string.digits),
    counts=(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    hash=hash_of(*_MNIST),
    mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    files=_files(sha256=_MNIST),
)
KMNIST = DatasetSpec(
    name="kmnist",
    title="KMNIST",
    class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    counts=(6000,) * 10,
    hash=hash_of(*_KMNIST),
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    files=_files(md5_of_gz=_KMNIST),
)
EMNIST_LETTERS = DatasetSpec(
    name="emnist_letters",
    title="EMNIST letters",
    class_names=tuple(string.ascii_uppercase),  # each is upper and lower case
    counts=(4800,) * 26,
    hash=hash_of("EMNIST letters"),
    first_label=1,
    transposed=True,
    instead="they are in gzip.zip (560 MB) of https://www.nist.gov/itl/products-and-services/emnist-dataset",
    files=_files(_EMNIST, train=124_800, test=20_800),  # of the second release; the first had 88,800 and 14,800
)
SETS = {each.name: each for each in (FASHION_MNIST, MNIST, KMNIST, EMNIST_LETTERS)}


def named(name: object) -> DatasetSpec:
    """Return the data set `name`. Raises UserError for one that has no name."""
    if not isinstance(name, str) or name not in SETS:
        raise UserError(f"data={shown(name)}: there is no such data set; there are {', '.join(SETS)} and {FILES}")
    return SETS[name]
