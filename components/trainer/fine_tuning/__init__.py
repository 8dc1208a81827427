"""The Trainer's second stage: the extractor's top and the head go on training, from pixels."""
