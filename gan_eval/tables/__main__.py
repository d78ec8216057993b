"""`python -m gan_eval.tables` prints `docs/tables.md`."""

from gan_eval.schema import reference
from gan_eval.tables import TABLES

print(reference(TABLES.values()), end="")
