"""One module per kind of generated page; each reads the code and gives back Markdown."""
