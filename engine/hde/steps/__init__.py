"""The steps of a run, each joining two or three wings; `hde.run` tells the whole story with them."""
