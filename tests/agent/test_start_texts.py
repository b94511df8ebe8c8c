"""Texts of agents' logs that name what keeps them: verbatim lines in a healthy recording, and their twins."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.model.request import ApiPath, Request
from playbooks.model.rule import Case
from tests import recorded
from tests.agent.judged import Json, config, excerpts, found, only, outcome, practice, run
from tests.agent.kept import AGENT, FATAL, NODE, container, init_stuck, pod, stamp, terminated
from tests.edited import answered, each, edited, gap, log, log_lines, path

TEXT_RULES = ("AGT015", "AGT016", "AGT017", "AGT018", "AGT036")
CASES = [
    (rule.id, case)
    for rule in catalogue().rules
    if rule.id in TEXT_RULES
    for case in rule.cases
    if case.proof == "V"
]
CRASHING = container(last=terminated(1))


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule} {case.id}" for rule, case in CASES])
def test_a_verbatim_line_is_recognised(rule: str, case: Case) -> None:
    one = only(rule, log_lines(*case.lines))
    assert one.severity > Severity.INFO
    assert case.lines[0] in "\n".join(proof.excerpt.raw for proof in one.evidence)
    assert one.fixes


@pytest.mark.parametrize("cluster", recorded.clusters())
def test_no_recording_holds_such_a_text(cluster: str) -> None:
    assert run(recorded.source(cluster), *TEXT_RULES, "AGT019", "AGT080").ranked == ()


@pytest.mark.parametrize("rule", [*TEXT_RULES, "AGT019", "AGT080"])
def test_without_the_log_nothing_is_found_and_nothing_is_green(rule: str) -> None:
    unread = gap(log("cilium-agent"))
    assert found(rule, unread) == []
    assert outcome(rule, unread).kind is OutcomeKind.COULD_NOT_LOOK


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule} {case.id}" for rule, case in CASES])
def test_the_same_text_is_read_in_every_format(rule: str, case: Case) -> None:
    message = case.lines[0].replace("\\", "\\\\").replace('"', '\\"')
    slog = f'time={stamp(seconds=30)} level=warn msg="{message}" module=agent'
    logfmt = f'level=warning msg="{message}" subsys=daemon'
    as_json = f'{{"time":"{stamp(seconds=30)}","level":"error","msg":"{message}"}}'
    for line in (slog, logfmt, as_json):
        assert len(found(rule, log_lines(line))) == 1, line


UNREACHED = (
    'level=error msg="Unable to contact k8s api-server" error="Get '
    '\\"https://10.96.0.1:443/api/v1/namespaces/kube-system\\": dial tcp 10.96.0.1:443: i/o timeout"'
)


STUCK = (init_stuck("config", last=terminated(1)), answered(log("config"), UNREACHED.encode()))


def test_the_api_server_behind_a_cluster_ip() -> None:
    one = only(
        "AGT015", init_stuck("config", last=terminated(1)), answered(log("config"), UNREACHED.encode())
    )
    assert one.subject == Ref("Pod", AGENT, "kube-system", NODE)
    assert "10.96.0.1:443" in one.summary.shown
    assert one.asserts == (
        Condition(ConditionKind.API_SERVER_UNREACHABLE, NODE),
        Condition(ConditionKind.AGENT_DOWN, NODE),
    )
    assert any("ClusterIP" in text.shown for text in one.alternatives)


def test_it_explains_the_init_container_that_is_stuck() -> None:
    (root,) = run(edited(recorded.source("healthy"), *STUCK), "AGT006", "AGT015").roots
    assert (root.rule.id, [one.rule.id for one in root.symptoms]) == ("AGT015", ["AGT006"])


@pytest.mark.parametrize(
    ("version", "has_proxy", "is_named"), [("v1.19.1", True, True), ("v1.18.0", True, False)]
)
def test_kube_proxy_in_ipvs_mode_is_an_alternative_from_1_19_on(
    version: str, has_proxy: bool, is_named: bool
) -> None:
    def older(item: Json) -> Json:
        for one in item["spec"]["template"]["spec"]["containers"]:
            one["image"] = f"images.example/cilium/cilium:{version}"
        return item

    def proxy(item: Json) -> None:
        item["metadata"]["labels"] = {"k8s-app": "kube-proxy"}

    edits = (each("daemonsets", older), pod("coredns", proxy), log_lines(UNREACHED))
    texts = [text.shown for text in only("AGT015", *edits).alternatives]
    assert any("IPVS" in text for text in texts) is is_named


def test_an_agent_that_got_through_later_is_well() -> None:
    assert found("AGT015", log_lines(UNREACHED, 'level=info msg="Connected to apiserver"')) == []


def test_a_failed_call_counts_only_as_what_a_run_ended_with() -> None:
    call = FATAL.format(
        'Get \\"https://api.example:6443/version\\": x509: certificate signed by unknown authority'
    )
    assert only("AGT015", CRASHING, log_lines(call)).subject.kind == "Pod"
    assert found("AGT015", CRASHING, log_lines(call, FATAL.format("something else"))) == []
    assert found("AGT015", log_lines(call)) == []


WAITS = (
    'level=info msg="Still waiting for Cilium Operator to register CRDs" crds="[crd:ciliumnodes.cilium.io]"'
)


FOUND = 'level=info msg="All Cilium CRDs have been found and are available"'


def test_crds_that_agents_wait_for_are_named() -> None:
    one = only("AGT016", log_lines(WAITS))
    assert one.subject == Ref("CustomResourceDefinition", "ciliumnodes.cilium.io")
    assert one.asserts == (Condition(ConditionKind.CRDS_MISSING),)
    assert found("AGT016", log_lines(WAITS, FOUND)) == []


def test_a_line_of_long_ago_is_over_for_an_agent_that_is_ready() -> None:
    old = f"time={stamp(minutes=50)} {WAITS}"
    assert found("AGT016", log_lines(old)) == []
    assert len(found("AGT016", log_lines(old), container(last=terminated(137)))) == 1


GROUPS = b'{"kind":"APIGroupList","groups":[{"name":"apps"}]}'


def _groups(request: Request) -> bool:
    return request == ApiPath("/apis")


def test_kinds_that_the_api_server_does_not_serve() -> None:
    one = only("AGT016", answered(_groups, GROUPS))
    assert {ref.name for ref in one.subjects} == {"ciliumnodes.cilium.io", "ciliumidentities.cilium.io"}


def test_kinds_that_are_not_known_are_not_missing() -> None:
    assert found("AGT016", gap(path("/apis"))) == []
    assert found("AGT016", answered(_groups, b'{"kind":"Status"}')) == []


def test_missing_crds_hang_below_the_operator() -> None:
    source = practice("operator-down")
    (root,) = run(source).roots
    assert root.rule.id == "AGT020"
    assert "AGT016" in [one.rule.id for one in root.symptoms]


def test_the_port_of_the_tunnel_is_named() -> None:
    line = "setting up vxlan device: creating vxlan device cilium_vxlan: address already in use"
    assert "port 8472" in only("AGT017", log_lines(line)).summary.shown
    assert "port 7777" in only("AGT017", log_lines(line), config(tunnel_port="7777")).summary.shown
    assert found("AGT017", log_lines("listen tcp 127.0.0.1:9879: bind: address already in use")) == []


def test_it_explains_the_crash_loop() -> None:
    fatal = FATAL.format(
        "failed to setup vxlan tunnel device: setting up vxlan device: address already in use"
    )
    (root,) = run(edited(recorded.source("healthy"), CRASHING, log_lines(fatal)), "AGT002", "AGT017").roots
    assert (root.rule.id, [one.rule.id for one in root.symptoms]) == ("AGT017", ["AGT002"])


DENIED = (
    'time={} level=error msg="failed to list" error="ciliumnodes.cilium.io is forbidden: User '
    '\\"system:serviceaccount:kube-system:cilium\\" cannot list resource \\"ciliumnodes\\" in API group '
    '\\"cilium.io\\" at the cluster scope"'
)


def test_who_may_not_do_what() -> None:
    one = only("AGT018", log_lines(DENIED.format(stamp(minutes=1))))
    assert one.subjects == (Ref("ClusterRole", "cilium"), Ref("ServiceAccount", "cilium", "kube-system"))
    assert "list ciliumnodes.cilium.io" in one.summary.shown
    assert one.severity is Severity.WARN
    assert any("auth can-i list" in step.command.raw for step in one.fixes[0].steps if step.command)


def test_a_refusal_of_long_ago_is_over() -> None:
    assert found("AGT018", log_lines(DENIED.format(stamp(hours=2)))) == []


def test_the_operator_may_be_refused_too() -> None:
    said = DENIED.format(stamp(minutes=1)).replace("kube-system:cilium", "kube-system:cilium-operator")
    one = only("AGT018", log_lines(said, container="cilium-operator"))
    assert Condition(ConditionKind.PERMISSION_MISSING, detail="operator") in one.asserts


@pytest.mark.parametrize("text", ["address family not supported by protocol", "socket: EAFNOSUPPORT"])
def test_an_address_family_that_the_kernel_lacks(text: str) -> None:
    one = only("AGT019", CRASHING, log_lines(FATAL.format(text)))
    assert one.asserts == (Condition(ConditionKind.NODE_UNFIT, NODE),)
    assert found("AGT019", log_lines(FATAL.format(text))) == []


def test_a_device_that_is_named_in_the_configuration() -> None:
    one = only(
        "AGT036", log_lines('level=warn msg="Device eth7 does not exist"'), config(devices="eth7 eth8")
    )
    assert "devices: eth7 eth8" in excerpts(one)
    assert found("AGT036", log_lines('level=warn msg="Device lxc12345 does not exist"')) == []


@pytest.mark.parametrize(
    "text",
    [
        "panic: runtime error: invalid memory address or nil pointer dereference",
        'level=error msg="POTENTIAL DEADLOCK: Inconsistent locking"',
        'level=warn msg="JoinEP: failed to stat"',
        'level=warn msg="Removing map to allow for property upgrade " map=cilium_ct4_global',
        'level=warn msg="Skipping symbol substitution"',
        'level=error msg="Uninitialized regeneration level"',
        'level=error msg="BUG: stat() has unstable behavior"',
        'level=warn msg="Missing iptables wait arg (-w):"',
        'level=warn msg="Could not restore all CIDR identities"',
        'level=warn msg="Mismatch of router IPs found during restoration"',
        'level=error msg="Attempt to allocate a node ID for an empty node IP address"',
        "[2026-11-23 01:40:01.123][15][critical][main] envoy bug failure",
    ],
)
def test_a_text_that_always_means_a_fault(text: str) -> None:
    one = only("AGT080", log_lines(text))
    assert one.severity > Severity.INFO
    assert text in "\n".join(proof.excerpt.raw for proof in one.evidence)


@pytest.mark.parametrize(
    "text",
    [
        'level=warn msg="Removing map to allow for property upgrade" map=cilium_policy_v2_00011',
        'level=info msg="Panicking is not what we do"',
        'level=warn msg="Couldn\'t find state, ignoring endpoint"',
        'level=warn msg="Unable to get node resource"',
        'level=error msg="the object has been modified; please apply your changes"',
    ],
)
def test_what_cilium_itself_tolerates_is_not_reported(text: str) -> None:
    assert found("AGT080", log_lines(text)) == []
