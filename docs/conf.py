"""How the documentation is built: `make docs` writes it to site/."""

project = "Dialed"
author = "The Dialed authors"
copyright = "The Dialed authors, Apache-2.0"

extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "Dialed"
html_copy_source = False
html_show_sphinx = False
