"""DataGate: the node that stops a run on bad data, and says what is wrong with it."""
