"""Which kinds of jobs this process can run, who hears of events, who erases texts of deleted documents.

Importing a module registers its handlers.
"""

from opsloop.core.notices import jobs as notices
from opsloop.datasets.preparation import jobs as preparations
from opsloop.datasets.publishing import jobs as publications
from opsloop.evaluation import jobs as evaluation
from opsloop.evaluation.judges import jobs as judges
from opsloop.evaluation.tuning import jobs as tunings
from opsloop.flows import erasing
from opsloop.improvement.samples import jobs as samples
from opsloop.improvement.weeks import jobs as weeks
from opsloop.incidents import jobs as incidents
from opsloop.incidents.diagnosis.history import labelling
from opsloop.incidents.intake import logs, metrics, ours
from opsloop.models import jobs as models
from opsloop.monitoring.alerts import listening
from opsloop.monitoring.texts import erasing as texts
from opsloop.rag.ingests import jobs as ingests
from opsloop.rag.stores import jobs as stores
from opsloop.rag.vectors import jobs as embeddings
from opsloop.releases import alarms, baking, triggers
from opsloop.releases import jobs as releases
from opsloop.releases.renewals import jobs as renewals
from opsloop.remediation import jobs as remediations
from opsloop.remediation.slack import asking as slack
from opsloop.training import jobs as training

KINDS = (
    *(notices, preparations, publications, models, embeddings, ingests, stores),
    *(evaluation, judges, tunings, releases, baking, renewals, training, samples, weeks),
    *(incidents, remediations, slack),
)
SUBSCRIBERS = (alarms, triggers, ours, metrics, logs, labelling)
KEEPERS = (erasing, texts)
listening.listen()  # last: it hears every event that the parts above have
