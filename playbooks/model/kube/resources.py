"""The kinds of objects that are asked for."""

from __future__ import annotations

from playbooks.model.request import Resource

PODS = Resource("", "v1", "pods", "Pod")
NODES = Resource("", "v1", "nodes", "Node", is_namespaced=False)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", is_namespaced=False)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")
SERVICES = Resource("", "v1", "services", "Service")
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    is_namespaced=False,
)
CILIUM_NODES = Resource("cilium.io", "v2", "ciliumnodes", "CiliumNode", is_namespaced=False)
CILIUM_ENDPOINTS = Resource("cilium.io", "v2", "ciliumendpoints", "CiliumEndpoint")
CILIUM_ENDPOINT_SLICES = Resource(
    "cilium.io", "v2alpha1", "ciliumendpointslices", "CiliumEndpointSlice", is_namespaced=False
)
CILIUM_NETWORK_POLICIES = Resource("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy")
CILIUM_CLUSTERWIDE_NETWORK_POLICIES = Resource(
    "cilium.io",
    "v2",
    "ciliumclusterwidenetworkpolicies",
    "CiliumClusterwideNetworkPolicy",
    is_namespaced=False,
)
CILIUM_IDENTITIES = Resource("cilium.io", "v2", "ciliumidentities", "CiliumIdentity", is_namespaced=False)
CIDR_GROUPS = Resource("cilium.io", "v2", "ciliumcidrgroups", "CiliumCIDRGroup", is_namespaced=False)
CIDR_GROUPS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumcidrgroups", "CiliumCIDRGroup", is_namespaced=False
)
LB_IP_POOLS = Resource(
    "cilium.io", "v2", "ciliumloadbalancerippools", "CiliumLoadBalancerIPPool", is_namespaced=False
)
LB_IP_POOLS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumloadbalancerippools", "CiliumLoadBalancerIPPool", is_namespaced=False
)
L2_POLICIES = Resource(
    "cilium.io", "v2alpha1", "ciliuml2announcementpolicies", "CiliumL2AnnouncementPolicy", is_namespaced=False
)
BGP_CLUSTER_CONFIGS = Resource(
    "cilium.io", "v2", "ciliumbgpclusterconfigs", "CiliumBGPClusterConfig", is_namespaced=False
)
BGP_CLUSTER_CONFIGS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumbgpclusterconfigs", "CiliumBGPClusterConfig", is_namespaced=False
)
BGP_PEER_CONFIGS = Resource(
    "cilium.io", "v2", "ciliumbgppeerconfigs", "CiliumBGPPeerConfig", is_namespaced=False
)
BGP_PEER_CONFIGS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumbgppeerconfigs", "CiliumBGPPeerConfig", is_namespaced=False
)
BGP_ADVERTISEMENTS = Resource(
    "cilium.io", "v2", "ciliumbgpadvertisements", "CiliumBGPAdvertisement", is_namespaced=False
)
BGP_ADVERTISEMENTS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumbgpadvertisements", "CiliumBGPAdvertisement", is_namespaced=False
)
BGP_NODE_CONFIGS = Resource(
    "cilium.io", "v2", "ciliumbgpnodeconfigs", "CiliumBGPNodeConfig", is_namespaced=False
)
BGP_NODE_CONFIGS_V2ALPHA1 = Resource(
    "cilium.io", "v2alpha1", "ciliumbgpnodeconfigs", "CiliumBGPNodeConfig", is_namespaced=False
)
BGP_PEERING_POLICIES = Resource(
    "cilium.io", "v2alpha1", "ciliumbgppeeringpolicies", "CiliumBGPPeeringPolicy", is_namespaced=False
)
EGRESS_GATEWAY_POLICIES = Resource(
    "cilium.io", "v2", "ciliumegressgatewaypolicies", "CiliumEgressGatewayPolicy", is_namespaced=False
)
LOCAL_REDIRECT_POLICIES = Resource(
    "cilium.io", "v2", "ciliumlocalredirectpolicies", "CiliumLocalRedirectPolicy"
)
ENVOY_CONFIGS = Resource("cilium.io", "v2", "ciliumenvoyconfigs", "CiliumEnvoyConfig")
CLUSTERWIDE_ENVOY_CONFIGS = Resource(
    "cilium.io", "v2", "ciliumclusterwideenvoyconfigs", "CiliumClusterwideEnvoyConfig", is_namespaced=False
)
NODE_CONFIGS = Resource("cilium.io", "v2", "ciliumnodeconfigs", "CiliumNodeConfig")
NODE_CONFIGS_V2ALPHA1 = Resource("cilium.io", "v2alpha1", "ciliumnodeconfigs", "CiliumNodeConfig")
POD_IP_POOLS = Resource("cilium.io", "v2alpha1", "ciliumpodippools", "CiliumPodIPPool", is_namespaced=False)
POD_IP_POOLS_V2 = Resource("cilium.io", "v2", "ciliumpodippools", "CiliumPodIPPool", is_namespaced=False)
