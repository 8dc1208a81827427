"""The embedded sample: drawn film posters in the form of a user's own data.

`write_sample` needs NumPy and Pillow only. The feature extractor in `extractor/` is made by
`train_extractor`, which alone needs TensorFlow.
"""

from components.sample.genres import GENRES
from components.sample.writing import DEFAULT_COUNT, DEFAULT_SEED, write_sample

__all__ = ["DEFAULT_COUNT", "DEFAULT_SEED", "GENRES", "write_sample"]
