"""The WSGI application, for any server: settings from the environment. `yuliang migrate` must have run before."""

from __future__ import annotations

import os

from webapp.opening import open_known

app = open_known(os.environ)
