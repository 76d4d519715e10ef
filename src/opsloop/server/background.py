"""Which kinds of jobs this process can run: importing a slice's `jobs` module registers its handlers."""

from opsloop.core.notices import jobs as notices
from opsloop.datasets.preparation import jobs as preparations
from opsloop.datasets.publishing import jobs as publications
from opsloop.evaluation import jobs as evaluation
from opsloop.evaluation.judges import jobs as judges
from opsloop.releases import jobs as releases

KINDS = (notices, preparations, publications, evaluation, judges, releases)
