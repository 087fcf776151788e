"""The widgets: pictures that follow sliders, dashboards that train, the clinic."""

from pglesson.widgets.agent_view import AgentView
from pglesson.widgets.clinic import Clinic
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.explorer import Explorer
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.playground import Playground
from pglesson.widgets.progress_bar import progress

__all__ = ["AgentView", "Clinic", "Dashboard", "Explorer", "MicroscopeView", "Playground", "progress"]
