# ruff: noqa: RUF001 - Chinese has its own punctuation
"""Every text of an alert that a person reads, Chinese and English: the names here, the words of each audience beside it.

`words_patient.py` and `words_clinic.py` hold what is said and what to do. Must never hold a name or a value of a patient:
numbers are filled in by `reason.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts import words_clinic, words_patient
from alerts.alert import EventType, Reason, StationCondition, Tier
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alerts.words import Text, Words

CONDITIONS: Mapping[str, Text] = {
    Condition.VF: {"en": "ventricular fibrillation", "zh": "心室颤动"},
    Condition.ASYSTOLE: {"en": "no heart beat (asystole)", "zh": "心搏停止"},
    Condition.PAUSE: {"en": "long pause between heart beats", "zh": "心搏长间歇"},
    Condition.BRADY: {"en": "slow heart rate", "zh": "心率过缓"},
    Condition.EXTREME_BRADY: {"en": "extremely slow heart rate", "zh": "极度心率过缓"},
    Condition.TACHY: {"en": "fast heart rate", "zh": "心率过快"},
    Condition.EXTREME_TACHY: {"en": "extremely fast heart rate", "zh": "极度心率过快"},
    Condition.BP_CRISIS: {"en": "crisis blood pressure, repeated", "zh": "血压危象（已复测）"},
    Condition.BP_CRISIS_UNCONFIRMED: {"en": "very high blood pressure, one reading", "zh": "血压极高（一次测量）"},
    Condition.NOISE: {"en": "the ECG is too noisy to judge", "zh": "心电信号噪声过大，无法判断"},
    Condition.LEAD_OFF: {"en": "an electrode is off", "zh": "电极脱落"},
    Condition.NO_DATA: {"en": "no new data from a device", "zh": "设备没有新数据"},
    Condition.NEVER_REPORTED: {"en": "a device has never sent a measurement", "zh": "设备从未上传过数据"},
    Condition.BP_MISSED: {"en": "a planned blood pressure was not measured", "zh": "漏测一次计划内的血压"},
    Condition.BP_MISSED_REPEATED: {
        "en": "planned blood pressures were not measured, several in a row",
        "zh": "连续多次漏测计划内的血压",
    },
    Condition.BATTERY_LOW: {"en": "a device's battery is low", "zh": "设备电量低"},
    Condition.CLOCK_OFF: {"en": "a device's clock is wrong", "zh": "设备时钟不准"},
    Condition.QUARANTINE_GROWING: {
        "en": "much of what arrives cannot be read",
        "zh": "大量数据无法读取，隔离区持续增长",
    },
    Condition.OUTBOX_FILLING: {"en": "a gateway's memory fills with unsent data", "zh": "网关未发送的数据正在堆积"},
    Condition.LINK_SILENT: {"en": "a gateway is not heard", "zh": "网关失联"},
    Condition.DETECTOR_FAILED: {
        "en": "the detector failed: this patient is not watched",
        "zh": "检测程序出错：该患者未被监测",
    },
    Condition.CLOCK_AHEAD: {"en": "a device's clock is ahead", "zh": "设备时钟超前"},
    Condition.CLOCK_STEP: {"en": "the server's clock was stepped", "zh": "服务器时钟被调整"},
    Condition.MALFORMED: {"en": "a client sends what cannot be read", "zh": "客户端发送了无法读取的数据"},
    Condition.SEQ_CONFLICT: {"en": "one number was sent with two contents", "zh": "同一序号有两种内容"},
    Condition.UNKNOWN_DEVICE: {"en": "a device is assigned to nobody", "zh": "设备未分配给任何人"},
    Condition.OVERSIZED: {"en": "a message was too large", "zh": "消息过大"},
    Condition.QUARANTINE_FULL: {"en": "a client sends more bad messages than are kept", "zh": "隔离区已满"},
    Condition.DATA_ABANDONED: {"en": "a gateway had to give data up", "zh": "网关放弃了部分数据"},
    Condition.INTAKE_OVERLOADED: {"en": "the intake is overloaded", "zh": "接收端过载"},
    Condition.STORE_FULL: {"en": "the store's disk is full", "zh": "存储磁盘已满"},
    Condition.DETERMINISM_FAULT: {"en": "judging the same data again gave another result", "zh": "重复判断结果不一致"},
    Condition.BROKER_COMPLAINS: {"en": "the broker refused messages or clients", "zh": "消息服务器拒绝了消息或客户端"},
    Condition.GLUCOSE_LOW: {"en": "low glucose", "zh": "血糖偏低"},
    Condition.GLUCOSE_VERY_LOW: {"en": "very low glucose", "zh": "血糖过低"},
    Condition.GLUCOSE_CRITICAL_LOW: {"en": "dangerously low glucose", "zh": "血糖危险性过低"},
    Condition.GLUCOSE_PROLONGED_LOW: {"en": "very low glucose for two hours", "zh": "血糖过低持续两小时"},
    Condition.GLUCOSE_LOW_REPEATED: {"en": "low glucose again within a day", "zh": "一日内再次低血糖"},
    Condition.GLUCOSE_HIGH: {"en": "high glucose", "zh": "血糖偏高"},
    Condition.GLUCOSE_VERY_HIGH: {"en": "very high glucose", "zh": "血糖过高"},
    Condition.GLUCOSE_PROLONGED_HIGH: {"en": "high glucose for two hours", "zh": "血糖偏高持续两小时"},
    Condition.GLUCOSE_PROLONGED_VERY_HIGH: {"en": "very high glucose for two hours", "zh": "血糖过高持续两小时"},
    Condition.GLUCOSE_FALL: {"en": "glucose falling fast", "zh": "血糖快速下降"},
    Condition.GLUCOSE_RISE: {"en": "glucose rising fast", "zh": "血糖快速上升"},
    Condition.GLUCOSE_PREDICTED_LOW: {
        "en": "very low glucose expected within 20 minutes",
        "zh": "预计20分钟内血糖过低",
    },
    Condition.GLUCOSE_COMPRESSION_LOW: {
        "en": "low glucose, perhaps from lying on the sensor",
        "zh": "血糖偏低，可能为传感器受压",
    },
    Condition.SENSOR_WARM_UP: {"en": "a glucose sensor is warming up", "zh": "血糖传感器预热中"},
    Condition.SENSOR_EXPIRED: {"en": "a glucose sensor has expired", "zh": "血糖传感器已到期"},
    Condition.SENSOR_SIGNAL_LOSS: {"en": "a glucose sensor is not heard", "zh": "血糖传感器信号丢失"},
    Condition.BP_HIGH: {"en": "high blood pressure, confirmed", "zh": "血压过高（已确认）"},
    Condition.BP_LOW: {"en": "low blood pressure", "zh": "血压偏低"},
    Condition.BP_VERY_LOW: {"en": "very low blood pressure, repeated", "zh": "血压过低（已复测）"},
    Condition.BP_MEAN_HIGH: {"en": "mean blood pressure of a week above the limit", "zh": "一周平均血压超过界值"},
    Condition.IRREGULAR_PULSE: {"en": "irregular pulse noticed by a cuff", "zh": "血压计提示脉搏不规则"},
    Condition.SYMPTOM: {"en": "the patient reports a symptom", "zh": "患者报告症状"},
    Condition.VT: {"en": "ventricular tachycardia", "zh": "室性心动过速"},
    Condition.VT_SUSTAINED: {"en": "sustained ventricular tachycardia", "zh": "持续性室性心动过速"},
    Condition.NSVT: {"en": "short run of ventricular beats", "zh": "短阵室性心动过速"},
    Condition.COUPLET: {"en": "two ventricular beats in a row", "zh": "成对室性早搏"},
    Condition.BIGEMINY: {"en": "every other beat is an extra beat", "zh": "室性早搏二联律"},
    Condition.TRIGEMINY: {"en": "every third beat is an extra beat", "zh": "室性早搏三联律"},
    Condition.AF: {"en": "atrial fibrillation", "zh": "心房颤动"},
    Condition.AF_POSSIBLE: {"en": "possible atrial fibrillation, short", "zh": "疑似短阵心房颤动"},
    Condition.AFLUTTER: {"en": "atrial flutter", "zh": "心房扑动"},
    Condition.SVT: {"en": "supraventricular tachycardia", "zh": "室上性心动过速"},
    Condition.V_BURDEN: {"en": "very many ventricular extra beats", "zh": "室性早搏负荷过高"},
    Condition.ECTOPY: {"en": "many extra beats", "zh": "早搏频发"},
    Condition.PACED: {"en": "paced rhythm", "zh": "起搏心律"},
    Condition.STRIP_AF: {
        "en": "possible atrial fibrillation in a hand-held strip",
        "zh": "手持心电记录疑似心房颤动",
    },
    Condition.STRIP_OTHER: {
        "en": "a hand-held strip shows something other than normal rhythm",
        "zh": "手持心电记录提示非正常心律",
    },
    Condition.STRIP_UNREADABLE: {
        "en": "a hand-held strip cannot be read",
        "zh": "手持心电记录无法判读",
    },
    StationCondition.CONSOLE_NOT_LISTENING: {"en": "nobody is signed in at a console", "zh": "控制台无人值守"},
    StationCondition.DEAD_LETTER: {"en": "a notice was given up", "zh": "通知已放弃投递"},
    StationCondition.DELIVERY_FAILING: {"en": "notices do not get through", "zh": "通知无法送达"},
    StationCondition.UNREACHABLE: {"en": "a care team lacks somebody to tell", "zh": "护理团队缺少联系人"},
    StationCondition.HEARD_AFTER_END: {
        "en": "a device still sends of a patient whose monitoring has ended",
        "zh": "监测已结束的患者仍有设备在发送数据",
    },
    StationCondition.FINDING_UNREADABLE: {"en": "a finding could not be read", "zh": "检测结果无法读取"},
    StationCondition.WORKER_STALLED: {"en": "a part of the service does not work", "zh": "系统的一个部分停止工作"},
    StationCondition.STEP_OVERDUE: {"en": "people were not told in time", "zh": "通知未按时发出"},
    StationCondition.CHARTS_STALE: {"en": "the detector's memory is not saved", "zh": "检测程序的状态未保存"},
    StationCondition.UNACCOUNTED: {"en": "events came and are nowhere", "zh": "有数据收到后下落不明"},
}

REASONS: Mapping[Reason, Text] = {
    Reason.LIFE_THREATENING: {"en": "this can kill within minutes", "zh": "数分钟内可危及生命"},
    Reason.NEEDS_A_DOCTOR: {"en": "a doctor needs to decide", "zh": "需要医生判断"},
    Reason.MEASURE_AGAIN: {"en": "rest, and measure again in 2 minutes", "zh": "请休息，两分钟后再次测量"},
    Reason.RECORD_AGAIN: {"en": "sit still, and record again", "zh": "请静坐，重新记录"},
    Reason.HAVE_IT_READ: {"en": "have a doctor read it", "zh": "请医生判读"},
    Reason.FINGER_STICK: {"en": "check with a finger-stick", "zh": "请用指尖血复测"},
    Reason.ACT_NOW: {"en": "eat or drink sugar now, then measure again", "zh": "请立即进食糖分，随后复测"},
    Reason.WORTH_KNOWING: {"en": "worth knowing", "zh": "请留意"},
    Reason.TWO_SOURCES: {"en": "two sources agree", "zh": "两项信息相互印证"},
    Reason.PATIENT_SILENT: {"en": "the patient was asked and does not answer", "zh": "已询问患者，患者没有应答"},
    Reason.PATIENT_WELL: {"en": "the patient answers: I am all right", "zh": "患者应答：我没事"},
    Reason.PATIENT_ASKS: {"en": "the patient asks for help", "zh": "患者请求帮助"},
    Reason.PAST_EMERGENCY: {"en": "an emergency that is over, heard of late", "zh": "已结束的紧急情况（数据延迟到达）"},
    Reason.PAST: {"en": "it is over, heard of late", "zh": "已结束（数据延迟到达）"},
    Reason.CANNOT_JUDGE: {"en": "nothing can be said about the patient meanwhile", "zh": "在此期间无法判断患者情况"},
    Reason.MEASURE_NOW: {"en": "please measure now", "zh": "请现在测量"},
    Reason.MEND_IT: {"en": "it will fail unless it is seen to", "zh": "如不处理，设备将无法正常工作"},
    Reason.PATIENT_UNWATCHED: {"en": "nobody is watched until a person acts", "zh": "在处理之前患者处于无监测状态"},
    Reason.SERVICE_FAULT: {"en": "the service needs its operator", "zh": "系统需要运维人员处理"},
    Reason.UNANSWERED: {"en": "nobody answered", "zh": "无人应答"},
    Reason.UNKNOWN_CONDITION: {"en": "this version does not know this condition", "zh": "当前版本不认识此情况"},
}

TIERS: Mapping[Tier, Text] = {
    Tier.TIP: {"en": "Tip", "zh": "提示"},
    Tier.DOCTOR: {"en": "Doctor", "zh": "医生"},
    Tier.EMERGENCY: {"en": "EMERGENCY", "zh": "紧急"},
}

EVENTS: Mapping[EventType, Text] = {
    EventType.RAISED: {"en": "alert", "zh": "警报"},
    EventType.UPDATED: {"en": "update", "zh": "更新"},
    EventType.STOOD_DOWN: {"en": "stand down", "zh": "解除"},
    EventType.TEST: {"en": "test", "zh": "测试"},
}

LETTER: Mapping[str, Text] = {
    # What the lines of an e-mail are called; the keys are those of the payload and the record.
    "link": {"en": "answer it here, once, within 24 h", "zh": "请在此处理（一次有效，24 小时内）"},
    "answer": {"en": "answer it", "zh": "处理"},
    "sign_in": {"en": "sign in at your Tierwatch console", "zh": "请登录 Tierwatch 工作台"},
    "why": {"en": "what is new", "zh": "最新情况"},
    "outcome": {"en": "how it ended", "zh": "处理结果"},
    "patient": {"en": "patient", "zh": "患者编号"},
    "onset": {"en": "since", "zh": "起始时间"},
    "raised_at": {"en": "raised", "zh": "报警时间"},
    "state": {"en": "state", "zh": "状态"},
    "evidence": {"en": "figures", "zh": "数据"},
    "record_status": {"en": "record", "zh": "病历"},
    "cut": {"en": "shortened", "zh": "已缩短"},
    "position": {"en": "position", "zh": "位置"},
    "name": {"en": "name", "zh": "姓名"},
    "birth_date": {"en": "birth date", "zh": "出生日期"},
    "sex": {"en": "sex", "zh": "性别"},
    "language": {"en": "language", "zh": "语言"},
    "address": {"en": "address", "zh": "地址"},
    "door_code": {"en": "door code", "zh": "门禁密码"},
    "phones": {"en": "call back", "zh": "回拨电话"},
    "problems": {"en": "problems", "zh": "病史"},
    "medication": {"en": "medication", "zh": "用药"},
    "allergies": {"en": "allergies", "zh": "过敏"},
    "blood_group": {"en": "blood group", "zh": "血型"},
    "implants": {"en": "implants", "zh": "植入物"},
    "directives": {"en": "advance directives", "zh": "预先指示"},
    "contacts": {"en": "contacts", "zh": "联系人"},
    "vitals": {"en": "last readings", "zh": "最近读数"},
    "alert_id": {"en": "alert", "zh": "警报编号"},
    "notice_id": {"en": "notice", "zh": "通知编号"},
    "none": {"en": "none", "zh": "无"},
    "unknown": {"en": "unknown", "zh": "不详"},
}

ON_THE_SCENE: Mapping[str, Text] = {
    # What an update says when a dispatch centre answers (`responses.Kind`).
    "on_the_way": {"en": "help is on the way", "zh": "救援已出发"},
    "arrived": {"en": "help has arrived", "zh": "救援已到达"},
}


def for_patient(condition: str) -> Words:
    """What the wearer and the family read of a condition."""
    return words_patient.PATIENT.get(condition, words_patient.UNKNOWN)


QUESTION: Text = {"en": "Are you all right?", "zh": "您还好吗？"}
"""What the patient is asked before dispatch is told; answered with one of `WEARER_SAYS`."""

WEARER_SAYS: Mapping[str, Text] = {
    "well": {"en": "I am all right", "zh": "我没事"},
    "help": {"en": "I need help", "zh": "我需要帮助"},
}


def for_clinic(condition: str) -> Words:
    """What doctors, dispatchers and operators read of a condition."""
    return words_clinic.CLINIC.get(condition, words_clinic.UNKNOWN)
