"""Constants of Fashion-MNIST (Xiao, Rasul and Vollgraf 2017), without importing PyTorch."""

CLASS_NAMES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
IMAGE_SIZE = 28
TRAIN_IMAGES_A_CLASS = 6000
