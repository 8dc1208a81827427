"""What lies beside a SavedModel, where TensorFlow Serving looks for nothing."""

#: What the model is, for programs; see `components.trainer.export`.
DESCRIPTION_FILE = "assets.extra/model.json"
#: What TensorFlow takes a folder for a model by.
MODEL_FILE = "saved_model.pb"
