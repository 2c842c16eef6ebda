-- save_pause --
INSERT INTO alerts.pause (pause, patient, kind, from_at, until_at, by_whom, role, made_at)
VALUES (%(pause)s, %(patient)s, %(kind)s, %(from_at)s, %(until_at)s, %(by_whom)s, %(role)s, %(now)s)
ON CONFLICT (pause) DO NOTHING

-- pauses --
SELECT pause, patient, kind, from_at, until_at, by_whom, role, lifted_at, lifted_by FROM alerts.pause
 WHERE patient = %(patient)s AND (%(everything)s OR (until_at > %(now)s AND lifted_at IS NULL))
 ORDER BY from_at DESC LIMIT 100

-- lift_pause --
UPDATE alerts.pause SET lifted_at = %(now)s, lifted_by = %(by_whom)s
 WHERE patient = %(patient)s AND pause = %(pause)s AND lifted_at IS NULL AND until_at > %(now)s RETURNING pause

-- silent_gateways --
-- Gateways of which an alert says that they are silent, and which serve this patient only.
SELECT subject FROM alerts.alert WHERE state <> 'closed' AND condition = 'link_silent'
   AND ARRAY(SELECT patient FROM stream.patients_of(subject)) = ARRAY[%(patient)s::text]

-- monitored --
SELECT what, why, at, by_whom FROM alerts.monitoring WHERE patient = %(patient)s ORDER BY n DESC LIMIT 1

-- save_monitored --
INSERT INTO alerts.monitoring (patient, what, why, at, by_whom)
VALUES (%(patient)s, %(what)s, %(why)s, %(now)s, %(by_whom)s)

-- fall_silent --
-- What still waits for anybody but dispatch: nobody else hears of this patient any more.
UPDATE alerts.notice SET status = 'moot'
 WHERE status = 'waiting' AND role <> 'dispatch'
   AND alert IN (SELECT alert FROM alerts.alert WHERE subject = %(patient)s)

-- forget_levels --
-- Monitored again: what is still so of what was over with the end is to be heard anew, by the comparison of levels.
UPDATE alerts.alert_episode SET revision = 0
 WHERE present AND alert IN (SELECT alert FROM alerts.alert WHERE subject = %(patient)s AND outcome = 'monitoring_ended')

-- not_expected --
-- Patients of whom no data is expected now: their monitoring has ended, or they have planned a pause.
SELECT patient FROM (SELECT DISTINCT ON (patient) patient, what FROM alerts.monitoring ORDER BY patient, n DESC) m
 WHERE what = 'ended'
UNION
SELECT patient FROM alerts.pause WHERE from_at <= %(now)s AND until_at > %(now)s AND lifted_at IS NULL
