"""What lies beside a SavedModel, where TensorFlow Serving looks for nothing."""

EXTRA_FOLDER = "assets.extra"
#: What the model is, for programs; see `components.trainer.export`.
DESCRIPTION_FILE = f"{EXTRA_FOLDER}/model.json"
#: What TensorFlow takes a folder for a model by.
MODEL_FILE = "saved_model.pb"
