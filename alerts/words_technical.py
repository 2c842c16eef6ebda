# ruff: noqa: RUF001 - Chinese has its own punctuation
"""What mends the equipment, one step each, Chinese and English: by why a device is silent, and by what the service lacks.

The first goes before the steps of `words_patient.py` and `words_clinic.py`, the second into those of the clinic. Must
never name a person, nor say that all is well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.alert import StationCondition
from alerts.words import text
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.words import Text

BY_CAUSE: Mapping[str, Text] = {
    "gateway_offline": text(
        "Check that the phone or the box has power and network: nothing comes from it.",
        "请检查手机或网关的电源和网络：未收到其任何数据。",
    ),
    "device_silent": text(
        "Put the device on, or switch it off and on: the phone or the box is there, the device sends nothing.",
        "请佩戴好设备或重新开机：手机或网关在线，但设备没有数据。",
    ),
    "out_of_reach": text(
        "Bring the device and the phone or the box closer together: it is out of reach.",
        "请将设备与手机或网关靠近：设备不在其范围内。",
    ),
    "battery_empty": text(
        "Charge the device or change its battery now: it is likely empty.", "请立即充电或更换电池：设备电量可能已耗尽。"
    ),
}
"""By `cause` in a finding's evidence: why a device is silent, likely (`stream.equipment.CAUSES`)."""

MEND: Mapping[str, Text] = {
    Condition.NEVER_REPORTED: text(
        "Have the device switched on near the gateway and one measurement made; pair it again if nothing comes.",
        "请在网关附近开启设备并测量一次；若仍无数据，请重新配对。",
    ),
    Condition.BP_MISSED_REPEATED: text(
        "Call the patient, and ask why no blood pressure was measured.", "请致电患者，了解未测血压的原因。"
    ),
    Condition.BATTERY_LOW: text("Have the device charged or its battery changed today.", "请于今日充电或更换电池。"),
    Condition.CLOCK_OFF: text(
        "Have the device's date and time set, or the device connected to its gateway once more.",
        "请校准设备的日期和时间，或将其重新连接网关。",
    ),
    Condition.LINK_SILENT: text(
        "Check the gateway's power and network; have it unplugged and plugged in again.",
        "请检查网关的电源和网络，并重新插拔网关电源。",
    ),
    Condition.OUTBOX_FILLING: text(
        "Check the gateway's network: when full, its outbox gives the oldest ECG up.",
        "请检查网关网络：存满后将丢弃最早的心电数据。",
    ),
    Condition.DATA_ABANDONED: text(
        "Read how much is lost and why; free space on the gateway's disk.", "请查看丢失的数据量及原因，并清理网关磁盘。"
    ),
    Condition.CLOCK_AHEAD: text(
        "Set the clock of the device or gateway that is named: what it dates ahead is kept, not judged.",
        "请校准所列设备或网关的时钟：超前的数据仅保留，不作判断。",
    ),
    Condition.CLOCK_STEP: text("Check the server's time synchronisation.", "请检查服务器的时间同步。"),
    Condition.MALFORMED: text(
        "Update the client that is named, or take it out of service.", "请升级所列客户端，或将其停用。"
    ),
    Condition.SEQ_CONFLICT: text(
        "See whether two devices run with one identity, or a memory was copied.",
        "请检查是否有两台设备使用同一身份，或存储被复制。",
    ),
    Condition.OVERSIZED: text("Have the client that is named send smaller messages.", "请让所列客户端发送更小的消息。"),
    Condition.QUARANTINE_FULL: text(
        "Stop or mend the client that is named: its bad messages are only counted now.",
        "请停用或修复所列客户端：其错误消息目前仅计数。",
    ),
    Condition.QUARANTINE_GROWING: text(
        "Read the quarantine by reason: an update of a device or of this server may have broken a format.",
        "请按原因查看隔离区：设备或服务器升级可能破坏了数据格式。",
    ),
    Condition.INTAKE_OVERLOADED: text(
        "Find what slows the server, its disk or its database; gateways hold everything meanwhile.",
        "请查找服务器变慢的原因（磁盘、数据库）；期间网关会保留全部数据。",
    ),
    Condition.DETERMINISM_FAULT: text("Keep the log and report it to the makers.", "请保留日志并上报开发者。"),
    Condition.BROKER_COMPLAINS: text(
        "Read the broker's own log: whom it refused, what it dropped.", "请查看消息服务器日志：拒绝了谁，丢弃了什么。"
    ),
    StationCondition.DELIVERY_FAILING: text(
        "Check the address and what receives there; notices wait and are tried again.",
        "请检查该地址及其接收端；通知会保留并重试。",
    ),
}
"""By condition: what a practice or an operator does about it, before anything else."""


def because(evidence: Mapping[str, float | int | str]) -> Text | None:
    """The first step where it is known why a device is silent."""
    return BY_CAUSE.get(str(evidence.get("cause", "")))
