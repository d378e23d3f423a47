"""Pages that carry a graph: `live_page`."""

from autograd.views.live_page.neurons import NeuronNodes
from autograd.views.live_page.page import LivePage, live_page

__all__ = ["LivePage", "NeuronNodes", "live_page"]
