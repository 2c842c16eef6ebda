-- others --
-- Patients whose plan in force names nobody of these, but for those of whose alerts one of them is told: by a notice, or
-- by the ladder that runs, now or by its schedule.
WITH plan AS (
    SELECT DISTINCT ON (patient) patient, body -> 'team' AS team FROM alerts.plan
     WHERE %(patient)s::text IS NULL OR patient = %(patient)s
     ORDER BY patient, version DESC
), theirs AS (
    SELECT patient FROM plan
     WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(team) one WHERE one ->> 'person' = ANY (%(names)s))
), lately AS (
    SELECT alert, subject, ladders -> ladder AS ladder FROM alerts.alert
     WHERE state <> 'closed' AND (%(patient)s::text IS NULL OR subject = %(patient)s)
    UNION ALL
    SELECT alert, subject, NULL FROM alerts.alert
     WHERE closed_at > %(since)s AND (%(patient)s::text IS NULL OR subject = %(patient)s)
)
SELECT patient FROM theirs
 WHERE NOT EXISTS (
       SELECT FROM lately
        WHERE lately.subject = theirs.patient
          AND (EXISTS (SELECT FROM alerts.notice n WHERE n.alert = lately.alert AND n.person = ANY (%(names)s))
               OR jsonb_path_exists(lately.ladder, '$.**.person ? (@ == $names[*])', %(listed)s)))
