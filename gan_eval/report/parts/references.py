"""The sources that reports cite: texts with `[@key]`, as plain text, as LaTeX, their entries for BibTeX, and a list of
references."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gan_eval import __version__
from gan_eval.report.parts.words import listed
from gan_eval.stats.paper import escape_latex

_CITED = re.compile(r" ?\[@([\w, ]+)\]")
_IN_BRIEF = re.compile(r"[A-ZÀ-Þ][\w-]+(?: et al\.| and [A-ZÀ-Þ][\w-]+)? (?:19|20)\d{2}\b(?!-)")
"""`Wang et al. 2004`, `Chong and Forsyth 2020`, as a metric's record cites; not the date of `Inception 2015-12-05`."""
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
    "lan1983": Source(
        "Lan & DeMets 1983",
        ["Lan, K. K. Gordon", "DeMets, David L."],
        "Discrete sequential boundaries for clinical trials",
        {"journal": "Biometrika", "volume": "70", "number": "3", "pages": "659--663", "year": "1983"},
    ),
    "obrien1979": Source(
        "O'Brien & Fleming 1979",
        ["O'Brien, Peter C.", "Fleming, Thomas R."],
        "A multiple testing procedure for clinical trials",
        {"journal": "Biometrics", "volume": "35", "number": "3", "pages": "549--556", "year": "1979"},
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
    "watson2017": Source(
        "Watson 2017",
        ["Watson, Andrew B."],
        "QUEST+: a general multidimensional Bayesian adaptive psychometric method",
        {"journal": "Journal of Vision", "volume": "17", "number": "3", "pages": "10", "year": "2017"},
    ),
    "prins2013": Source(
        "Prins 2013",
        ["Prins, Nicolaas"],
        "The psi-marginal adaptive method: how to give nuisance parameters the attention they deserve (no more, no "
        "less)",
        {"journal": "Journal of Vision", "volume": "13", "number": "7", "pages": "3", "year": "2013"},
    ),
    "zhou2019": Source(
        "Zhou et al. 2019",
        ["Zhou, Sharon", "Gordon, Mitchell L.", "Krishna, Ranjay", "Narcomey, Austin", "Fei-Fei, Li",
         "Bernstein, Michael S."],
        "HYPE: a benchmark for human eYe perceptual evaluation of generative models",
        {"booktitle": "Advances in Neural Information Processing Systems", "volume": "32", "year": "2019"},
        kind="inproceedings",
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
    "wang2003": Source(
        "Wang et al. 2003",
        ["Wang, Zhou", "Simoncelli, Eero P.", "Bovik, Alan C."],
        "Multiscale structural similarity for image quality assessment",
        {"booktitle": "Asilomar Conference on Signals, Systems and Computers", "volume": "2", "pages": "1398--1402",
         "year": "2003"},
        kind="inproceedings",
    ),
    "ding2020": Source(
        "Ding et al. 2020",
        ["Ding, Keyan", "Ma, Kede", "Wang, Shiqi", "Simoncelli, Eero P."],
        "Image quality assessment: unifying structure and texture similarity",
        {"note": "arXiv:2004.07728; IEEE Transactions on Pattern Analysis and Machine Intelligence 44(5), 2022",
         "year": "2020"},
        kind="misc",
    ),
    "mittal2012": Source(
        "Mittal et al. 2012",
        ["Mittal, Anish", "Moorthy, Anush Krishna", "Bovik, Alan C."],
        "No-reference image quality assessment in the spatial domain",
        {"journal": "IEEE Transactions on Image Processing", "volume": "21", "number": "12", "pages": "4695--4708",
         "year": "2012"},
    ),
    "pechpacheco2000": Source(
        "Pech-Pacheco et al. 2000",
        ["Pech-Pacheco, José Luis", "Cristóbal, Gabriel", "Chamorro-Martínez, Jesús", "Fernández-Valdivia, Joaquín"],
        "Diatom autofocusing in brightfield microscopy: a comparative study",
        {"booktitle": "International Conference on Pattern Recognition", "volume": "3", "pages": "314--317",
         "year": "2000"},
        kind="inproceedings",
    ),
    "kynkaanniemi2019": Source(
        "Kynkäänniemi et al. 2019",
        ["Kynkäänniemi, Tuomas", "Karras, Tero", "Laine, Samuli", "Lehtinen, Jaakko", "Aila, Timo"],
        "Improved precision and recall metric for assessing generative models",
        {"booktitle": "Advances in Neural Information Processing Systems", "volume": "32", "year": "2019"},
        kind="inproceedings",
    ),
    "naeem2020": Source(
        "Naeem et al. 2020",
        ["Naeem, Muhammad Ferjad", "Oh, Seong Joon", "Uh, Youngjung", "Choi, Yunjey", "Yoo, Jaejun"],
        "Reliable fidelity and diversity metrics for generative models",
        {"booktitle": "International Conference on Machine Learning", "year": "2020"},
        kind="inproceedings",
    ),
    "long2015": Source(
        "Long et al. 2015",
        ["Long, Jonathan", "Shelhamer, Evan", "Darrell, Trevor"],
        "Fully convolutional networks for semantic segmentation",
        {"booktitle": "IEEE Conference on Computer Vision and Pattern Recognition", "pages": "3431--3440",
         "year": "2015"},
        kind="inproceedings",
    ),
    "isola2017": Source(
        "Isola et al. 2017",
        ["Isola, Phillip", "Zhu, Jun-Yan", "Zhou, Tinghui", "Efros, Alexei A."],
        "Image-to-image translation with conditional adversarial networks",
        {"booktitle": "IEEE Conference on Computer Vision and Pattern Recognition", "pages": "1125--1134",
         "year": "2017"},
        kind="inproceedings",
    ),
}  # fmt: skip
"""By key."""


def cited_keys(text: str) -> list[str]:
    """The keys that a text cites, each once.

    >>> cited_keys("One [@holm1979], two [@hautus1995, holm1979].")
    ['holm1979', 'hautus1995']
    """
    return list(dict.fromkeys(key.strip() for keys in _CITED.findall(text) for key in keys.split(",")))


def keys_in_brief(text: str) -> list[str]:
    """The keys of what a metric's record cites by names and year, each once; none of what is not known here.

    >>> keys_in_brief("Binkowski et al. 2018; cubic kernel; Inception 2015-12-05")
    ['binkowski2018']
    """
    names = dict.fromkeys(map(_plain, _IN_BRIEF.findall(text)))
    return [_KEYS[name] for name in names if name in _KEYS]


def references(texts: Iterable[str]) -> list[str]:
    """The papers that texts cite by names and year, each once, by author; one that is not known here as it is cited.

    >>> references(["as Somebody and Other 1999; Inception 2015-12-05"])
    ['Somebody and Other (1999).']
    """
    citations = {_plain(cited): cited for text in texts for cited in _IN_BRIEF.findall(text)}
    return [
        _reference(SOURCES[_KEYS[name]]) if name in _KEYS else re.sub(r" (\d{4})$", r" (\1).", citations[name])
        for name in sorted(citations)
    ]


def _plain(cited: str) -> str:
    """A citation as it is compared: without accents, `and` in words."""
    letters = unicodedata.normalize("NFD", cited.replace("&", "and"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


_KEYS = {_plain(source.cited): key for key, source in SOURCES.items()}


def _reference(source: Source) -> str:
    """A source as a list of references has it."""
    authors = []
    for author in source.authors:
        family, _, given = author.partition(", ")
        initials = " ".join("-".join(f"{part[0]}." for part in name.split("-")) for name in given.split())
        authors.append(f"{initials} {family}".strip())
    venue = next(
        (source.fields[name] for name in ("journal", "booktitle", "publisher", "note") if name in source.fields), ""
    )
    return f"{listed(authors)} ({source.fields.get('year', '')}). {source.title}. {venue}."


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
    entries = []
    for key in keys:
        source = SOURCES[key]
        fields = {"author": " and ".join(source.authors), "title": f"{{{source.title}}}", **source.fields}
        lines = [f"  {name} = {{{_bibtex_text(value)}}}," for name, value in fields.items()]
        entries.append("\n".join([f"@{source.kind}{{{key},", *lines, "}", ""]))
    return "\n".join(entries)


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
