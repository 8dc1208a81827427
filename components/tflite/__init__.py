"""The model for phones: TensorFlow Lite, proved against the SavedModel before it is written."""
