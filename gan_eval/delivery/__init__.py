"""A lab room: each station's own store first, and from there to the lab's PostgreSQL server, each row once.

`lab` is what a session sees of it; `courier` carries what `unsent` finds in the local store to the `server` at an
`address`. `gan_eval.delivery.courier.deliver_all` does it once, for stations that were without a network.
"""

from gan_eval.delivery.lab import Lab, open_lab

__all__ = ["Lab", "open_lab"]
