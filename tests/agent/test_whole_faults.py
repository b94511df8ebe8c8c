"""Faults as a whole: what each leaves in every object, event and log, judged by all playbooks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playbooks.engine.ranking import Ranked
from playbooks.model.answer import GapKind
from playbooks.model.finding import Ref, Severity
from tests import recorded
from tests.agent.judged import Json, config, run
from tests.agent.kept import event, pod, without
from tests.edited import Edit, answered, body, command, each, edited, gap, log, of

AGENT, NODE = "cilium-cpgc6", "lab-node-1"
SYSTEM = "kube-system"
CRASHING: Json = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed"}}
ALLOWED = {("Service", "noback"), ("Service", "cart"), ("CiliumNetworkPolicy", "matches-nothing")}
"""Findings that are true in the recorded cluster also when it is healthy."""


def judged(cluster: str, *edits: Edit) -> tuple[Ranked, list[Ranked]]:
    """The first root, and the others above INFO that are not there in the healthy cluster."""
    every = run(edited(recorded.source(cluster), *edits)).roots
    roots = [one for one in every if one.finding.severity > Severity.INFO]
    assert roots, "nothing was found"
    others = [one for one in roots[1:] if (one.finding.subject.kind, one.finding.subject.name) not in ALLOWED]
    return roots[0], others


def down(
    state: Json, *, last: Json | None = None, words: str = "", spec: Callable[[Json], object] | None = None
) -> tuple[Edit, ...]:
    """The recorded crash loop half a minute after its beginning, with a sound value and another cause."""

    def change(item: Json) -> None:
        one = item["status"]["containerStatuses"][0]
        one.update(state=state, lastState={"terminated": last} if last else {}, restartCount=2 if last else 0)
        if spec:
            spec(item["spec"]["containers"][0])

    return (
        config(tunnel_protocol="vxlan"),
        pod("cilium-c", change),
        answered(log("cilium-agent", AGENT), words.encode()),
        without_events(AGENT),
    )


def without_events(name: str) -> Edit:
    return each("events", lambda item: None if item["involvedObject"]["name"] == name else item)


def in_init(said: str) -> tuple[Edit, ...]:
    """The same, where the first init container ends with these words."""
    end = {"exitCode": 1, "reason": "Error", "message": said, "finishedAt": "2026-11-23T01:50:30Z"}

    def change(item: Json) -> None:
        first, *rest = item["status"]["initContainerStatuses"]
        first.update(state=CRASHING, lastState={"terminated": end}, restartCount=2, ready=False)
        for one in (*rest, *item["status"]["containerStatuses"]):
            one.update(state={"waiting": {"reason": "PodInitializing"}}, lastState={}, ready=False)
            one["restartCount"] = 0
        item["status"]["phase"] = "Pending"

    gone = gap(log("cilium-agent", AGENT), GapKind.NOT_FOUND)
    told = answered(log("config", AGENT), said.encode())
    return (config(tunnel_protocol="vxlan"), pod("cilium-c", change), gone, told, without_events(AGENT))


def ended(code: int, reason: str = "Error", message: str = "") -> Json:
    times = {"startedAt": "2026-11-23T01:50:14Z", "finishedAt": "2026-11-23T01:50:29Z"}
    return {"exitCode": code, "reason": reason, "message": message, **times}


def workload(plural: str, name: str, change: Callable[[Json], object]) -> Edit:
    def edit(item: Json) -> Json:
        if item["metadata"]["name"] == name:
            change(item)
        return item

    return each(plural, edit)


def late(reason: str, message: str, about: str, **involved: str) -> Edit:
    """A warning at the time of the crash loop's recording."""
    times = {"firstTimestamp": "2026-11-23T01:50:12Z", "lastTimestamp": "2026-11-23T01:50:35Z"}
    return event(reason, message, about, involved=involved, **times)


