"""What ML Metadata tells of the models that were made, and what is done about it afterwards."""
