"""What is in a data set, for a person: read from a span, shown as text and as one HTML page."""
