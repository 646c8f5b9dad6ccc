"""How the documentation is built: `make docs` writes it to site/."""

project = "Dialed"
author = "The Dialed authors"
copyright = "The Dialed authors, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
default_role = "code"  # a docstring's `name` is written as Markdown has it
napoleon_google_docstring = True
html_theme = "furo"
html_title = "Dialed"
html_copy_source = False
html_show_sphinx = False
