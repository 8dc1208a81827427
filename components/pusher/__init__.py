"""The Pusher node, publishing a version whole or not at all."""
