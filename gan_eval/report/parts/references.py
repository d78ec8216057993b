"""Sources that a methods section cites: texts with `[@key]`, as plain text, as LaTeX, and their entries for BibTeX."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from gan_eval import __version__
from gan_eval.stats.paper import escape_latex

_CITED = re.compile(r" ?\[@([\w, ]+)\]")
_ACCENTS = {"\u0301": "'", "\u0300": "`", "\u0302": "^", "\u0308": '"', "\u0303": "~", "\u030c": "v "}


@dataclass(frozen=True)
class Source:
    """A publication, or a program."""

    cited: str
    """As a text cites it: `Hautus 1995`."""
    authors: Sequence[str]
    title: str
    fields: dict[str, str] = field(default_factory=dict)
    """Further fields of its BibTeX entry: year, journal or booktitle, volume, number, pages, ..."""
    kind: str = "article"


SOURCES: dict[str, Source] = {
    "gan_eval": Source(
        "gan_eval",
        ["{the gan_eval founders}"],
        "gan_eval: timed real-or-fake sessions, picture metrics and statistics for image-to-image models",
        {"note": f"Version {__version__}"},
        kind="misc",
    ),
    "hautus1995": Source(
        "Hautus 1995",
        ["Hautus, Michael J."],
        "Corrections for extreme proportions and their biasing effects on estimated values of d′",
        {"journal": "Behavior Research Methods, Instruments, & Computers", "volume": "27", "number": "1",
         "pages": "46--51", "year": "1995"},
    ),
    "macmillan2005": Source(
        "Macmillan & Creelman 2005",
        ["Macmillan, Neil A.", "Creelman, C. Douglas"],
        "Detection Theory: A User's Guide",
        {"publisher": "Lawrence Erlbaum Associates", "edition": "2nd", "year": "2005"},
        kind="book",
    ),
    "wilson1927": Source(
        "Wilson 1927",
        ["Wilson, Edwin B."],
        "Probable inference, the law of succession, and statistical inference",
        {"journal": "Journal of the American Statistical Association", "volume": "22", "number": "158",
         "pages": "209--212", "year": "1927"},
    ),
    "baayen2008": Source(
        "Baayen, Davidson & Bates 2008",
        ["Baayen, R. H.", "Davidson, D. J.", "Bates, D. M."],
        "Mixed-effects modeling with crossed random effects for subjects and items",
        {"journal": "Journal of Memory and Language", "volume": "59", "number": "4", "pages": "390--412",
         "year": "2008"},
    ),
    "zeger1988": Source(
        "Zeger, Liang & Albert 1988",
        ["Zeger, Scott L.", "Liang, Kung-Yee", "Albert, Paul S."],
        "Models for longitudinal data: a generalized estimating equation approach",
        {"journal": "Biometrics", "volume": "44", "number": "4", "pages": "1049--1060", "year": "1988"},
    ),
    "cameron2011": Source(
        "Cameron, Gelbach & Miller 2011",
        ["Cameron, A. Colin", "Gelbach, Jonah B.", "Miller, Douglas L."],
        "Robust inference with multiway clustering",
        {"journal": "Journal of Business & Economic Statistics", "volume": "29", "number": "2", "pages": "238--249",
         "year": "2011"},
    ),
    "holm1979": Source(
        "Holm 1979",
        ["Holm, Sture"],
        "A simple sequentially rejective multiple test procedure",
        {"journal": "Scandinavian Journal of Statistics", "volume": "6", "number": "2", "pages": "65--70",
         "year": "1979"},
    ),
    "schuirmann1987": Source(
        "Schuirmann 1987",
        ["Schuirmann, Donald J."],
        "A comparison of the two one-sided tests procedure and the power approach for assessing the equivalence of "
        "average bioavailability",
        {"journal": "Journal of Pharmacokinetics and Biopharmaceutics", "volume": "15", "number": "6",
         "pages": "657--680", "year": "1987"},
    ),
    "owen2007": Source(
        "Owen 2007",
        ["Owen, Art B."],
        "The pigeonhole bootstrap",
        {"journal": "The Annals of Applied Statistics", "volume": "1", "number": "2", "pages": "386--411",
         "year": "2007"},
    ),
    "bradley1952": Source(
        "Bradley & Terry 1952",
        ["Bradley, Ralph Allan", "Terry, Milton E."],
        "Rank analysis of incomplete block designs: I. The method of paired comparisons",
        {"journal": "Biometrika", "volume": "39", "number": "3/4", "pages": "324--345", "year": "1952"},
    ),
    "levitt1971": Source(
        "Levitt 1971",
        ["Levitt, H."],
        "Transformed up-down methods in psychoacoustics",
        {"journal": "The Journal of the Acoustical Society of America", "volume": "49", "number": "2B",
         "pages": "467--477", "year": "1971"},
    ),
    "kaernbach1991": Source(
        "Kaernbach 1991",
        ["Kaernbach, Christian"],
        "Simple adaptive testing with the weighted up-down method",
        {"journal": "Perception & Psychophysics", "volume": "49", "number": "3", "pages": "227--229", "year": "1991"},
    ),
    "zhou2019": Source(
        "Zhou et al. 2019",
        ["Zhou, Sharon", "Gordon, Mitchell L.", "Krishna, Ranjay", "Narcomey, Austin", "Fei-Fei, Li",
         "Bernstein, Michael S."],
        "HYPE: a benchmark for human eYe perceptual evaluation of generative models",
        {"booktitle": "Advances in Neural Information Processing Systems", "volume": "32", "year": "2019"},
        kind="inproceedings",
    ),
    "baayen2010": Source(
        "Baayen & Milin 2010",
        ["Baayen, R. Harald", "Milin, Petar"],
        "Analyzing reaction times",
        {"journal": "International Journal of Psychological Research", "volume": "3", "number": "2",
         "pages": "12--28", "year": "2010"},
    ),
    "wang2004": Source(
        "Wang et al. 2004",
        ["Wang, Zhou", "Bovik, Alan C.", "Sheikh, Hamid R.", "Simoncelli, Eero P."],
        "Image quality assessment: from error visibility to structural similarity",
        {"journal": "IEEE Transactions on Image Processing", "volume": "13", "number": "4", "pages": "600--612",
         "year": "2004"},
    ),
    "zhang2018": Source(
        "Zhang et al. 2018",
        ["Zhang, Richard", "Isola, Phillip", "Efros, Alexei A.", "Shechtman, Eli", "Wang, Oliver"],
        "The unreasonable effectiveness of deep features as a perceptual metric",
        {"booktitle": "IEEE/CVF Conference on Computer Vision and Pattern Recognition", "year": "2018"},
        kind="inproceedings",
    ),
    "mittal2013": Source(
        "Mittal et al. 2013",
        ["Mittal, Anish", "Soundararajan, Rajiv", "Bovik, Alan C."],
        "Making a “completely blind” image quality analyzer",
        {"journal": "IEEE Signal Processing Letters", "volume": "20", "number": "3", "pages": "209--212",
         "year": "2013"},
    ),
    "heusel2017": Source(
        "Heusel et al. 2017",
        ["Heusel, Martin", "Ramsauer, Hubert", "Unterthiner, Thomas", "Nessler, Bernhard", "Hochreiter, Sepp"],
        "GANs trained by a two time-scale update rule converge to a local Nash equilibrium",
        {"booktitle": "Advances in Neural Information Processing Systems", "volume": "30", "year": "2017"},
        kind="inproceedings",
    ),
    "chong2020": Source(
        "Chong & Forsyth 2020",
        ["Chong, Min Jin", "Forsyth, David"],
        "Effectively unbiased FID and Inception Score and where to find them",
        {"booktitle": "IEEE/CVF Conference on Computer Vision and Pattern Recognition", "year": "2020"},
        kind="inproceedings",
    ),
    "binkowski2018": Source(
        "Bińkowski et al. 2018",
        ["Bińkowski, Mikołaj", "Sutherland, D. J.", "Arbel, Michael", "Gretton, Arthur"],
        "Demystifying MMD GANs",
        {"booktitle": "International Conference on Learning Representations", "year": "2018"},
        kind="inproceedings",
    ),
}  # fmt: skip
"""By key."""
OF_METRICS = {
    "ssim": "wang2004",
    "lpips_alex": "zhang2018",
    "lpips_vgg": "zhang2018",
    "niqe": "mittal2013",
    "fid": "heusel2017",
    "fid_infinity": "chong2020",
    "kid": "binkowski2018",
}
"""The source of a metric, by its name."""


def cited_keys(text: str) -> list[str]:
    """The keys that a text cites, each once.

    >>> cited_keys("One [@holm1979], two [@hautus1995, holm1979].")
    ['holm1979', 'hautus1995']
    """
    return list(dict.fromkeys(key.strip() for keys in _CITED.findall(text) for key in keys.split(",")))


def as_text(text: str) -> str:
    """A text with its citations as names and years in brackets.

    >>> as_text("Corrected [@holm1979].")
    'Corrected (Holm 1979).'
    """
    return _CITED.sub(lambda match: f" ({'; '.join(SOURCES[key].cited for key in cited_keys(match[0]))})", text)


def as_latex(text: str) -> str:
    r"""A text as LaTeX, its citations as `\cite`; a blank line stands between paragraphs.

    >>> as_latex("50 % corrected [@holm1979].")
    '50 \\% corrected~\\cite{holm1979}.\n'
    """
    paragraphs = []
    for paragraph in text.split("\n\n"):
        plain, start = [], 0
        for match in _CITED.finditer(paragraph):
            plain += [escape_latex(paragraph[start : match.start()]), f"~\\cite{{{','.join(cited_keys(match[0]))}}}"]
            space = " " if paragraph[match.end() : match.end() + 1].isspace() else ""
            plain[-1] += space
            start = match.end()
        paragraphs.append("".join([*plain, escape_latex(paragraph[start:])]))
    return "\n\n".join(paragraphs) + "\n"


def as_bibtex(keys: Sequence[str]) -> str:
    """The entries of these sources, in their order."""
    return "\n".join(_entry(key, SOURCES[key]) for key in keys)


def _entry(key: str, source: Source) -> str:
    fields = {"author": " and ".join(source.authors), "title": f"{{{source.title}}}", **source.fields}
    lines = [f"  {name} = {{{_bibtex_text(value)}}}," for name, value in fields.items()]
    return "\n".join([f"@{source.kind}{{{key},", *lines, "}", ""])


def _bibtex_text(text: str) -> str:
    r"""Letters beyond ASCII as LaTeX has them, so that every BibTeX reads them.

    >>> print(_bibtex_text("Bińkowski & Mikołaj"))
    Bi{\'n}kowski \& Miko{\l}aj
    """
    known = {"ł": r"{\l}", "′": "$'$", "“": "``", "”": "''", "&": r"\&", "_": r"\_"}
    letters = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        if parts[1:] in _ACCENTS:
            letters.append(f"{{\\{_ACCENTS[parts[1:]]}{parts[0]}}}")
        else:
            letters.append(known.get(letter, letter))
    return "".join(letters)
