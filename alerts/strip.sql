-- ecg_strip --
-- The stored ECG of one patient that meets an interval.
SELECT * FROM stream.ecg_strip(%(patient)s, %(from_at)s, %(to_at)s)

-- alert_for_strip --
SELECT subject, subject_kind, condition, onset FROM alerts.alert WHERE alert = %(alert)s

-- episodes_for_strip --
SELECT episode, revision, present, late, withdrawn, onset, ended AS end, evidence
  FROM alerts.alert_episode WHERE alert = %(alert)s
