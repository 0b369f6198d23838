"""The WSGI application, for any server: settings from the environment."""

from __future__ import annotations

import os

from webapp import create_app
from webapp.settings import read_settings

app = create_app(read_settings(os.environ))
