"""The set metrics, computed once for the same features: their rows are kept by the hash of all that goes in."""

import json
from collections.abc import Sequence

from gan_eval.files import sha256_json
from gan_eval.metrics.callables import OnProgress
from gan_eval.metrics.facts import Metric
from gan_eval.metrics.run.cache import Cache
from gan_eval.metrics.run.inputs import Stimulus
from gan_eval.metrics.run.picture_work import PictureResults
from gan_eval.metrics.run.provenance import versions
from gan_eval.metrics.run.set_rows import SetRows
from gan_eval.metrics.run.tools import Tools, code_hash

_LIBRARIES = ("numpy", "scipy", "torch")


def compare_sets_once(
    stimuli: Sequence[Stimulus],
    metrics: Sequence[Metric],
    results: PictureResults,
    tools: Tools,
    cache: Cache,
    *,
    on_progress: OnProgress | None = None,
) -> SetRows:
    """As `gan_eval.metrics.run.set_pass.compare_sets`, or what it gave before for the same."""
    wanted = [metric for metric in metrics if metric.kind == "set" and not metric.distribution]
    if not wanted:
        return SetRows()
    key = bytes.fromhex(_hash_of_all(stimuli, wanted, results, tools))
    kept = cache.result(key)
    if kept is not None:
        return SetRows(**json.loads(kept))
    from gan_eval.metrics.run.set_pass import compare_sets

    names = [stimulus.stimulus for stimulus in stimuli]
    rows = compare_sets(
        stimuli,
        wanted,
        features={kind.name: results.stores[kind.name].table(names) for kind in tools.network.kinds},
        unreadable={names[number]: reason for number, reason in results.unreadable.items()},
        unavailable=tools.network.unavailable,
        caveats=tools.network.caveats,
        hashes={names[number]: digest.hex() for number, digest in results.hashes.items()},
        on_progress=on_progress,
    )
    cache.keep_result(key, json.dumps(vars(rows)))
    return rows


def _hash_of_all(stimuli: Sequence[Stimulus], metrics: Sequence[Metric], results: PictureResults, tools: Tools) -> str:
    """SHA-256 over the features, whose they are, and how they are compared."""
    whose = [
        (one.stimulus, one.item, one.model, one.dataset, one.fraction, results.unreadable.get(number))
        for number, one in enumerate(stimuli)
    ]
    features = [(kind.name, kind.definition, results.stores[kind.name].content_hash()) for kind in tools.network.kinds]
    how = [metric.definition for metric in metrics]
    told = [tools.network.unavailable, tools.network.caveats]
    digests = sorted((number, digest.hex()) for number, digest in results.hashes.items())
    return sha256_json([whose, digests, features, how, told, versions(_LIBRARIES), code_hash()])
