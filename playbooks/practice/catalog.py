"""The kinds of objects that the practice cluster knows."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.practice.objects import Json

READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object and how it is served."""

    group: str
    """API group, empty for the core group."""
    versions: tuple[str, ...]
    """Served versions, the preferred one first."""
    plural: str
    """Name in URLs."""
    kind: str
    """Name in objects."""
    is_namespaced: bool = True
    """Whether objects live in a namespace."""
    short_names: tuple[str, ...] = ()
    """Abbreviations for kubectl."""
    subresources: tuple[str, ...] = ()
    """Subresources beside the object."""
    is_custom: bool = False
    """Whether a CustomResourceDefinition brought it."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells kinds apart, whatever the version."""
        return self.group, self.plural

    @property
    def api_version(self) -> str:
        """The preferred `apiVersion`."""
        return self.at(self.versions[0])

    @property
    def singular(self) -> str:
        """The name in the singular."""
        return self.kind.lower()

    def at(self, version: str) -> str:
        """The `apiVersion` at a version."""
        return f"{self.group}/{version}" if self.group else version

    @property
    def qualified(self) -> str:
        """The plural with its group, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _core(plural: str, kind: str, *short: str, scoped: bool = True, sub: tuple[str, ...] = ()) -> Kind:
    return Kind("", ("v1",), plural, kind, scoped, short, sub)


def _grouped(
    group: str,
    version: str,
    plural: str,
    kind: str,
    *short: str,
    scoped: bool = True,
    sub: tuple[str, ...] = (),
) -> Kind:
    return Kind(group, (version,), plural, kind, scoped, short, sub)


PODS = _core("pods", "Pod", "po", sub=("log", "exec", "status"))
NODES = _core("nodes", "Node", "no", scoped=False, sub=("status",))
NAMESPACES = _core("namespaces", "Namespace", "ns", scoped=False)
SERVICES = _core("services", "Service", "svc", sub=("status",))
ENDPOINTS = _core("endpoints", "Endpoints", "ep")
CONFIG_MAPS = _core("configmaps", "ConfigMap", "cm")
SECRETS = _core("secrets", "Secret")
EVENTS = _core("events", "Event", "ev")
SERVICE_ACCOUNTS = _core("serviceaccounts", "ServiceAccount", "sa")
DAEMON_SETS = _grouped("apps", "v1", "daemonsets", "DaemonSet", "ds", sub=("status",))
DEPLOYMENTS = _grouped("apps", "v1", "deployments", "Deployment", "deploy", sub=("scale", "status"))
REPLICA_SETS = _grouped("apps", "v1", "replicasets", "ReplicaSet", "rs", sub=("scale", "status"))
STATEFUL_SETS = _grouped("apps", "v1", "statefulsets", "StatefulSet", "sts", sub=("scale", "status"))
REVISIONS = _grouped("apps", "v1", "controllerrevisions", "ControllerRevision")
SLICES = _grouped("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
LEASES = _grouped("coordination.k8s.io", "v1", "leases", "Lease")
POLICIES = _grouped("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol")
JOBS = _grouped("batch", "v1", "jobs", "Job")
CRON_JOBS = _grouped("batch", "v1", "cronjobs", "CronJob", "cj")
CRDS = _grouped(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    "crd",
    "crds",
    scoped=False,
)
CLUSTER_ROLES = _grouped("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", scoped=False)
CLUSTER_BINDINGS = _grouped(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", scoped=False
)
ROLES = _grouped("rbac.authorization.k8s.io", "v1", "roles", "Role")
BINDINGS = _grouped("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")

BUILT_IN = (
    PODS, NODES, NAMESPACES, SERVICES, ENDPOINTS, CONFIG_MAPS, SECRETS, EVENTS, SERVICE_ACCOUNTS,
    DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, STATEFUL_SETS, REVISIONS, SLICES, LEASES, POLICIES,
    JOBS, CRON_JOBS, CRDS, CLUSTER_ROLES, CLUSTER_BINDINGS, ROLES, BINDINGS,
)  # fmt: skip
"""Kinds that every API server has."""


def _cilium(
    plural: str, kind: str, *short: str, versions: tuple[str, ...] = ("v2",), scoped: bool = False
) -> Kind:
    return Kind("cilium.io", versions, plural, kind, scoped, short, (), is_custom=True)


CILIUM_IDENTITIES = _cilium("ciliumidentities", "CiliumIdentity", "ciliumid")
CILIUM_ENDPOINTS = _cilium("ciliumendpoints", "CiliumEndpoint", "cep", "ciliumep", scoped=True)
CILIUM_NODES = _cilium("ciliumnodes", "CiliumNode", "cn", "ciliumn")
CILIUM_ENDPOINT_SLICES = _cilium("ciliumendpointslices", "CiliumEndpointSlice", "ces", versions=("v2alpha1",))
CILIUM_POLICIES = _cilium("ciliumnetworkpolicies", "CiliumNetworkPolicy", "cnp", "ciliumnp", scoped=True)
CILIUM_CLUSTERWIDE_POLICIES = _cilium(
    "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", "ccnp"
)
CILIUM_CIDR_GROUPS = _cilium("ciliumcidrgroups", "CiliumCIDRGroup", "ccg", versions=("v2", "v2alpha1"))
CILIUM_POOLS = _cilium(
    "ciliumloadbalancerippools", "CiliumLoadBalancerIPPool", "ippools", "ippool", "lbippool", "lbippools",
    versions=("v2", "v2alpha1"),
)  # fmt: skip
CILIUM_L2_POLICIES = _cilium(
    "ciliuml2announcementpolicies", "CiliumL2AnnouncementPolicy", "l2announcement", versions=("v2alpha1",)
)

CILIUM = (
    CILIUM_IDENTITIES,
    _cilium("ciliumpodippools", "CiliumPodIPPool", "cpip", versions=("v2alpha1",)),
    CILIUM_ENDPOINTS,
    CILIUM_NODES,
    CILIUM_POLICIES,
    CILIUM_CLUSTERWIDE_POLICIES,
    CILIUM_CIDR_GROUPS,
    CILIUM_POOLS,
    CILIUM_L2_POLICIES,
    _cilium("ciliumnodeconfigs", "CiliumNodeConfig", versions=("v2", "v2alpha1"), scoped=True),
)  # fmt: skip
"""Kinds that the operator registers where nothing special is switched on, in its order."""


def kind_of(definition: Json) -> Kind:
    """The kind that a CustomResourceDefinition brings."""
    spec = definition["spec"]
    names = spec["names"]
    return Kind(
        spec["group"],
        tuple(version["name"] for version in spec["versions"] if version.get("served", True)),
        names["plural"],
        names["kind"],
        spec.get("scope") == "Namespaced",
        tuple(names.get("shortNames") or ()),
        (),
        is_custom=True,
    )
