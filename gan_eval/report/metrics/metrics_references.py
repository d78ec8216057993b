"""The papers that the metrics' sources name, as a list to put under a paper."""

import re
from collections.abc import Iterable

_CITED = re.compile(r"[A-ZÀ-Þ][\w-]+(?: et al\.| and [A-ZÀ-Þ][\w-]+)? (?:19|20)\d{2}\b(?!-)")
"""`Wang et al. 2004`, `Chong and Forsyth 2020`; not the date of `Inception 2015-12-05`."""
_PAPERS = {
    "Wang et al. 2004": "Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli (2004). Image quality assessment: "
    "from error visibility to structural similarity. IEEE Transactions on Image Processing.",
    "Wang et al. 2003": "Z. Wang, E. P. Simoncelli and A. C. Bovik (2003). Multiscale structural similarity for image "
    "quality assessment. Asilomar Conference on Signals, Systems and Computers.",
    "Zhang et al. 2018": "R. Zhang, P. Isola, A. A. Efros, E. Shechtman and O. Wang (2018). The unreasonable "
    "effectiveness of deep features as a perceptual metric. CVPR.",
    "Ding et al. 2020": "K. Ding, K. Ma, S. Wang and E. P. Simoncelli (2020). Image quality assessment: unifying "
    "structure and texture similarity. IEEE Transactions on Pattern Analysis and Machine Intelligence.",
    "Mittal et al. 2012": "A. Mittal, A. K. Moorthy and A. C. Bovik (2012). No-reference image quality assessment in "
    "the spatial domain. IEEE Transactions on Image Processing.",
    "Mittal et al. 2013": "A. Mittal, R. Soundararajan and A. C. Bovik (2013). Making a “completely blind” image "
    "quality analyzer. IEEE Signal Processing Letters.",
    "Pech-Pacheco et al. 2000": "J. L. Pech-Pacheco, G. Cristóbal, J. Chamorro-Martínez and J. Fernández-Valdivia "
    "(2000). Diatom autofocusing in brightfield microscopy: a comparative study. ICPR.",
    "Heusel et al. 2017": "M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler and S. Hochreiter (2017). GANs trained "
    "by a two time-scale update rule converge to a local Nash equilibrium. NeurIPS.",
    "Chong and Forsyth 2020": "M. J. Chong and D. Forsyth (2020). Effectively unbiased FID and Inception Score and "
    "where to find them. CVPR.",
    "Binkowski et al. 2018": "M. Bińkowski, D. J. Sutherland, M. Arbel and A. Gretton (2018). Demystifying MMD GANs. "
    "ICLR.",
    "Kynkäänniemi et al. 2019": "T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen and T. Aila (2019). Improved "
    "precision and recall metric for assessing generative models. NeurIPS.",
    "Naeem et al. 2020": "M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi and J. Yoo (2020). Reliable fidelity and diversity "
    "metrics for generative models. ICML.",
    "Long et al. 2015": "J. Long, E. Shelhamer and T. Darrell (2015). Fully convolutional networks for semantic "
    "segmentation. CVPR.",
    "Isola et al. 2017": "P. Isola, J.-Y. Zhu, T. Zhou and A. A. Efros (2017). Image-to-image translation with "
    "conditional adversarial networks. CVPR.",
}


def references(sources: Iterable[str]) -> list[str]:
    """The papers that the texts cite, each once, by author; one that is not known here as it is cited.

    >>> references(["as Somebody and Other 1999; Inception 2015-12-05"])
    ['Somebody and Other (1999).']
    """
    cited = sorted({match for source in sources for match in _CITED.findall(source)})
    return [_PAPERS.get(name, re.sub(r" (\d{4})$", r" (\1).", name)) for name in cited]
