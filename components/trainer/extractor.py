"""The frozen feature extractor: any TF2 SavedModel in TF-Hub's image feature vector form."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import PostersError
from components.files import folder_digest

if TYPE_CHECKING:
    import tensorflow as tf
    import tensorflow_hub as hub

#: The handle of the small extractor that comes with the project, so that the sample runs offline.
EMBEDDED = "embedded"
_EMBEDDED_FOLDER = Path(__file__).parent.parent / "sample" / "extractor"


def is_remote(handle: str) -> bool:
    """Whether a handle names an address rather than a folder."""
    return "://" in handle


def locate(handle: str) -> Path:
    """The local folder of an extractor's SavedModel, downloaded to TF-Hub's cache if need be.

    Args:
      handle: `embedded`, a folder, or an address that TF-Hub understands.

    Raises:
      PostersError: there is no SavedModel, or the address cannot be reached.
    """
    if handle == EMBEDDED:
        return _EMBEDDED_FOLDER
    folder = _download(handle) if is_remote(handle) else Path(handle)
    if not folder.is_dir():
        raise PostersError(
            f"trainer.hub_handle: there is no folder {folder}. Give the folder of a TF2 "
            f"SavedModel, an address on TF-Hub, or `{EMBEDDED}`."
        )
    if not (folder / "saved_model.pb").is_file():
        raise PostersError(
            f"trainer.hub_handle: {folder} holds no saved_model.pb, so it is no TF2 SavedModel. "
            "Give the folder that directly contains saved_model.pb and variables/."
        )
    return folder


def kept_folder(feature_cache: str | Path) -> Path:
    """Where flat extractors are kept: beside the features that come from them."""
    return Path(feature_cache).parent / "extractors"


def fingerprint(handle: str) -> str:
    """What tells this extractor from another: its content, or its (versioned) address."""
    return handle if is_remote(handle) else folder_digest(locate(handle))


def load(
    handle: str, image_size: int, kept: Path | None = None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """Loads an extractor for inference, made flat if it can be; see `folding`.

    A module that was not met before is tried on one black image: it has to take the size and give a
    vector.

    Args:
      handle: see `locate`.
      image_size: side in pixels of the square images it will be given.
      kept: a folder for what flat extractors were made, to be ready sooner the next time.

    Returns:
      (N, image_size, image_size, 3) float32 in [0, 1] -> (N, D) float32. The same arguments give
      the same object, until another extractor is loaded.

    Raises:
      PostersError: it cannot be found, is not of the feature vector form, or wants another size.
    """
    return _load(handle, fingerprint(handle), image_size, kept)


def load_layer(handle: str, image_size: int) -> hub.KerasLayer:
    """Loads an extractor as its module is, with variables, for who wants to look into it.

    Args:
      handle: see `locate`.
      image_size: side in pixels of the square images it will be given.

    Returns:
      A frozen layer that takes and gives what that of `load` does.

    Raises:
      PostersError: as for `load`.
    """
    import tensorflow as tf
    import tensorflow_hub as hub

    try:
        layer = hub.KerasLayer(str(locate(handle)), trainable=False)
    except (ValueError, OSError, tf.errors.OpError) as error:
        raise PostersError(
            f"trainer.hub_handle: {handle} is a SavedModel that TF-Hub cannot use as a layer "
            f"({_first_line(error)}). It must be a TF2 module of the image feature vector form."
        ) from error
    try:
        vector = layer(tf.zeros((1, image_size, image_size, 3)))
    except (ValueError, TypeError, tf.errors.OpError) as error:
        wanted = _image_shapes(layer)
        hint = f"; it takes {wanted}" if wanted else ""
        raise PostersError(
            f"trainer.hub_handle: {handle} does not take images of {image_size} x {image_size} "
            f"pixels{hint}. Set image.size to the size it wants."
        ) from error
    if not isinstance(vector, tf.Tensor) or vector.shape.rank != 2:
        got = getattr(vector, "shape", type(vector).__name__)
        raise PostersError(
            f"trainer.hub_handle: {handle} gives {got} for one image where a feature vector "
            "module gives (1, D). Take the module's feature vector variant, not its classifier's "
            "outputs or a feature map."
        )
    return layer


def width(loaded: Callable[[tf.Tensor], tf.Tensor], image_size: int) -> int:
    """How many features an extractor gives; one that does not say is asked about a black image.

    Args:
      loaded: from `load`.
      image_size: side in pixels.
    """
    import tensorflow as tf

    known = getattr(loaded, "width", None)
    return known or loaded(tf.zeros((1, image_size, image_size, 3))).shape[1]


def load_copy(handle: str, trainable: bool) -> hub.KerasLayer:
    """Loads one more copy of an extractor that was accepted, for a caller who changes it.

    Args:
      handle: see `locate`.
      trainable: whether the layer counts its variables as trainable.
    """
    import tensorflow_hub as hub

    return hub.KerasLayer(str(locate(handle)), trainable=trainable)


def forget() -> None:
    """Lets go of the extractor that `load` remembers."""
    _load.cache_clear()


@functools.lru_cache(maxsize=1)
def _load(
    handle: str, content: str, image_size: int, kept: Path | None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """`load`, remembering the last one: a run checks its extractor before the Trainer uses it."""
    from components.trainer import folding, kept_graphs

    file = kept and kept_graphs.place(kept, content, image_size)
    graph = file and kept_graphs.read(file)
    if graph:
        return folding.FlatExtractor(graph, image_size)
    found = folding.flatten(load_layer(handle, image_size), image_size)
    if file and isinstance(found, folding.FlatExtractor):
        kept_graphs.write(file, found.graph)
    return found


def _download(handle: str) -> Path:
    import tensorflow_hub as hub

    cache = os.environ.get("TFHUB_CACHE_DIR") or str(Path(tempfile.gettempdir()) / "tfhub_modules")
    try:
        return Path(hub.resolve(handle))
    except Exception as error:  # the downloader lets through whatever the network raises
        raise PostersError(
            f"trainer.hub_handle: {handle} cannot be fetched ({_first_line(error)}). Ways out: "
            "download the module elsewhere and give its folder "
            "(--set trainer.hub_handle=/path/to/module); or set TFHUB_CACHE_DIR to a cache that "
            f"holds it (looked in {cache}; delete a half-filled folder there); or use the "
            "extractor that comes with the project "
            f"(--set trainer.hub_handle={EMBEDDED} --set image.size=96)."
        ) from error


def _image_shapes(layer: hub.KerasLayer) -> str:
    """The image sizes a module was traced for, as words, or nothing if it does not tell."""
    call = layer.resolved_object.__call__
    shapes = {
        tuple(spec.shape.as_list()[1:3])
        for function in getattr(call, "concrete_functions", [])
        for spec in function.structured_input_signature[0]
        if getattr(getattr(spec, "shape", None), "rank", None) == 4
    }
    return " or ".join(sorted(f"{height} x {width}" for height, width in shapes))


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:200] or type(error).__name__
