"""Settings of the tests."""

import os

from hypothesis import settings

# Where a change is judged the random graphs are the same each time; elsewhere each run tries new ones.
settings.register_profile("judged", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("judged")
