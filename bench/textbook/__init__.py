"""The textbook TFX pipeline on the same posters: what this project is measured against.

It is what TFX's own templates and the tutorial lead to: Transform writes float32 images, training
passes every image through the frozen extractor in every epoch, TFMA's metrics are asked a label at
a time with their defaults. Every part is left as its documentation shows it.
"""
