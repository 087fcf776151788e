"""What a learner touches: pictures that answer sliders, dashboards that train, the clinic."""

from pglesson.widgets.agent_view import AgentView
from pglesson.widgets.clinic import Clinic
from pglesson.widgets.dashboard import Dashboard, progress
from pglesson.widgets.explorer import Explorer
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.playground import Playground

__all__ = ["AgentView", "Clinic", "Dashboard", "Explorer", "MicroscopeView", "Playground", "progress"]
