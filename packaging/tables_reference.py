"""`python -m gan_eval.tables` prints `docs/tables.md`."""

from gan_eval.tables import TABLES
from gan_eval.tables.schema import reference

print(reference(TABLES.values()), end="")
