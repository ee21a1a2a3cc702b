"""Property tests are judged by what they find, not by how busy the machine is."""

from hypothesis import settings

settings.register_profile("ledger", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("ledger")
