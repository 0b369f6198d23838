"""How hypothesis runs here: timings decide no test, the machine may be busy; nothing is written beside the tests."""

from hypothesis import HealthCheck, settings

settings.register_profile("patient", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
