"""Property tests run without deadlines: a busy machine is not a defect."""

from hypothesis import settings

settings.register_profile("contracts", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("contracts")
