"""From a kubeconfig to an endpoint with credentials; imports `kubernetes` only when it is used."""

from playbooks.sources.access.access import Access, contexts, load
from playbooks.sources.access.credentials import Credentials
from playbooks.sources.access.options import CannotConnect, ConnectOptions

__all__ = ["Access", "CannotConnect", "ConnectOptions", "Credentials", "contexts", "load"]
