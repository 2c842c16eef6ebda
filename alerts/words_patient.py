# ruff: noqa: RUF001 - Chinese has its own punctuation
"""What the wearer and the family read: plain words and what to do, Chinese and English.

No names of rhythms, no percentages, no numbers of ours; one step a line, the verb first; never "you are healthy".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.alert import StationCondition
from alerts.words import Words, text
from stream.finding import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

ABOUT = text(
    "This is about the person whom you look after. What follows is written to them.",
    "这条消息与您照护的人有关，以下内容写给本人。",
)
"""Before everything that the family reads."""

_UNWELL = text(
    "Press “I feel unwell” whenever you feel ill, whatever the readings say.",
    "只要感到不适，请随时按“我不舒服”，无论读数如何。",
)
_CALL = text(
    "Call the emergency number at once if you have chest pain, cannot breathe or are about to faint.",
    "如有胸痛、呼吸困难或快要晕倒，请立即拨打急救电话。",
)
_CALL_NOW = text("Call the emergency number now if nobody has called yet.", "如果还没有人呼救，请立即拨打急救电话。")
_LIE = text("Lie down or sit down where you are.", "请就地躺下或坐下。")
_DOOR = text("Have the door opened for those who come.", "请让人把门打开，方便救援人员进入。")
_PRESS = text(
    "Whoever is near: if the person does not answer and does not breathe normally, press hard and fast in the middle of"
    " the chest, and go on until help is there.",
    "身边的人请注意：如果患者没有反应且呼吸不正常，请用力、快速按压胸部正中，直到救援人员到达。",
)
_SIT = text("Sit down and rest.", "请坐下休息。")
_DOCTOR = text("Call your practice today and tell them of this message.", "请今天联系您的医生，并告知这条消息。")
_CALM = text("Drink some water, and leave out coffee and alcohol today.", "请喝些水，今天不要喝咖啡和酒。")
_SUGAR = text(
    "Eat or drink something with sugar now: a glass of juice, or three pieces of dextrose.",
    "请立即进食含糖食物：一杯果汁或三块葡萄糖。",
)
_AGAIN = text("Measure again in 15 minutes, and eat again if it is still low.", "15分钟后再测一次，如仍偏低请再进食。")
_NOT_ALONE = text("Do not stay alone, and do not drive.", "请不要独处，也不要开车。")
_FAMILY = text(
    "Whoever is near: give nothing to eat or drink to somebody who cannot swallow; call the emergency number.",
    "身边的人请注意：如果患者无法吞咽，请勿喂食或喂水，并拨打急救电话。",
)
_FINGER = text("Check with a drop of blood from your finger.", "请用指尖血复测。")
_INSULIN = text("Take insulin as it was agreed with your doctor, not more.", "请按医生的约定使用胰岛素，不要加量。")
_WATER = text("Drink water.", "请多喝水。")
_CUFF = text(
    "Sit still for 2 minutes with your back and arm resting, then measure again.",
    "请静坐2分钟，背部和手臂有支撑，然后再测一次。",
)
_CUFF_NOW = text("Sit still for 5 minutes, then measure your blood pressure.", "请静坐5分钟，然后测量血压。")
_TABLETS = text("Take your tablets as they were prescribed, no more than that.", "请按医嘱服药，不要加量。")
_SLOWLY = text("Stand up slowly, and drink a glass of water.", "请慢慢起身，并喝一杯水。")
_STRAP = text(
    "Wet the electrodes, and put the band on again, snug and flat on the skin.", "请润湿电极，重新佩戴，贴紧皮肤。"
)
_STILL = text("Sit still for a minute.", "请静坐一分钟。")
_NEAR = text("Bring the phone or the box near to your device.", "请将手机或网关放在设备附近。")
_CHARGE = text("See that both are switched on and charged.", "请确认两者均已开机并有电。")
_HELP = text("Call your practice if this message comes again.", "如果再次收到这条消息，请联系您的医生。")
_NOTHING = text("You need to do nothing.", "您无需进行任何操作。")
_REPORT = text("Tell those who look after your devices of this message.", "请将这条消息告知设备负责人。")

_ARREST = Words(text("Your heart needs help now.", "您的心脏现在需要救助。"), (_CALL_NOW, _LIE, _DOOR, _PRESS))
_DANGER = Words(
    text("Your heart beats in a way that needs help now.", "您的心跳需要立即救助。"), (_LIE, _CALL_NOW, _DOOR, _PRESS)
)
_UNEVEN = Words(
    text("Your heart beats unevenly, and your doctor should know.", "您的心跳不规则，医生应当知道。"),
    (_SIT, _CALL, _DOCTOR, _UNWELL),
)
_EXTRA = Words(text("Your heart has many extra beats.", "您的心脏有较多的额外跳动。"), (_CALM, _CALL, _UNWELL))
_LOW = (_SUGAR, _AGAIN, _UNWELL)
_VERY_LOW = (_SUGAR, _AGAIN, _NOT_ALONE, _FAMILY)
_HIGH = (_WATER, _INSULIN, _FINGER, _UNWELL)
_SENSOR = (_FINGER, _UNWELL)
_OURS = Words(
    text(
        "Something of ours needs to be put right; your doctor can be reached as ever.",
        "系统正在处理一个问题，您仍可照常联系医生。",
    ),
    (_NOTHING, _UNWELL),
)
"""What only the operator can mend: the wearer is never sent it, but whoever asks must find words."""
_UNHEARD = Words(
    text("We do not get your readings.", "我们没有收到您的数据。"), (_NEAR, _CHARGE, _HELP, _UNWELL)
)  # fmt: skip

PATIENT: Mapping[str, Words] = {
    Condition.VF: _ARREST,
    Condition.ASYSTOLE: _ARREST,
    Condition.VT_SUSTAINED: _DANGER,
    Condition.EXTREME_BRADY: _DANGER,
    Condition.EXTREME_TACHY: _DANGER,
    Condition.PAUSE: Words(
        text("Your heart paused for a moment.", "您的心跳短暂停顿。"), (_LIE, _CALL, _DOCTOR, _UNWELL)
    ),
    Condition.BRADY: Words(text("Your heart beats slowly.", "您的心跳偏慢。"), (_LIE, _CALL, _DOCTOR, _UNWELL)),
    Condition.TACHY: Words(text("Your heart beats fast.", "您的心跳偏快。"), (_SIT, _CALM, _CALL, _UNWELL)),
    Condition.SVT: Words(text("Your heart beats very fast.", "您的心跳很快。"), (_SIT, _CALL, _DOCTOR, _UNWELL)),
    Condition.VT: Words(
        text("Your heart beat fast for a moment, and your doctor should know.", "您的心跳短暂加快，医生应当知道。"),
        (_LIE, _CALL, _DOCTOR, _UNWELL),
    ),
    Condition.NSVT: Words(
        text("Your heart had some fast beats in a row.", "您的心脏连续快速跳动了几下。"),
        (_SIT, _CALL, _DOCTOR, _UNWELL),
    ),
    Condition.AF: _UNEVEN,
    Condition.AFLUTTER: _UNEVEN,
    Condition.AF_POSSIBLE: Words(
        text("Your heart beat unevenly for a short while.", "您的心跳短时间不规则。"), (_SIT, _CALM, _CALL, _UNWELL)
    ),
    Condition.STRIP_AF: _UNEVEN,
    Condition.STRIP_OTHER: Words(
        text("A person should read the strip that you recorded.", "您记录的心电图需要由医生判读。"),
        (_DOCTOR, _CALL, _UNWELL),
    ),
    Condition.STRIP_UNREADABLE: Words(
        text("The strip that you recorded cannot be read.", "您记录的心电图无法判读。"),
        (_STILL, text("Rest your arms on a table, and record again.", "请将手臂放在桌上，重新记录。"), _UNWELL),
    ),
    Condition.V_BURDEN: _EXTRA,
    Condition.BIGEMINY: _EXTRA,
    Condition.TRIGEMINY: _EXTRA,
    Condition.ECTOPY: _EXTRA,
    Condition.COUPLET: _EXTRA,
    Condition.PACED: Words(text("Your pacemaker is at work.", "您的起搏器正在工作。"), (_NOTHING, _UNWELL)),
    Condition.BP_CRISIS: Words(
        text("Your blood pressure is very high, twice in a row.", "您的血压连续两次非常高。"),
        (_SIT, _TABLETS, _CALL, _CUFF),
    ),
    Condition.BP_CRISIS_UNCONFIRMED: Words(
        text(
            "Your blood pressure is very high; one reading alone does not prove it.",
            "您的血压很高，但一次测量不能确定。",
        ),
        (_CUFF, _CALL),
    ),
    Condition.BP_HIGH: Words(text("Your blood pressure is high.", "您的血压偏高。"), (_TABLETS, _DOCTOR, _CALL)),
    Condition.BP_MEAN_HIGH: Words(
        text("Your blood pressure of this week is higher than was agreed.", "您本周的血压高于目标。"),
        (_TABLETS, _DOCTOR),
    ),
    Condition.BP_LOW: Words(text("Your blood pressure is low.", "您的血压偏低。"), (_SLOWLY, _CUFF, _CALL)),
    Condition.BP_VERY_LOW: Words(
        text("Your blood pressure is very low, twice in a row.", "您的血压连续两次非常低。"),
        (_LIE, _CALL, _CUFF, _UNWELL),
    ),
    Condition.IRREGULAR_PULSE: Words(
        text("The cuff noticed an uneven pulse.", "血压计提示脉搏不规则。"), (_CUFF, _CALL, _UNWELL)
    ),
    Condition.GLUCOSE_LOW: Words(text("Your sugar is low.", "您的血糖偏低。"), _LOW),
    Condition.GLUCOSE_LOW_REPEATED: Words(
        text("Your sugar is low again within a day.", "您的血糖在一天内再次偏低。"), (*_LOW, _DOCTOR)
    ),
    Condition.GLUCOSE_PREDICTED_LOW: Words(text("Your sugar will soon be low.", "您的血糖即将偏低。"), _LOW),
    Condition.GLUCOSE_VERY_LOW: Words(text("Your sugar is very low.", "您的血糖很低。"), _VERY_LOW),
    Condition.GLUCOSE_PROLONGED_LOW: Words(
        text("Your sugar has been very low for long.", "您的血糖长时间很低。"), (*_VERY_LOW, _DOCTOR)
    ),
    Condition.GLUCOSE_CRITICAL_LOW: Words(
        text("Your sugar is dangerously low.", "您的血糖低到危险的程度。"), (_SUGAR, _CALL_NOW, _DOOR, _FAMILY)
    ),
    Condition.GLUCOSE_COMPRESSION_LOW: Words(
        text("Your sugar looks low; it may be that you lie on the sensor.", "您的血糖看似偏低，可能是压到了传感器。"),
        (text("Turn over, so that nothing presses on the sensor.", "请翻身，不要压住传感器。"), _FINGER, _SUGAR),
    ),
    Condition.GLUCOSE_HIGH: Words(text("Your sugar is high.", "您的血糖偏高。"), _HIGH),
    Condition.GLUCOSE_VERY_HIGH: Words(text("Your sugar is very high.", "您的血糖很高。"), _HIGH),
    Condition.GLUCOSE_PROLONGED_HIGH: Words(text("Your sugar has been high for long.", "您的血糖长时间偏高。"), _HIGH),
    Condition.GLUCOSE_PROLONGED_VERY_HIGH: Words(
        text("Your sugar has been very high for long.", "您的血糖长时间很高。"), (*_HIGH, _DOCTOR)
    ),
    Condition.GLUCOSE_FALL: Words(text("Your sugar falls fast.", "您的血糖下降很快。"), (_FINGER, _SUGAR, _UNWELL)),
    Condition.GLUCOSE_RISE: Words(text("Your sugar rises fast.", "您的血糖上升很快。"), (_FINGER, _INSULIN, _UNWELL)),
    Condition.SYMPTOM: Words(
        text("You told us that you feel unwell.", "您告诉我们感到不适。"), (_SIT, _CALL, _NOT_ALONE, _UNWELL)
    ),
    Condition.SENSOR_WARM_UP: Words(
        text("Your sugar sensor is warming up, and cannot watch yet.", "您的血糖传感器正在预热，暂时无法监测。"),
        _SENSOR,
    ),
    Condition.SENSOR_EXPIRED: Words(
        text("Your sugar sensor has reached its end.", "您的血糖传感器已到期。"),
        (text("Put on a new sensor.", "请更换新的传感器。"), *_SENSOR),
    ),
    Condition.SENSOR_SIGNAL_LOSS: Words(
        text("We do not hear your sugar sensor.", "我们收不到血糖传感器的信号。"), (_NEAR, *_SENSOR)
    ),
    Condition.NOISE: Words(
        text("The signal of your band cannot be read.", "您的心电信号无法读取。"), (_STILL, _STRAP, _HELP, _UNWELL)
    ),
    Condition.LEAD_OFF: Words(
        text("An electrode of your band has come off.", "您的电极脱落了。"), (_STRAP, _HELP, _UNWELL)
    ),
    Condition.NO_DATA: _UNHEARD,
    Condition.LINK_SILENT: _UNHEARD,
    Condition.NEVER_REPORTED: Words(
        text("One of your devices has not sent anything yet.", "您的一台设备还没有发送过数据。"),
        (_NEAR, _CHARGE, text("Measure once.", "请测量一次。"), _HELP),
    ),
    Condition.BP_MISSED: Words(
        text("We have not received the blood pressure that was planned.", "我们没有收到计划中的血压测量。"),
        (_CUFF_NOW, _NEAR),
    ),
    Condition.BP_MISSED_REPEATED: Words(
        text("We have not received your blood pressure several times.", "我们多次没有收到您的血压测量。"),
        (_CUFF_NOW, _NEAR, _HELP),
    ),
    Condition.BATTERY_LOW: Words(
        text("A battery of one of your devices is low.", "您的一台设备电量低。"),
        (text("Charge the device today, or change its battery.", "请今天为设备充电或更换电池。"),),
    ),
    Condition.CLOCK_OFF: Words(
        text("A clock of one of your devices is wrong.", "您的一台设备时钟有误。"),
        (text("Set the date and time of the device.", "请校准设备的日期和时间。"), _NEAR, _HELP),
    ),
    Condition.DATA_ABANDONED: Words(
        text("Some older readings of yours were lost.", "您的部分较早数据已丢失。"), (_NEAR, _CHARGE, _HELP)
    ),
    Condition.CLOCK_AHEAD: Words(
        text("A clock of your device is wrong.", "您的设备时钟有误。"),
        (text("Set the time of the device, or switch it off and on.", "请校准设备时间，或重新启动设备。"), _HELP),
    ),
    Condition.DETECTOR_FAILED: Words(
        text("Your readings are kept, but not watched just now.", "您的数据已保存，但目前未被监测。"),
        (_CALL, _REPORT, _UNWELL),
    ),
    **dict.fromkeys(
        (
            Condition.OUTBOX_FILLING,
            Condition.QUARANTINE_GROWING,
            Condition.MALFORMED,
            Condition.SEQ_CONFLICT,
            Condition.UNKNOWN_DEVICE,
            Condition.OVERSIZED,
            Condition.QUARANTINE_FULL,
            Condition.CLOCK_STEP,
            Condition.INTAKE_OVERLOADED,
            Condition.STORE_FULL,
            Condition.DETERMINISM_FAULT,
            Condition.BROKER_COMPLAINS,
            StationCondition.WORKER_STALLED,
            StationCondition.STEP_OVERDUE,
            StationCondition.CHARTS_STALE,
            StationCondition.UNACCOUNTED,
            StationCondition.DELIVERY_FAILING,
            StationCondition.UNREACHABLE,
            StationCondition.FINDING_UNREADABLE,
            StationCondition.DEAD_LETTER,
            StationCondition.HEARD_AFTER_END,
            StationCondition.CONSOLE_NOT_LISTENING,
        ),
        _OURS,
    ),
}

UNKNOWN = Words(
    text("Something in your readings should be looked at.", "您的数据中有需要查看的情况。"),
    (_SIT, _CALL, _DOCTOR, _UNWELL),
)
"""Of a condition that this version does not know."""

SETTLED = Words(text("The message that we sent you is settled.", "此前发给您的消息已处理完毕。"), (_NOTHING, _UNWELL))
"""When a message is taken back, whatever it was about."""
