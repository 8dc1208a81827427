"""Charts as SVG that stands in a page: no script, no file beside it, colours of the page."""
