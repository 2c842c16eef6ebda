-- save_trial --
INSERT INTO alerts.trial (channel, address, target, at, by_whom, outcome, detail)
VALUES (%(channel)s, %(address)s, %(target)s, %(now)s, %(by_whom)s, %(outcome)s, %(detail)s)

-- delivered_trials --
-- The newest trial of each way that got through; a later one that did not shows as delivery failing, not here.
SELECT DISTINCT ON (channel, address) channel, address, target, at FROM alerts.trial
 WHERE outcome = 'delivered' ORDER BY channel, address, at DESC

-- newest_trials --
SELECT DISTINCT ON (channel, address) channel, address, at, by_whom, outcome, detail FROM alerts.trial
 ORDER BY channel, address, at DESC
