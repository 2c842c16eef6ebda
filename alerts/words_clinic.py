# ruff: noqa: RUF001 - Chinese has its own punctuation
"""What doctors, dispatchers and operators read: what it is, and what is usually done, Chinese and English.

Common ground of the guidelines that detection.md names (AHA/ACC/HRS 2015, 2017, 2018; ESC 2020; AHA basic life support;
Battelino 2023; China 2024): reminders, never orders. Must never hold a value of a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.alert import StationCondition
from alerts.words import Words, text
from alerts.words_technical import MEND
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEND = text("Send help at once, with a defibrillator.", "立即派出急救人员，携带除颤仪。")
_CALL = text("Call the patient or a contact: awake, breathing, pulse?", "联系患者或联系人：是否清醒、有无呼吸和脉搏？")
_CPR = text(
    "If not responsive and not breathing normally, guide whoever is there through chest compressions.",
    "如无反应且呼吸不正常，指导在场人员进行胸外按压。",
)
_STRIP = text("Look at the strip: rhythm, or an artefact?", "查看心电图：真实心律还是伪差？")
_LEADS = text("Record a 12-lead ECG.", "记录十二导联心电图。")
_DRUGS = text("Check drugs, electrolytes and thyroid.", "核查用药、电解质和甲状腺功能。")
_SLOWING = text(
    "Check drugs that slow the heart, and the pacemaker if there is one.", "核查减慢心率的药物及起搏器（如有）。"
)
_STROKE = text("Weigh the risk of stroke and anticoagulation.", "评估卒中风险及抗凝治疗。")
_SYMPTOMS = text("Ask for symptoms: syncope, chest pain, breathlessness.", "询问症状：晕厥、胸痛、呼吸困难。")
_ECHO = text("Consider echocardiography.", "考虑超声心动图检查。")
_SUGAR = text(
    "Give fast sugar if awake; glucagon or intravenous glucose if not.",
    "清醒者给予速效糖；不清醒者给予胰高血糖素或静脉葡萄糖。",
)
_CONFIRM = text("Confirm with a finger-stick.", "用指尖血确认。")
_INSULIN = text("Check insulin doses, meals and alcohol of the last hours.", "核查近数小时的胰岛素剂量、进食和饮酒。")
_KETONES = text("Check ketones, infusion set and infection.", "检查酮体、胰岛素泵管路和感染。")
_ORGANS = text(
    "Ask for signs of organ damage: chest pain, breathlessness, vision, speech, weakness.",
    "询问靶器官损害表现：胸痛、呼吸困难、视力、言语、无力。",
)
_TABLETS = text("Check adherence, and adjust the treatment.", "核查服药依从性并调整治疗。")
_FLUID = text(
    "Check for bleeding, infection, dehydration and drugs that lower pressure.", "排查出血、感染、脱水及降压药物。"
)
_CUFF = text("Have it measured again, sitting, with a fitting cuff.", "坐位、合适袖带，重新测量。")
_READ = text("Read the strip.", "判读心电图。")
_PATIENT = text("Call the patient: device worn, charged, near the phone?", "联系患者：设备是否佩戴、有电、靠近手机？")
_UNWATCHED = text("Remember that the patient is not watched meanwhile.", "请注意：在此期间患者未被监测。")
_SENSOR = text("See that finger-sticks are used meanwhile.", "在此期间请使用指尖血监测。")
_LOOK = text("Look at the evidence and at the server's log.", "查看证据及服务器日志。")
_CLIENT = text("Look at the client that it names, and at the quarantine.", "查看所指客户端及隔离区。")
_ROOM = text("Make room on the disk: nothing is taken in until there is.", "请清理磁盘：在此之前不接收数据。")
_REACH = text("Tell people by telephone while it lasts.", "在此期间请电话通知相关人员。")

_ECTOPY = (_STRIP, _DRUGS, _ECHO)
_SERVICE = (_LOOK, _CLIENT)

CLINIC: Mapping[str, Words] = {
    Condition.VF: Words(
        text(
            "Ventricular fibrillation, flutter or a ventricular tachycardia like it: no output.",
            "心室颤动、扑动或类似的室速：无有效射血。",
        ),
        (_SEND, _CALL, _CPR),
    ),
    Condition.ASYSTOLE: Words(
        text("No beat in any lead that can be judged.", "所有可判读导联均无心搏。"), (_SEND, _CALL, _CPR, _STRIP)
    ),
    Condition.VT_SUSTAINED: Words(
        text("Ventricular tachycardia that does not stop by itself.", "不能自行终止的室性心动过速。"),
        (_SEND, _CALL, _CPR, _STRIP),
    ),
    Condition.EXTREME_BRADY: Words(
        text("A heart rate too slow to live with.", "心率过慢，危及生命。"), (_SEND, _CALL, _CPR, _SLOWING)
    ),
    Condition.EXTREME_TACHY: Words(
        text("A heart rate too fast to pump.", "心率过快，影响射血。"), (_SEND, _CALL, _STRIP)
    ),
    Condition.PAUSE: Words(
        text("A long interval between two beats.", "两次心搏间隔过长。"), (_STRIP, _SYMPTOMS, _SLOWING)
    ),
    Condition.BRADY: Words(
        text("A rate below the patient's limit over five beats.", "连续五搏心率低于该患者界值。"),
        (_STRIP, _SYMPTOMS, _SLOWING),
    ),
    Condition.TACHY: Words(
        text("A sustained rate above the patient's limit.", "心率持续高于该患者界值。"),
        (_STRIP, _SYMPTOMS, _DRUGS, _FLUID),
    ),
    Condition.SVT: Words(
        text("A regular narrow tachycardia from above the ventricles.", "规则的窄QRS室上性心动过速。"),
        (_STRIP, _SYMPTOMS, _LEADS),
    ),
    Condition.VT: Words(
        text("Five ventricular beats or more in a row, fast, that stopped.", "五个或以上连续快速室性搏动，已终止。"),
        (_STRIP, _SYMPTOMS, _LEADS, _ECHO),
    ),
    Condition.NSVT: Words(
        text("Three or four ventricular beats in a row.", "三至四个连续室性搏动。"), (_STRIP, _SYMPTOMS, _ECHO)
    ),
    Condition.AF: Words(
        text("Atrial fibrillation, confirmed over 64 beats.", "心房颤动，经64搏确认。"),
        (_STRIP, _LEADS, _STROKE, _SYMPTOMS),
    ),
    Condition.AFLUTTER: Words(text("Atrial flutter.", "心房扑动。"), (_STRIP, _LEADS, _STROKE)),
    Condition.AF_POSSIBLE: Words(
        text("A short stretch that looks like atrial fibrillation, not confirmed.", "短阵疑似心房颤动，未确认。"),
        (_STRIP, _LEADS),
    ),
    Condition.STRIP_AF: Words(
        text("A hand-held strip that shows atrial fibrillation.", "手持心电记录提示心房颤动。"),
        (_READ, _LEADS, _STROKE),
    ),
    Condition.STRIP_OTHER: Words(
        text("A hand-held strip that is neither normal nor fibrillation.", "手持心电记录既非正常也非房颤。"),
        (_READ, _LEADS),
    ),
    Condition.STRIP_UNREADABLE: Words(
        text("A hand-held strip that cannot be read.", "手持心电记录无法判读。"),
        (text("Have the patient sit still and record again.", "请患者静坐后重新记录。"),),
    ),
    Condition.V_BURDEN: Words(
        text("More than a tenth of an hour's beats are ventricular.", "一小时内室性搏动超过十分之一。"), _ECTOPY
    ),
    Condition.ECTOPY: Words(text("Frequent ectopic beats within an hour.", "一小时内异位搏动频发。"), _ECTOPY),
    Condition.BIGEMINY: Words(text("Every other beat is ventricular.", "每隔一搏为室性。"), _ECTOPY),
    Condition.TRIGEMINY: Words(text("Every third beat is ventricular.", "每三搏中一搏为室性。"), _ECTOPY),
    Condition.COUPLET: Words(text("Two ventricular beats in a row.", "成对室性搏动。"), _ECTOPY),
    Condition.PACED: Words(
        text("A pacemaker paces.", "起搏器起搏。"),
        (text("See that the pacemaker is on record.", "确认起搏器已登记。"),),
    ),
    Condition.BP_CRISIS: Words(
        text("Crisis pressure, measured twice.", "血压危象，两次测量。"), (_ORGANS, _CALL, _TABLETS)
    ),
    Condition.BP_CRISIS_UNCONFIRMED: Words(
        text("A first crisis pressure; a second measurement is asked for.", "首次血压危象读数，已要求复测。"),
        (_CUFF, _ORGANS),
    ),
    Condition.BP_HIGH: Words(text("High pressure, confirmed.", "血压过高，已确认。"), (_CUFF, _TABLETS)),
    Condition.BP_MEAN_HIGH: Words(
        text("The week's mean at home is above the plan's guideline.", "一周家庭平均血压高于方案指南界值。"),
        (_TABLETS,),
    ),
    Condition.BP_LOW: Words(
        text("Systolic pressure below 90, or 30 below this patient's own mean.", "收缩压低于90，或较本人均值低30。"),
        (_CUFF, _SYMPTOMS, _FLUID),
    ),
    Condition.BP_VERY_LOW: Words(
        text("Systolic pressure below 80, measured twice.", "收缩压低于80，两次测量。"), (_CALL, _FLUID, _CUFF)
    ),
    Condition.IRREGULAR_PULSE: Words(
        text("A cuff noticed an irregular pulse.", "血压计提示脉搏不规则。"), (_LEADS, _STROKE)
    ),
    Condition.GLUCOSE_LOW: Words(
        text("Glucose below 70 mg/dL (3.9 mmol/L).", "血糖低于3.9 mmol/L（70 mg/dL）。"), (_CONFIRM, _SUGAR, _INSULIN)
    ),
    Condition.GLUCOSE_VERY_LOW: Words(
        text("Glucose below 54 mg/dL (3.0 mmol/L).", "血糖低于3.0 mmol/L（54 mg/dL）。"), (_CALL, _SUGAR, _INSULIN)
    ),
    Condition.GLUCOSE_CRITICAL_LOW: Words(
        text(
            "Glucose below 40 mg/dL (2.2 mmol/L), or below 54 and falling still.",
            "血糖低于2.2 mmol/L（40 mg/dL），或低于54且仍在下降。",
        ),
        (_CALL, _SUGAR, text("Send help if nobody answers.", "无人应答时派出急救。")),
    ),
    Condition.GLUCOSE_PROLONGED_LOW: Words(
        text("Glucose below 54 mg/dL (3.0 mmol/L) for two hours.", "血糖低于3.0 mmol/L（54 mg/dL）两小时。"),
        (_CALL, _SUGAR, _INSULIN),
    ),
    Condition.GLUCOSE_LOW_REPEATED: Words(
        text("A second low within a day.", "一日内第二次低血糖。"), (_INSULIN, _CONFIRM)
    ),
    Condition.GLUCOSE_PREDICTED_LOW: Words(
        text("A very low glucose is expected within 20 minutes.", "预计20分钟内血糖过低。"), (_CALL, _SUGAR, _INSULIN)
    ),
    Condition.GLUCOSE_COMPRESSION_LOW: Words(
        text("A low that looks like lying on the sensor.", "可能由压迫传感器引起的低值。"), (_CONFIRM,)
    ),
    Condition.GLUCOSE_HIGH: Words(
        text("Glucose above 180 mg/dL (10.0 mmol/L).", "血糖高于10.0 mmol/L（180 mg/dL）。"), (_INSULIN,)
    ),
    Condition.GLUCOSE_VERY_HIGH: Words(
        text("Glucose above 250 mg/dL (13.9 mmol/L).", "血糖高于13.9 mmol/L（250 mg/dL）。"), (_KETONES, _INSULIN)
    ),
    Condition.GLUCOSE_PROLONGED_HIGH: Words(
        text("Glucose above 180 mg/dL (10.0 mmol/L) for two hours.", "血糖高于10.0 mmol/L（180 mg/dL）两小时。"),
        (_INSULIN,),
    ),
    Condition.GLUCOSE_PROLONGED_VERY_HIGH: Words(
        text("Glucose above 250 mg/dL (13.9 mmol/L) for two hours.", "血糖高于13.9 mmol/L（250 mg/dL）两小时。"),
        (_KETONES, _INSULIN, _CALL),
    ),
    Condition.GLUCOSE_FALL: Words(text("Glucose falls fast.", "血糖快速下降。"), (_CONFIRM, _INSULIN)),
    Condition.GLUCOSE_RISE: Words(text("Glucose rises fast.", "血糖快速上升。"), (_CONFIRM, _INSULIN)),
    Condition.SYMPTOM: Words(text("The patient reports a symptom.", "患者报告症状。"), (_CALL, _SYMPTOMS, _STRIP)),
    Condition.SENSOR_WARM_UP: Words(text("A glucose sensor warms up.", "血糖传感器预热中。"), (_SENSOR,)),
    Condition.SENSOR_EXPIRED: Words(
        text("A glucose sensor's session is over.", "血糖传感器已到期。"), (_PATIENT, _SENSOR)
    ),
    Condition.SENSOR_SIGNAL_LOSS: Words(
        text("A glucose sensor sends nothing that can be judged.", "血糖传感器无可判读数据。"), (_PATIENT, _SENSOR)
    ),
    Condition.NOISE: Words(
        text("The ECG cannot be judged for noise.", "心电信号因噪声无法判读。"), (_PATIENT, _UNWATCHED)
    ),
    Condition.LEAD_OFF: Words(text("An electrode is off.", "电极脱落。"), (_PATIENT, _UNWATCHED)),
    Condition.NO_DATA: Words(text("Nothing new comes from a device.", "设备没有新数据。"), (_PATIENT, _UNWATCHED)),
    Condition.LINK_SILENT: Words(
        text("A gateway is not heard.", "网关失联。"), (MEND[Condition.LINK_SILENT], _UNWATCHED)
    ),
    Condition.NEVER_REPORTED: Words(
        text("A device that was handed out has never sent a measurement.", "已发放的设备从未上传数据。"),
        (MEND[Condition.NEVER_REPORTED], _UNWATCHED),
    ),
    Condition.BP_MISSED: Words(
        text("A planned blood pressure was not measured.", "漏测一次计划内的血压。"),
        (text("Wait for the next one: the patient was reminded.", "请等待下一次测量：已提醒患者。"),),
    ),
    Condition.BP_MISSED_REPEATED: Words(
        text("Several planned blood pressures in a row were not measured.", "连续多次漏测计划内的血压。"),
        (MEND[Condition.BP_MISSED_REPEATED], _TABLETS),
    ),
    Condition.BATTERY_LOW: Words(
        text("A device's battery is low.", "设备电量低。"), (MEND[Condition.BATTERY_LOW], _PATIENT)
    ),
    Condition.CLOCK_OFF: Words(
        text(
            "A device's own clock is wrong: its times are corrected, or doubtful.", "设备时钟不准：其时间已校正或存疑。"
        ),
        (MEND[Condition.CLOCK_OFF],),
    ),
    Condition.OUTBOX_FILLING: Words(
        text("A gateway hears more than it can send.", "网关接收的数据多于能够发送的数据。"),
        (MEND[Condition.OUTBOX_FILLING], _LOOK),
    ),
    Condition.QUARANTINE_GROWING: Words(
        text("Much of what arrives cannot be read.", "大量收到的数据无法读取。"),
        (MEND[Condition.QUARANTINE_GROWING], _LOOK),
    ),
    Condition.CLOCK_AHEAD: Words(
        text("A device dates its data into the future.", "设备时间超前。"), (MEND[Condition.CLOCK_AHEAD], *_SERVICE)
    ),
    Condition.DETECTOR_FAILED: Words(
        text(
            "The detector failed on this patient, whose data is kept but not judged.",
            "检测程序在该患者上出错：数据已保存但未判读。",
        ),
        (_UNWATCHED, _CALL, _LOOK),
    ),
    Condition.DATA_ABANDONED: Words(
        text("An outbox had to give data up.", "网关放弃了部分数据。"), (MEND[Condition.DATA_ABANDONED], *_SERVICE)
    ),
    Condition.MALFORMED: Words(
        text("A client sends what cannot be read.", "客户端发送了无法读取的数据。"),
        (MEND[Condition.MALFORMED], *_SERVICE),
    ),
    Condition.SEQ_CONFLICT: Words(
        text("One number was sent with two contents.", "同一序号有两种内容。"),
        (MEND[Condition.SEQ_CONFLICT], *_SERVICE),
    ),
    Condition.UNKNOWN_DEVICE: Words(
        text("A device sends that is assigned to nobody.", "设备未分配给任何人。"),
        (text("Assign the device, or have it taken off.", "请分配该设备，或停用。"), _LOOK),
    ),
    Condition.OVERSIZED: Words(text("A message was too large.", "消息过大。"), (MEND[Condition.OVERSIZED], *_SERVICE)),
    Condition.QUARANTINE_FULL: Words(
        text("A client sends more bad messages than are kept.", "客户端的错误消息超过保留上限。"),
        (MEND[Condition.QUARANTINE_FULL], *_SERVICE),
    ),
    Condition.CLOCK_STEP: Words(
        text("The server's clock was stepped.", "服务器时钟被调整。"), (MEND[Condition.CLOCK_STEP], _LOOK)
    ),
    Condition.INTAKE_OVERLOADED: Words(
        text("Intake takes in more slowly than is sent.", "接收端处理速度低于发送速度。"),
        (MEND[Condition.INTAKE_OVERLOADED], _LOOK),
    ),
    Condition.STORE_FULL: Words(
        text("The store's disk is full, or nearly so.", "存储磁盘已满或将满。"), (_ROOM, _LOOK)
    ),
    Condition.DETERMINISM_FAULT: Words(
        text("Judging the same data again gave another result.", "重复判断结果不一致。"),
        (MEND[Condition.DETERMINISM_FAULT], _LOOK),
    ),
    Condition.BROKER_COMPLAINS: Words(
        text("The broker dropped or refused messages or clients.", "消息服务器丢弃或拒绝了消息。"),
        (MEND[Condition.BROKER_COMPLAINS], *_SERVICE),
    ),
    StationCondition.WORKER_STALLED: Words(
        text("A process of the service does not live, or does not get on.", "系统的一个进程停止或停滞。"),
        (text("Start it again, or the server as a whole.", "请重新启动该进程或服务器。"), _REACH, _LOOK),
    ),
    StationCondition.STEP_OVERDUE: Words(
        text("A step that was due was not taken: people were not told in time.", "到期的步骤未执行：通知未按时发出。"),
        (_REACH, text("Look whether the station lives.", "请检查通知服务是否运行。"), _LOOK),
    ),
    StationCondition.CHARTS_STALE: Words(
        text("What the detector remembers is not saved.", "检测程序的状态未保存。"),
        (
            text("Look whether intake lives and the database takes what it writes.", "请检查接收进程及数据库写入。"),
            _LOOK,
        ),
    ),
    StationCondition.UNACCOUNTED: Words(
        text("Events came and are nowhere.", "有数据收到后下落不明。"),
        (text("Keep the log, and report it to the makers.", "请保留日志并上报开发者。"), _LOOK),
    ),
    StationCondition.DELIVERY_FAILING: Words(
        text("Notices to one address do not get through.", "发往某一地址的通知无法送达。"),
        (_REACH, MEND[StationCondition.DELIVERY_FAILING], _LOOK),
    ),
    StationCondition.DEAD_LETTER: Words(
        text("A notice was given up: nobody was told by it.", "一条通知已被放弃：没有人因此得到通知。"),
        (_REACH, text("Mend the way, and send it again.", "请修复该渠道，并重新发送。")),
    ),
    StationCondition.CONSOLE_NOT_LISTENING: Words(
        text("Nobody listens at a console that is to be told.", "应接收通知的控制台无人在线。"),
        (text("Sign in at the console.", "请登录控制台。"), _REACH),
    ),
    StationCondition.HEARD_AFTER_END: Words(
        text(
            "Readings come of somebody whose monitoring has ended: nobody is told of them.",
            "监测已结束的患者仍有数据传来：不会通知任何人。",
        ),
        (
            text(
                "Ask who wears the device, and assign it anew or take it off.", "查明设备佩戴者，重新分配或停用设备。"
            ),
            _LOOK,
        ),
    ),
    StationCondition.UNREACHABLE: Words(
        text("A care team lacks somebody whom a ladder needs.", "护理团队缺少预案所需的联系人。"),
        (text("Name somebody in the patient's plan.", "请在患者方案中指定联系人。"), _REACH),
    ),
    StationCondition.FINDING_UNREADABLE: Words(
        text(
            "A finding could not be read; its episode was taken from the level.", "检测结果无法读取，已采用其当前状态。"
        ),
        (_LOOK,),
    ),
}

UNKNOWN = Words(text("A condition that this version does not know.", "当前版本不认识的情况。"), (_STRIP, _CALL))
"""Of a condition that this version does not know."""