def placed_nowhere(item: Json) -> None:
    terms = [{"matchExpressions": [{"key": "cni", "operator": "In", "values": ["cilium"]}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    item["spec"]["template"]["spec"]["affinity"]["nodeAffinity"] = required
    item["status"].update(desiredNumberScheduled=0, currentNumberScheduled=0, numberReady=0)


NO_ACCOUNT = 'Error creating: pods "{0}-" is forbidden: serviceaccount "{0}" not found'
NO_CONFIG = (
    'level=fatal msg="Failed to build configuration" subsys=cilium-dbg error="failed to retrieve ConfigMap '
    'kube-system/cilium-config: configmaps \\"cilium-config\\" not found"\n'
)
NO_API = (
    'level=error msg="Unable to contact k8s api-server" ipAddr=https://192.0.2.99:6443 error="Get '
    '\\"https://192.0.2.99:6443/api/v1/namespaces/kube-system\\": dial tcp 192.0.2.99:6443: connect: '
    'no route to host"\nlevel=fatal msg="Failed to start k8s client"\n'
)
NO_COMMAND = 'runc create failed: exec: "cilium-agentt": executable file not found in $PATH'
LOOSE = "Liveness probe failed: dial tcp 127.0.0.1:9880: connect: connection refused"
DAEMON_SET = Ref("DaemonSet", "cilium", SYSTEM)
CONFIG = Ref("ConfigMap", "cilium-config", SYSTEM)
NO_AGENT = (config(tunnel_protocol="vxlan"), without("pods", AGENT), without_events(AGENT))
DAEMON_SET_WAITS = workload(
    "daemonsets", "cilium", lambda item: item["status"].update(currentNumberScheduled=0)
)

AGENT_DOWN = {
    "its memory limit": (
        DAEMON_SET,
        down(
            CRASHING,
            last=ended(137, "OOMKilled"),
            spec=lambda one: one.update(resources={"limits": {"memory": "64Mi"}}),
        ),
    ),
    "its command": (
        DAEMON_SET,
        down(
            CRASHING,
            last=ended(128, "StartError", NO_COMMAND),
            spec=lambda one: one.update(command=["cilium-agentt"]),
        ),
    ),
    "its argument": (
        DAEMON_SET,
        down(
            CRASHING,
            last=ended(1),
            words='level=fatal msg="unknown flag: --confg-dir"\n',
            spec=lambda one: one.update(args=["--confg-dir=/tmp"]),
        ),
    ),
    "its liveness probe": (
        DAEMON_SET,
        (
            *down(
                {"running": {"startedAt": "2026-11-23T01:50:30Z"}},
                last=ended(0, "Completed"),
                spec=lambda one: one["livenessProbe"]["httpGet"].update(port=9880),
            ),
            late("Unhealthy", LOOSE, AGENT),
        ),
    ),
    "its ConfigMap": (CONFIG, (*in_init(NO_CONFIG), without("configmaps", "cilium-config"))),
    "its address of the API server": (DAEMON_SET, in_init(NO_API)),
    "its device": (
        CONFIG,
        (
            *down(
                CRASHING,
                last=ended(255),
                words='level=fatal msg="unable to run agent: failed to start: daemon creation failed: failed '
                "to detect devices: unable to determine direct routing device. Use --direct-routing-device "
                'to specify it" subsys=daemon\n',
            ),
            config(devices="eth9"),
        ),
    ),
    "its affinity": (DAEMON_SET, (*NO_AGENT, workload("daemonsets", "cilium", placed_nowhere))),
    "its account": (
        Ref("ServiceAccount", "cilium", SYSTEM),
        (
            *NO_AGENT,
            DAEMON_SET_WAITS,
            late("FailedCreate", NO_ACCOUNT.format("cilium"), "cilium", kind="DaemonSet"),
        ),
    ),
}


@pytest.mark.parametrize("name", AGENT_DOWN)
def test_an_agent_that_is_down_leads_to_what_must_change(name: str) -> None:
    subject, edits = AGENT_DOWN[name]
    first, others = judged("05", *edits)
    assert first.finding.subject == subject
    assert first.finding.severity is Severity.ERROR
    assert others == []


@pytest.mark.parametrize("name", ["its command", "its memory limit"])
def test_a_template_that_says_nothing_of_it_is_not_blamed(name: str) -> None:
    _, edits = AGENT_DOWN[name]
    plain = pod("cilium-c", lambda item: item["spec"]["containers"][0].update(command=["x"], resources={}))
    assert judged("05", *edits, plain)[0].finding.subject.kind == "Pod"


def test_an_address_at_which_the_api_server_is_blames_no_template() -> None:
    said = NO_API.replace("192.0.2.99", "192.0.2.2")
    assert judged("05", *in_init(said))[0].finding.subject.kind == "Pod"
    slices = gap(of("endpointslices"))
    assert judged("05", *in_init(NO_API), slices)[0].finding.subject.kind == "Pod"


OPERATOR = "cilium-operator"
STALE = without("leases", "cilium-operator-resource-lock")
REPLICA_SET = {"kind": "ReplicaSet"}


def unscheduled(item: Json) -> None:
    item["spec"].pop("nodeName")
    said = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    item["status"] = {"phase": "Pending", "conditions": [refused]}
    item["metadata"]["creationTimestamp"] = "2026-11-23T01:40:10Z"


def relay_state(state: Json, since: str = "2026-11-23T01:40:12Z") -> tuple[Edit, ...]:
    def change(item: Json) -> None:
        item["status"]["containerStatuses"][0].update(state=state, ready=False)
        for one in item["status"]["conditions"]:
            if one["type"] == "Ready":
                one.update(status="False", lastTransitionTime=since)

    nobody = workload("deployments", "hubble-relay", lambda item: item["status"].update(readyReplicas=0))
    return (pod("hubble-relay", change), nobody)


RUNS: Json = {"running": {"startedAt": "2026-11-23T01:40:12Z"}}
DEVICES = command("cilium-dbg", "shell", "--", "db/show", "devices")


def lost_interface(bytes_: bytes) -> bytes:
    return b"\n".join(line for line in bytes_.splitlines() if b"lxc9648b12a5536" not in line)


RUNNING = {
    "operator unscheduled": (
        Ref("Deployment", OPERATOR, SYSTEM),
        (
            pod(OPERATOR, unscheduled),
            STALE,
            workload("deployments", OPERATOR, lambda item: item["status"].update(readyReplicas=0)),
        ),
    ),
    "operator without its account": (
        Ref("ServiceAccount", OPERATOR, SYSTEM),
        (
            without("pods", OPERATOR),
            STALE,
            event(
                "FailedCreate", NO_ACCOUNT.format(OPERATOR), f"{OPERATOR}-5f5f45d967", involved=REPLICA_SET
            ),
        ),
    ),
    "relay without its image": (
        Ref("Deployment", "hubble-relay", SYSTEM),
        relay_state({"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
    ),
    "relay without its service": (
        Ref("Service", "hubble-peer", SYSTEM),
        (*relay_state(RUNS), without("services", "hubble-peer"), gap(command("cilium-dbg", "service"))),
    ),
    "relay without Hubble": (CONFIG, (*relay_state(RUNS), config(enable_hubble="false"))),
    "relay at another port": (CONFIG, (*relay_state(RUNS), config(hubble_listen_address=":4254"))),
    "interface deleted": (
        Ref("Endpoint", "frontend-5c968f9675-gmgl2", "shop"),
        (body(DEVICES, lost_interface),),
    ),
}


@pytest.mark.parametrize("name", RUNNING)
def test_with_a_sound_agent_it_leads_there_too(name: str) -> None:
    subject, edits = RUNNING[name]
    first, others = judged("healthy", *edits)
    found = first.finding.subject
    assert (found.kind, found.namespace, found.name) == (subject.kind, subject.namespace, subject.name)
    assert [one for one in others if one.finding.subject.name != subject.name] == []
