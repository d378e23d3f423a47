"""How Sphinx builds the documentation: `make docs`."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
os.environ["STEPGRAD_ENGINE"] = "plain"  # the signatures that autodoc reads are those of the Python source

import autograd  # noqa: E402  # the engine is chosen before it is imported

# The notebooks stay where readers of the repository find them. They are shown with the outputs that they hold.
NOTEBOOKS = HERE / "tutorial" / "notebooks"
NOTEBOOKS.mkdir(exist_ok=True)
for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
    shutil.copy2(notebook, NOTEBOOKS)

project = "stepgrad"
author = "The stepgrad authors"
project_copyright = author
version = release = autograd.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "myst_nb",
    "sphinx_copybutton",
    "mathml",
    "docstrings",
    "sections",
    "shown",
    "primitive_table",
]
exclude_patterns = ["extensions"]
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # the default loads scripts from another host
myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True  # an attribute that a class describes may be a property with an entry of its own
maximum_signature_line_length = 80
python_display_short_literal_types = True
add_module_names = False
nitpicky = True
nitpick_ignore_regex = [
    # What other packages document, and types that are imported for a type checker alone.
    ("py:.*", r"(collections|typing|numpy|os|pathlib|random|matplotlib)\..*|Axes|Path|array"),
    (
        "py:class",
        "Argnums|Plain|Mixed|PullBack|Values|Floats|Integers|Truths|Structure|TreeT|Reduce|Theme",
    ),  # names of types in signatures, which type checkers resolve
    # What is defined in a module and is no public name. A test looks for those that are.
    ("py:.*", r"(autograd|nn)\.\w+\..*"),
]

# A button at an example copies what is typed: without prompts, and without what Python answers.
copybutton_prompt_text = r">>> |\.\.\. |\.\.\.$"
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False
copybutton_selector = "div.highlight pre:not(.cell_output pre)"

html_theme = "furo"
html_title = "stepgrad"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_search_summary = False  # a page that was opened from a file may not read others
html_math_renderer = "mathml"
html_theme_options = {"navigation_with_keys": False}
