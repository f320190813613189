"""The site: every Markdown page for readers, read from the repository's root so that links between them are checked."""

import re

project = "provision"
author = "the authors of provision"
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md"]
# Folders without pages are not walked.
exclude_patterns = ["target", ".git", ".ci", ".github", "src", "crates", "handler", "tests", "examples"]

extensions = ["myst_parser"]
# Anchors as on code hosts: the heading in lower case, with hyphens.
myst_heading_anchors = 4
# A link to a file of the repository, such as LICENSE, is a link to a copy of it.
nitpicky = True

html_theme = "furo"
html_title = "provision"
html_extra_path = ["site"]


def add_contents(app, document, source):
    """Makes the links of the start page the contents of the site, so that a page without a link there is an error."""
    if document == root_doc:
        pages = re.findall(r"\]\(([^)#:]+)\.md\)", source[0])
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app):
    app.connect("source-read", add_contents)
