"""What the bench of a GPU takes along from where TensorFlow is."""

import numpy as np

from bench import gpu


def test_an_extractor_is_written_to_the_very_file(tmp_path):
    file = tmp_path / "extractor"
    assert gpu.main(["--hub-handle", "embedded", "--size", "96", "--write", str(file)]) == 0
    assert list(tmp_path.iterdir()) == [file]
    with np.load(file) as arrays:
        assert arrays["images"].shape == (4, 96, 96, 3)
        assert arrays["features"].shape[0] == 4
